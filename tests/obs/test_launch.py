"""`facelive obs launch` on a computer where OBS was never started: OBS is up, the scene is built, the filter is live."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import pytest

from obs_facelive.frame import Pixels
from obs_facelive.home import Home
from obs_facelive.launch.virtual_camera import linux_facts
from tests.obs.driving import detail
from tools import obs_config
from tools.environment import CHECKOUT
from tools.virtual_display import Desktop, virtual_display
from tools.waiting import wait_for

PERSONA = "clara"
PAGES = [CHECKOUT / "docs" / name for name in ("streaming.md", "meetings.md")]
PREVIEW = (slice(40, 410), slice(210, 870))
"""Rows and columns of OBS's window, as it opens for the first time, that show the scene."""


def facelive(environ: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, as a person starts it."""
    program = [sys.executable, "-c", "from obs_facelive.cli import app; app()", *arguments]
    return subprocess.run(program, cwd=CHECKOUT, env=dict(environ), capture_output=True, text=True)


@pytest.fixture
def display() -> Iterator[str]:
    with virtual_display() as name:
        yield name


@pytest.fixture
def environ(display: str, home: Home, obs_env: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The environment of a person with nothing in their home folder."""
    (tmp_path / "status").mkdir()
    found = obs_config.environment(tmp_path / "person", display) | obs_env
    return found | {"FACELIVE_STATUS_DIR": str(tmp_path / "status"), "COLUMNS": "400"}


def _status(tmp_path: Path) -> dict[str, Any]:
    for file in (tmp_path / "status").glob("*.json"):
        with suppress(OSError, ValueError):
            return dict(json.loads(file.read_text()))
    return {}


def _live(tmp_path: Path) -> dict[str, Any] | None:
    """The status of a filter that shows a swapped face."""
    status = _status(tmp_path)
    return status if status.get("state") == "live" and status["frames_swapped"] > 0 else None


def _ended(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_launch_on_a_clean_home(environ: dict[str, str], camera_clip: Path, tmp_path: Path) -> None:
    root = tmp_path / "person/.config/obs-studio"
    # Whatever other OBS runs on this computer.
    options = ("obs", "launch", "--camera", str(camera_clip), "--persona", PERSONA, "--", "--multi")
    done = facelive(environ, *options)
    assert done.returncode == 0, done.stderr
    found = re.search(r"OBS is open \(process (\d+)\)", done.stdout)
    assert found and "never started" in done.stdout, done.stdout
    number = int(found[1])
    try:
        status = wait_for("the swapped face", lambda: _live(tmp_path), 400)
        assert (status["persona"], status["source"]) == (PERSONA, "Camera")
        assert status["raw_frames_shown"] == 0 and (status["width"], status["height"]) == (1280, 720)
        again = facelive(environ, *options)
        assert again.returncode == 1 and "running already" in again.stderr
        with Desktop(environ["DISPLAY"]) as desktop:
            # One window: neither OBS's first questions nor an error.
            (window,) = desktop.windows()
            assert "Scenes: FaceLive" in window.title and "Profile: FaceLive" in window.title

            def seen() -> list[Pixels]:
                picture = desktop.picture(window)
                return [picture] if detail(picture[PREVIEW]) > 2 and _live(tmp_path) else []

            (picture,) = wait_for("the window to show a face, not a cover", seen, 200)
            if folder := os.environ.get("FACELIVE_WRITE_IMAGES"):
                cv2.imwrite(str(Path(folder) / "launch.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 88])
            desktop.close_window(window)
        wait_for("OBS to end", lambda: _ended(number), 30)
    finally:
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    log = next((root / "logs").glob("*.txt")).read_text()
    assert ("--startvirtualcam" in log) is linux_facts().available
    collection = root / "basic/scenes/FaceLive.json"
    left = collection.read_bytes()
    filters = [one for source in json.loads(left)["sources"] for one in source.get("filters", [])]
    assert [one["settings"]["persona"] for one in filters] == [PERSONA]
    assert facelive(environ, "obs", "setup").returncode == 0
    assert collection.read_bytes() == left


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_commands_of_the_pages(environ: dict[str, str], camera_clip: Path, tmp_path: Path) -> None:
    """Each that docs/streaming.md and docs/meetings.md name, in their order; with a clip, since there is no camera here."""
    blocks = [block for page in PAGES for block in re.findall(r"```\n(.*?)```", page.read_text(), re.DOTALL)]
    lines = [line.strip() for block in blocks for line in block.splitlines() if line.strip()]
    commands = [line.removeprefix("python3 install.py run ").split() for line in lines if " run " in line]
    assert [" ".join(command) for command in commands] == [
        "obs launch",
        "obs check",
        "obs launch --minimize-to-tray",
    ] and len(lines) == len(commands) + lines.count("python3 install.py")  # which test_install runs
    for command in commands:
        built = (tmp_path / "person/.config/obs-studio").exists()
        more = [*([] if built else ["--camera", str(camera_clip)]), "--", "--multi"] if "launch" in command else []
        done = facelive(environ, *command, *more)
        assert done.returncode == 0, done.stdout + done.stderr
        if "launch" not in command:
            assert "virtual camera" in done.stdout
            continue
        found = re.search(r"OBS is open \(process (\d+)\)", done.stdout)
        assert found, done.stdout
        number = int(found[1])
        try:
            wait_for("the swapped face", lambda: _live(tmp_path), 400)
        finally:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        wait_for("OBS to end", partial(_ended, number), 30)
        for file in (tmp_path / "status").glob("*.json"):
            file.unlink()
