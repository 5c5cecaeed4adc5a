"""A real person's face in a running OBS: not without consent, and gone as soon as that is withdrawn."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from obs_facelive.home import Home
from obs_facelive.personas.consent import CONSENT_FILE, withdraw
from tests.obs.conftest import one_camera
from tests.obs.driving import CAMERA, HEAD, bare_picture, change, difference, is_live, unrecognisable
from tests.obs.recording import distance_to_nearest, heads
from tests.real_person import NAME, add_real_persona, consent_to, home_with
from tools.obs_config import Filter, Video
from tools.obs_session import ObsSession


@pytest.fixture(scope="module")
def own(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home of its own, in which somebody's face is, without a record."""
    made = home_with(home, tmp_path_factory.mktemp("own") / "home")
    add_real_persona(home, made.personas)
    return made


@pytest.fixture(scope="module")
def obs(
    own: Home, tmp_path_factory: pytest.TempPathFactory, camera_clip: Path, obs_env: dict[str, str]
) -> Iterator[ObsSession]:
    collection = one_camera(camera_clip, Filter(settings={"persona": NAME, "hold_ms": 5000}))
    env = {**obs_env, "FACELIVE_HOME": str(own.root)}
    with ObsSession(tmp_path_factory.mktemp("obs"), [collection], video=Video(fps=10), env=env) as session:
        yield session


def covered(obs: ObsSession, reason: str) -> dict[str, Any]:
    """Wait for the cover, for that reason; the status then. The picture shows nobody."""
    status = obs.wait_status(reason, lambda s: s["state"] == "cover" and s["reason"] == reason, seconds=60)
    shown = obs.picture(CAMERA)
    assert unrecognisable(shown, bare_picture(obs))
    assert status["raw_frames_shown"] == 0
    return status


def test_without_consent_nobody_is_swapped_and_the_words_say_what_to_do(obs: ObsSession) -> None:
    status = covered(obs, "no consent")
    assert f"facelive persona consent add {NAME}" in status["last_error"]
    assert status["frames_swapped"] == 0


def test_with_consent_the_face_is_worn_with_its_badge(obs: ObsSession, own: Home) -> None:
    consent_to(own.personas / NAME)
    status = obs.wait_status("the swapped face", lambda s: is_live(s) and s["persona"] == NAME, seconds=60)
    assert status["last_error"] == ""
    assert difference(obs.picture(CAMERA)[HEAD], bare_picture(obs)[HEAD]) > 3


@pytest.mark.parametrize(
    "how",
    ["withdrawn by the command", *(pytest.param(how, marks=pytest.mark.slow) for how in ("withdrawn", "deleted"))],
)
def test_what_is_withdrawn_is_gone_at_once(obs: ObsSession, own: Home, camera_clip: Path, how: str) -> None:
    """The hold limit is five seconds: the face is not held for it."""
    folder = own.personas / NAME
    if not folder.exists():
        add_real_persona(own, own.personas)
    consent_to(folder)
    obs.wait_status("the swapped face", lambda s: is_live(s) and s["persona"] == NAME, seconds=60)
    ends: dict[str, Callable[[], object]] = {
        "withdrawn by the command": lambda: subprocess.run(
            [own.python, "-c", "from obs_facelive.cli import app; app()", "persona", "consent", "withdraw", NAME],
            env={"FACELIVE_HOME": str(own.root), "PATH": ""},
            check=True,
            capture_output=True,
        ),
        "withdrawn": lambda: withdraw(folder),
        "deleted": lambda: shutil.rmtree(folder),
    }
    reason = "persona was removed" if how == "deleted" else "consent withdrawn"
    since: list[float] = []
    until: list[float] = []

    def gone() -> bool:
        status = obs.status()
        if not since:
            if not status or not is_live(status) or obs.client.get_record_status().output_duration < 1000:
                return False  # a busy OBS is covered for a moment when a recording begins
            ends[how]()
            since.append(time.time() if how == "deleted" else (folder / CONSENT_FILE).stat().st_mtime)
        if status and status["reason"] == reason and not until:
            until.append(status["written"])
        return bool(until) and time.time() > until[0] + 1

    clip = obs.record(gone, seconds=60)
    covered(obs, reason)
    print(f"\n{how}: covered {until[0] - since[0]:.2f} s after it")
    recorded = heads(clip)
    bare = distance_to_nearest(recorded, heads(camera_clip))
    detail = [np.abs(np.diff(head)).mean() for head in recorded]
    covers = np.array(detail) < 0.3 * np.abs(np.diff(heads(camera_clip))).mean()  # blurred beyond recognition
    assert covers[-5:].all(), "the face was recorded to the end"
    assert not covers.all(), "it was never worn"
    assert bare.min() > 2, "a bare frame"
    status = obs.status()
    assert status is not None and status["raw_frames_shown"] == 0


def test_another_persona_can_be_worn_afterwards(obs: ObsSession, own: Home) -> None:
    other = own.persona_names()[0]
    status = change(obs, {"persona": other})
    assert status["persona"] == other and status["raw_frames_shown"] == 0
