"""Sound in step: what is remembered in an offset, and how a delay is followed."""

from __future__ import annotations

import statistics
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_facelive.in_step import LONGEST, MILLISECOND, OWN, Follower, Offset

PERIOD = 0.125
own_offsets = st.integers(OWN[0], OWN[-1])
delays = st.floats(0, LONGEST)


def followed(follower: Follower, measured: list[float]) -> list[int]:
    return [follower.follow(delay, PERIOD) for delay in measured]


@given(own_offsets, st.integers(0, LONGEST))
def test_an_offset_says_what_it_was_before(own: int, extra: int) -> None:
    offset = Offset(own, extra)
    assert Offset.read(offset.ns) == offset
    assert 0 < offset.ns - (own + extra) * MILLISECOND < MILLISECOND


@given(st.integers(-(10**12), 10**12))
def test_whole_milliseconds_are_never_ours(milliseconds: int) -> None:
    assert Offset.read(milliseconds * MILLISECOND) is None


@given(st.integers(-(2**63), 2**63 - 1))
def test_what_is_not_ours_is_not_taken_for_ours(ns: int) -> None:
    read = Offset.read(ns)
    assert read is None or read.ns == ns


def test_hardly_any_foreign_fraction_is_ours() -> None:
    """Of the offsets around 50 ms that anybody could set to the nanosecond."""
    ours = sum(Offset.read(ns) is not None for ns in range(50 * MILLISECOND, 51 * MILLISECOND))
    assert 0 < ours < 0.003 * MILLISECOND


@given(st.integers(0, LONGEST), st.lists(delays | st.sampled_from([60.0, 80.0, 100.0]), max_size=300))
def test_steps_are_small_and_only_when_it_is_off(start: int, measured: list[float]) -> None:
    before, still = start, PERIOD * len(measured)
    window = round(Follower.WINDOW / PERIOD)
    for number, now in enumerate(followed(Follower(start), measured), 1):
        ordered = sorted(measured[max(0, number - window) : number])
        cut = len(ordered) // 5
        off = statistics.mean(ordered[cut : len(ordered) - cut]) - before
        change = now - before
        assert 0 <= now <= LONGEST
        assert abs(change) <= Follower.STEP
        if change:
            assert change * off > 0 and abs(change) < abs(off) + 0.51
            assert still < Follower.FIRST + 2 * PERIOD or abs(off) > Follower.BAND
        before, still = now, 0.0 if change else still + PERIOD


@given(st.integers(0, LONGEST), delays)
def test_it_reaches_a_steady_delay_and_stays(start: int, delay: float) -> None:
    follower = Follower(start)
    extras = followed(follower, [delay] * (LONGEST // Follower.STEP + 20))
    assert abs(extras[-1] - delay) <= Follower.BAND
    changes = [b - a for a, b in pairwise([start, *extras]) if a != b]
    assert not changes or abs(extras[-1] - delay) <= 1  # once it moves it goes all the way
    assert len({change > 0 for change in changes}) <= 1  # and never back


@given(st.floats(10, 500), st.lists(st.floats(-7.5, 7.5), min_size=100, max_size=300))
def test_no_jitter_within_the_band_moves_it_again(delay: float, jitter: list[float]) -> None:
    follower = Follower()
    followed(follower, [delay] * 200)
    settled = follower.extra
    if settled:  # a delay in the band is left alone altogether
        assert set(followed(follower, [delay + j for j in jitter])) == {settled}


@pytest.mark.parametrize("seed", range(30))
def test_jitter_is_averaged_away(seed: int) -> None:
    """Pictures that come up to one frame early or late at random: it finds the middle and stands still."""
    random = Random(seed)
    delay = random.uniform(50, 300)
    extras = followed(Follower(), [delay + random.uniform(-33, 33) for _ in range(1200)])[300:]
    assert all(abs(extra - delay) <= Follower.BAND for extra in extras)
    changes = [b - a for a, b in pairwise(extras) if a != b]
    # A random course may turn back once more on the way to the middle. Whoever looks for the worst of all finds worse.
    assert sum((a > 0) != (b > 0) for a, b in pairwise(changes)) <= 1


def test_a_new_delay_is_followed_within_ten_seconds() -> None:
    follower = Follower()
    followed(follower, [80.0] * 100)
    extras = followed(follower, [160.0] * 100)
    assert abs(extras[-1] - 160) <= Follower.BAND
    assert extras == sorted(extras)


def test_a_stall_is_not_followed() -> None:
    """Not even one of a second."""
    follower = Follower()
    settled = followed(follower, [80.0] * 100)[-1]
    assert set(followed(follower, [400.0] * 10 + [80.0] * 100)) == {settled}


def test_it_does_not_move_before_it_has_measured() -> None:
    assert set(followed(Follower(), [100.0] * 7)) == {0}
    assert Follower(70).extra == 70
