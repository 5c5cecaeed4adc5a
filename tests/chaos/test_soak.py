"""The short form of the soak. An hour is ``python -m tools.soak``."""

from __future__ import annotations

from pathlib import Path

import pytest

from obs_facelive.home import Home
from tools.soak import markdown, plot, soak, summary


@pytest.mark.slow
def test_nothing_grows_in_two_minutes(home: Home, camera_clip: Path, tmp_path: Path) -> None:
    looks = soak(home, camera_clip, 2.0, 1.0, without=False)
    figures = summary(looks, 30)
    plot(looks, tmp_path / "soak.png")
    print(markdown(figures))

    assert figures["shared_blocks"] == [1, 1]
    assert figures["engine_starts"] == 1
    assert figures["raw_frames_shown"] == 0
    for process in ("obs", "engine"):
        first, last = figures[process]["anonymous_mib"]
        assert last - first < 10
        assert figures[process]["threads"][1] - figures[process]["threads"][0] <= 4  # OBS's own come and go
        assert figures[process]["fds"][1] - figures[process]["fds"][0] <= 4
    assert (tmp_path / "soak.png").is_file()
