"""The chaos is planned: the same for the same seed, and no fault is left out."""

from __future__ import annotations

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from tools.chaos.run import FAULTS
from tools.chaos.schedule import Planned, schedule

SEEDS = st.integers(0, 2**32)


def plan(seed: int, count: int, short: bool = False) -> list[Planned]:
    return list(islice(schedule(seed, list(FAULTS), short=short), count))


@given(SEEDS)
def test_one_seed_is_one_plan(seed: int) -> None:
    assert plan(seed, 50) == plan(seed, 50)


@given(SEEDS)
def test_each_round_has_every_fault_once(seed: int) -> None:
    names = [planned.name for planned in plan(seed, 3 * len(FAULTS))]

    rounds = [names[at : at + len(FAULTS)] for at in range(0, len(names), len(FAULTS))]
    assert all(sorted(each) == sorted(FAULTS) for each in rounds)


def test_seeds_make_different_plans() -> None:
    assert len({tuple(p.name for p in plan(seed, len(FAULTS))) for seed in range(20)}) == 20


@given(SEEDS, st.booleans())
def test_faults_last_as_long_as_they_may(seed: int, short: bool) -> None:
    for planned in plan(seed, 2 * len(FAULTS), short):
        assert 0.5 <= planned.seconds <= (1.0 if short else 4.0)
        assert 0.0 <= planned.quiet <= (0.0 if short else 2.0)


def test_faults_follow_each_other_with_and_without_a_rest() -> None:
    rests = [planned.quiet for planned in plan(1, 10 * len(FAULTS))]

    assert 0.2 < sum(rest == 0 for rest in rests) / len(rests) < 0.5
    assert max(rests) > 1
