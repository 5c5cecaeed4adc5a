"""The governor against an engine made of numbers: it answers overload soon, climbs back, and does not swing."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obs_facelive.engine.governor import Governor, Load
from obs_facelive.quality import ENHANCING, LADDER
from tests.unit.load_plant import EVERY, IDLE, Weather, lasting, recorded, replay

LAST = len(LADDER) - 1
TRACE = Path(__file__).parent / "traces" / "full.csv"
"""``tools.load_step --quality full --steps swap,burn,noise --loaded 10``, on two cores."""
CALM = Weather()


def test_a_quiet_computer_stays_at_full_quality() -> None:
    run = replay(lasting(600, CALM))
    assert not run.changes and run.governor.why == "" and run.governor.rung is LADDER[0]


def test_a_far_too_slow_swapper_leads_straight_to_the_rung_that_fits() -> None:
    run = replay([*lasting(10, CALM), *lasting(20, CALM.slow_swap(250))])
    assert [index for _, index in run.changes] == [LAST]
    assert run.changes[0][0] <= 11.25
    assert run.governor.why == "swap takes 250 ms"
    assert run.loads[-1].result_fps == 30 and run.loads[-1].delay_ms < 150


@pytest.mark.parametrize("ms, scale_saves, index", [(42.0, 0.6, 2), (50.0, 1.0, 3), (44.0, 1.0, 3)])
def test_it_settles_on_the_first_rung_that_holds(ms: float, scale_saves: float, index: int) -> None:
    run = replay(lasting(60, CALM.slow_swap(ms, scale_saves)))
    assert run.at(6) == index and not run.between(6, 60)


@pytest.mark.parametrize(
    ("swap", "enhance", "index"),
    [(9.0, 15.0, 0), (9.0, 32.0, 2), (9.0, 50.0, 3), (20.0, 55.0, 4), (20.0, 80.0, 5), (9.0, 2e3, 6)],
)
def test_a_slow_enhancer_runs_more_rarely_before_the_swapper_does(swap: float, enhance: float, index: int) -> None:
    weather = CALM.slow_swap(swap, 0.6).slow_enhancer(enhance)
    run = replay(lasting(60, weather), Governor(150, ENHANCING), ENHANCING)
    assert run.at(6) == index and len(run.between(6, 60)) <= 2
    if index:
        assert run.governor.why == f"enhancing takes {enhance:.0f} ms"


def test_an_enhancer_that_is_fast_again_is_asked_again() -> None:
    weather = [*lasting(5, CALM), *lasting(15, CALM.slow_enhancer(400)), *lasting(40, CALM.slow_enhancer(8))]
    run = replay(weather, Governor(150, ENHANCING), ENHANCING)
    assert run.at(20) == len(ENHANCING) - 1
    assert run.at(50) == 0 and not run.between(50, 60)


@pytest.mark.parametrize("ms", [20, 30, 40, 60, 90, 150, 300])
def test_no_enhancer_makes_it_swing(ms: float) -> None:
    run = replay(lasting(300, CALM.slow_enhancer(ms)), Governor(150, ENHANCING), ENHANCING)
    assert len(run.swings(60)) <= 4


def test_it_climbs_all_the_way_back() -> None:
    run = replay([*lasting(5, CALM), *lasting(15, CALM.slow_swap(250)), *lasting(40, CALM)])
    assert run.at(20) == LAST
    assert run.at(40) == 0 and not run.between(40, 60)
    assert run.governor.why == ""


def test_a_computer_that_is_slower_all_over_still_climbs_back() -> None:
    run = replay([*lasting(5, CALM), *lasting(30, CALM.slower(4)), *lasting(60, CALM)])
    assert run.at(35) > 0
    assert run.at(75) == 0 and not run.between(75, 95)


@pytest.mark.parametrize("saves", [0.3, 0.5, 0.7, 0.85, 1.0])
@pytest.mark.parametrize("ms", [20, 25, 30, 33, 36, 40, 50, 60, 66, 70, 80, 100])
def test_no_swapper_makes_it_swing(ms: float, saves: float) -> None:
    """A steady load, whatever it is: at most two climbs are tried in vain in the first minute, then hardly any."""
    run = replay(lasting(300, CALM.slow_swap(ms, saves)))
    assert len(run.swings(60)) <= 4
    assert len(run.between(120, 300)) <= 4


def test_a_climb_that_was_taken_back_waits_ever_longer() -> None:
    # The swapper is slow only while full pictures are swapped: nothing that is measured lower down foretells it.
    def weather(time: float, index: int) -> Weather:
        return CALM.slow_swap(60 if index == 0 else 9)

    governor, tried = Governor(150), []
    for number in range(round(600 / EVERY)):
        before = LADDER.index(governor.rung)
        load = weather(number * EVERY, before).under(governor.rung, number * EVERY)
        # It forgets what it learned about the scale, as if the load had come from outside.
        after = LADDER.index(governor.observe(load))
        if after == 0 < before:
            tried.append(number * EVERY)
    gaps = [b - a for a, b in itertools.pairwise(tried)]
    assert gaps == sorted(gaps) or all(gap >= 55 for gap in gaps[4:])
    assert len(tried) <= 14


def test_a_recorded_day_is_answered_without_swinging() -> None:
    run = replay(recorded(TRACE))
    assert run.at(9) == 0  # quiet
    assert run.at(14) == LAST  # the swapper takes 250 ms
    assert run.at(44) == 0  # 24 seconds later
    assert run.most_in(10) <= 5
    assert len(run.swings(10)) <= 1


def test_one_hiccup_is_no_overload() -> None:
    frozen = Weather(kept=0.0001)
    for length in (1, 2):
        run = replay([*lasting(5, CALM), *[frozen] * length, *lasting(30, CALM)])
        assert not run.changes, length


def test_the_delay_is_held() -> None:
    slow = Weather({**IDLE, "landmarks": 25.0, "swap": 29.0, "merge": 25.0}, delay=175)
    run = replay(lasting(30, slow))
    assert run.loads[0].delay_ms > 150
    assert all(load.delay_ms <= 150 for load in run.loads[-40:])


def test_a_budget_that_no_rung_can_hold_costs_no_quality() -> None:
    run = replay(lasting(60, Weather(delay=180)), Governor(50))
    assert run.loads[-1].delay_ms > 50
    assert run.at(60) == 0


def test_lag_of_obs_is_answered_but_never_by_a_swapper_without_rest() -> None:
    run = replay([*lasting(5, CALM), *lasting(60, Weather(lagged=0.3)), *lasting(60, CALM)])
    assert [index for _, index in run.between(5, 20)] == [1, 2, 3]
    assert run.at(65) == 3
    assert run.at(125) == 0


def test_a_pause_is_no_overload() -> None:
    governor = Governor(150)
    for start in range(0, 600, 10):
        for number in range(3):
            governor.observe(Load(start + number * EVERY, 30, 5, 90, IDLE, 0))
    assert governor.rung is LADDER[0]


def test_a_ladder_of_one_rung_is_never_left() -> None:
    run = replay(lasting(60, CALM.slow_swap(250)), Governor(150, LADDER[:1]))
    assert not run.changes and run.governor.why == ""


def weathers() -> st.SearchStrategy[Weather]:
    return st.builds(
        lambda factor, swap, saves, lagged, kept, fps: Weather(
            {**{k: v * factor for k, v in IDLE.items()}, "swap": swap},
            kept=kept,
            lagged=lagged,
            camera_fps=fps,
            scale_saves=saves,
        ),
        st.floats(0.3, 8),
        st.floats(0.5, 400),
        st.floats(0.2, 1),
        st.sampled_from([0.0, 0.0, 0.0, 0.02, 0.5]),
        st.sampled_from([1.0, 1.0, 1.0, 0.9, 0.5, 0.01]),
        st.sampled_from([15.0, 25.0, 30.0, 60.0]),
    )


spells = st.lists(st.tuples(st.floats(EVERY, 40), weathers()), min_size=1, max_size=12)


@settings(max_examples=150, deadline=None)
@given(spells)
def test_no_load_makes_it_restless(parts: list[tuple[float, Weather]]) -> None:
    run = replay([weather for seconds, part in parts for weather in lasting(seconds, part)])
    assert run.most_in(60) <= 16
    for first, second in itertools.pairwise(run.changes):
        assert second[0] - first[0] >= 1.0
        climbed = second[1] < first[1]
        assert not climbed or (second[1] == first[1] - 1 and second[0] - first[0] >= 3.0)


finite = st.floats(0, 1e6, allow_nan=False)
loads = st.builds(
    Load,
    time=st.just(0.0),
    camera_fps=finite,
    result_fps=finite,
    delay_ms=finite,
    stages_ms=st.dictionaries(st.sampled_from([*IDLE, "rewarp", "else"]), finite),
    lagged=st.floats(0, 1),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.floats(0.01, 3), loads), max_size=60), st.integers(50, 500))
def test_whatever_is_measured_the_answer_is_a_rung_with_a_reason(steps: list[tuple[float, Load]], budget: int) -> None:
    governor, now = Governor(budget), 0.0
    for pause, load in steps:
        now += pause
        known = Load(now, load.camera_fps, load.result_fps, load.delay_ms, load.stages_ms, load.lagged)
        rung = governor.observe(known)
        assert rung is governor.rung and rung in LADDER
        assert bool(governor.why) == (rung is not LADDER[0])
    assert math.isfinite(now)
