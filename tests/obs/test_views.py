"""However many views OBS draws the filter in, a frame is captured, handed on and finished once."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from obs_facelive.home import Home
from tools.views import ONE_FRAME, measure


@pytest.mark.slow
def test_work_does_not_multiply_with_the_views(home: Home, camera_clip: Path) -> None:
    views = measure(home, camera_clip)
    draws = [seen["frames_rendered"] for seen in views.values()]
    assert all(more > fewer + 0.5 for fewer, more in pairwise(draws)), views
    for seen in views.values():
        assert seen["frames_captured"] == pytest.approx(1, abs=ONE_FRAME), views
        assert seen["frames_sent"] <= 1 + ONE_FRAME and seen["results"] <= 1 + ONE_FRAME, views
