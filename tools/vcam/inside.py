"""What happens in the guest: OBS with FaceLive and its virtual camera, read by ffmpeg and then by a meeting in Chromium."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import cv2

from obs_facelive.home import Home
from tools import obs_config, views
from tools.demo import CAMERA, SCRIPT
from tools.obs_session import ObsError, ObsSession
from tools.vcam.meeting import WINDOW, MeetingError, hold
from tools.virtual_display import Desktop

SIZE: Final = (640, 360)
FPS: Final = 10
"""As many as one processor manages, Chromium's coding and decoding included."""
DEVICE: Final = "/dev/video0"
BARE: Final = 30
"""Pictures at the end in which the person is to be seen, because he was asked to be: they show that a judge can tell."""


def main() -> int:
    """The command in the guest. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.vcam.inside", description=__doc__)
    parser.add_argument("out", type=Path, help="gets ffmpeg.mkv, far/, meeting.png, facts.json and logs")
    parser.add_argument("clip", type=Path, help="the camera")
    parser.add_argument("persona")
    parser.add_argument("--pictures", type=int, default=150, help="that each reader takes")
    parser.add_argument("--seconds", type=float, default=240, help="each reader's limit")
    options = parser.parse_args()
    try:
        facts = watch(options.out, options.clip, options.persona, options.pictures, options.seconds)
    except (MeetingError, ObsError, OSError, subprocess.SubprocessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    (options.out / "facts.json").write_text(json.dumps(facts, indent=1))
    return 0


def watch(out: Path, clip: Path, persona: str, pictures: int, seconds: float) -> dict[str, Any]:
    """Both readers, one after the other, while OBS runs; what was seen beside the pictures.

    Raises
    ------
    ObsError, MeetingError, subprocess.SubprocessError
        OBS, Chromium or ffmpeg did not do it.
    """
    ours = obs_config.Filter(settings={"persona": persona, "device": "cpu"})
    camera = obs_config.media(CAMERA, clip, [ours])
    scene = obs_config.Scene("Scene", [obs_config.Item(CAMERA, stretch=SIZE)])
    collection = obs_config.Collection("FaceLive", [camera], [scene], [SCRIPT])
    with ObsSession(
        Path("/tmp/obs"),
        [collection],
        video=obs_config.Video(*SIZE, fps=FPS),
        env={"FACELIVE_HOME": str(Home.find().root)},
        options=["--startvirtualcam", "--websocket_ipv4_only"],  # the guest knows no IPv6
        start_seconds=240,
    ) as obs:
        try:
            told = _read(obs, out, pictures, seconds)
            log = obs.quit(60)
        finally:
            (out / "obs.log").write_text(obs.log())
    return {
        "obs_version": next(line for line in log.splitlines() if "OBS " in line).partition("OBS ")[2],
        "chromium": _said("chromium", "--version").strip(),
        "ffmpeg": _said("ffmpeg", "-version").split(" Copyright")[0],
        **told,
    }


def _read(obs: ObsSession, out: Path, pictures: int, seconds: float) -> dict[str, Any]:
    """The camera by its names, the filter's statuses, what the page said, what a frame costs in more and more views."""

    def live(status: dict[str, Any]) -> bool:
        return bool(status["state"] == "live" and status["frames_swapped"] > 5)

    def look() -> None:
        x, y, width, height = WINDOW
        with Desktop(obs.display) as desktop:
            cv2.imwrite(str(out / "meeting.png"), desktop.picture()[y : y + height, x : x + width])

    def bare() -> None:
        statuses["after"] = obs.wait_status("any status", bool)
        obs.client.set_source_filter_settings(CAMERA, "FaceLive", {"swap": False, "privacy": False}, True)
        obs.wait_status("the bare camera, as asked", lambda status: status["state"] == "bypass")

    statuses = {"before": obs.wait_status("swapped pictures", live, seconds=seconds)}
    listed, described = _said("v4l2-ctl", "--list-devices"), _said("v4l2-ctl", "-d", DEVICE, "--all")
    _ffmpeg(out / "ffmpeg.mkv", pictures, seconds)
    env = obs_config.environment(Path("/tmp/chromium"), obs.display)
    page = hold(out, obs.display, env, pictures + BARE, seconds, {pictures // 2: look, pictures - 1: bare})
    _ffmpeg(out / "bare.mkv", BARE, seconds)
    obs.client.set_source_filter_settings(CAMERA, "FaceLive", {"swap": True, "privacy": True}, True)
    obs.wait_status("the swapped face again", lambda status: status["state"] == "live", seconds=seconds)
    drawn = views.watch(obs, CAMERA, "Scene")
    return {"listed": listed, "described": described, "page": page, "status": statuses, "views": drawn}


def _ffmpeg(out: Path, pictures: int, seconds: float) -> None:
    """Writes the camera's pictures as they are: not coded."""
    reader = ["ffmpeg", "-hide_banner", "-loglevel", "warning", "-y", "-f", "v4l2", "-i", DEVICE]
    how = ["-frames:v", str(pictures), "-fps_mode", "passthrough", "-c:v", "copy", str(out)]
    subprocess.run([*reader, *how], stdin=subprocess.DEVNULL, check=True, timeout=seconds)


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
