"""The engine is killed in the middle of a recording: OBS goes on, nobody's bare face is in it, the swap comes back."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.obs.conftest import one_camera
from tests.obs.driving import CAMERA, FILTER, add_filter, fresh, is_live, remove_filter
from tests.obs.recording import distance_to_nearest, heads
from tools.obs_config import Filter
from tools.obs_session import ObsSession

BACK_WITHIN = 5.0


@pytest.fixture(scope="module")
def obs(tmp_path_factory: pytest.TempPathFactory, camera_clip: Path, obs_env: dict[str, str]) -> Iterator[ObsSession]:
    with ObsSession(tmp_path_factory.mktemp("death"), [one_camera(camera_clip, Filter())], env=obs_env) as session:
        session.wait_status("the swapped face", is_live, seconds=60)
        yield session
        session.quit()
        assert session.leaks() == 0


def kill_engine(obs: ObsSession, starts: int) -> None:
    """Kill the engine that was started as number `starts`, and wait for pictures of its successor."""
    before = fresh(obs)
    assert before["engine_starts"] == starts

    def back(status: dict[str, Any]) -> bool:
        swapped = status["frames_swapped"] - before["frames_swapped"]
        return is_live(status) and status["engine_starts"] == starts + 1 and swapped > 3

    os.kill(before["engine_pid"], signal.SIGKILL)
    obs.wait_status("the swapped face to come back", back, seconds=BACK_WITHIN)


def test_no_bare_frame_when_the_engine_is_killed(obs: ObsSession, camera_clip: Path) -> None:
    obs.client.set_source_filter_settings(CAMERA, FILTER, {"swap": False, "privacy": False}, True)
    obs.wait_status("the bare camera, as asked", lambda s: s["state"] == "bypass")
    bare = obs.record(2.0)
    obs.client.set_source_filter_settings(CAMERA, FILTER, {"swap": True, "privacy": True}, True)
    fresh(obs)

    obs.start_recording()
    for starts in (1, 2, 3):
        kill_engine(obs, starts)
    status = fresh(obs)
    killed = obs.stop_recording()

    assert status["raw_frames_shown"] == 0
    source = heads(camera_clip)
    noise = distance_to_nearest(heads(bare), source).max()
    shown = distance_to_nearest(heads(killed), source)
    assert shown.min() > 2 * noise


def test_an_engine_without_a_filter_is_not_taken_for_hung(obs: ObsSession) -> None:
    before = fresh(obs)
    remove_filter(obs)
    time.sleep(2.5)  # longer than a heartbeat may be missing

    add_filter(obs)

    after = obs.wait_status("the swapped face", is_live)
    assert (after["engine_pid"], after["engine_starts"]) == (before["engine_pid"], before["engine_starts"])
