"""The soak's maths: a slope is what it is, noise widens its error, the warm-up counts for nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.procfs import Usage
from tools.soak import Look, markdown, slope, summary, windows


def usage(anonymous: float, threads: int = 9) -> Usage:
    return Usage(anonymous + 100, anonymous + 50, anonymous, threads, 40)


def look(seconds: float, anonymous: float, delay: float = 50.0, threads: int = 9, state: str = "live") -> Look:
    grown = usage(anonymous, threads)
    return Look(seconds, usage(300), grown, 1, state, 1, 0, round(30 * seconds), delay)


@given(st.floats(-50, 50), st.floats(0, 500), st.integers(3, 60))
def test_the_slope_of_a_line_is_found_exactly(rise: float, start: float, count: int) -> None:
    seconds = [10.0 * n for n in range(count)]

    found = slope(seconds, [start + rise * s / 3600 for s in seconds])

    assert found.per_hour == pytest.approx(rise, abs=1e-6)
    assert found.error == pytest.approx(0, abs=1e-6)


def test_noise_is_told_from_a_leak() -> None:
    seconds = np.arange(0, 3600, 5.0)
    noise = np.random.default_rng(1).normal(0, 2, len(seconds))

    flat, leak = slope(list(seconds), list(300 + noise)), slope(list(seconds), list(300 + noise + 10 * seconds / 3600))

    assert abs(flat.per_hour) < 3 * flat.error < 1.5
    assert leak.per_hour > 10 * leak.error
    assert leak.per_hour == pytest.approx(10, abs=3 * leak.error)


@pytest.mark.parametrize("seconds", [[], [0.0, 1.0], [5.0, 5.0, 5.0]])
def test_a_slope_needs_three_points_in_time(seconds: list[float]) -> None:
    with pytest.raises(ValueError, match="three points"):
        slope(seconds, [1.0] * len(seconds))


def test_the_warm_up_counts_for_nothing() -> None:
    looks = [look(s, 200 + min(s, 300), threads=9 + (s < 300)) for s in range(0, 1000, 10)]

    figures = summary(looks, 300)

    assert figures["engine"]["anonymous_mib_per_hour"] == 0
    assert figures["engine"]["threads"] == [9, 9]
    assert summary(looks, 0)["engine"]["anonymous_mib_per_hour"] > 100
    assert summary(looks, 0)["engine"]["threads"] == [9, 10]


def test_delays_are_told_by_the_window() -> None:
    looks = [look(s, 200, delay=40 if s < 600 else 60) for s in range(0, 1200, 10)]

    assert windows(looks) == [(0.0, 40.0, 40.0), (600.0, 60.0, 60.0)]


def test_without_the_filter_there_is_only_obs() -> None:
    figures = summary([Look(s, usage(300), None, 0) for s in (0.0, 10.0, 20.0)], 0)

    assert "engine" not in figures
    assert "| | OBS |" in markdown(figures)


def test_the_report_says_what_happened() -> None:
    looks = [look(s, 200, state="live" if s else "hold") for s in range(0, 1000, 10)]

    text = markdown(summary(looks, 0))

    assert "engine starts 1" in text and "live in 99.0% of the looks" in text
