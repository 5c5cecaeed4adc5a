"""What the engine is told about OBS, and what people are told about the engine."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from obs_facelive.obs.feedback import Lag
from obs_facelive.obs.status import in_words


def test_lag_is_the_share_of_the_last_second() -> None:
    lag, shares = Lag(), []
    total = lagged = 1000
    for number in range(60):  # 20 looks a second, OBS at 60 fps; in the second second, every third frame lags
        total += 3
        lagged += 1 if 20 <= number < 40 else 0
        shares.append(lag.share(number / 20, total, lagged))
    assert shares[19] == 0
    assert abs(shares[39] - 1 / 3) < 0.02
    assert shares[59] == 0


def test_lag_survives_a_reset_of_the_video() -> None:
    lag = Lag()
    assert lag.share(0, 5000, 4000) == 0
    assert lag.share(0.05, 3, 0) == 0
    assert lag.share(0.1, 6, 3) == 1


@given(st.lists(st.tuples(st.floats(0.001, 5), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)), max_size=50))
def test_lag_is_a_share_whatever_libobs_counts(looks: list[tuple[float, int, int]]) -> None:
    lag, now = Lag(), 0.0
    for pause, total, lagged in looks:
        now += pause
        assert 0 <= lag.share(now, total, lagged) <= 1


def test_the_panel_says_which_quality_and_why_and_says_nothing_at_full_quality() -> None:
    known = {
        "state": "live",
        "reason": "",
        "engine_fps": 29.0,
        "late_ms": 95.0,
        "provider": "CPU",
        "last_error": "",
        "rung": "swaps when it can",
        "rung_why": "swap takes 240 ms",
        "draws_a_frame": 1.0,
        "work_a_frame": 1.0,
    }
    assert in_words(known, "") == "LIVE · about 30 fps, delay about 100 ms · swaps when it can: swap takes 240 ms · CPU"
    seen_thrice = known | {"rung_why": "", "draws_a_frame": 2.9}
    assert "drawn 3 times a frame, captured once" in in_words(seen_thrice, "")
    best = known | {"rung": "full quality", "rung_why": ""}
    assert in_words(best, "") == "LIVE · about 30 fps, delay about 100 ms · CPU"
