"""FaceLive at its main job, for real: a clip as the camera of a real OBS, the filter on it, recorded by OBS itself.

    python -m tools.demo [--seconds 10]     writes demo/obs.mp4 and demo/before_after.png, ends with one line of JSON
    python -m tools.demo --live             opens OBS for a person to play with

OBS runs with a configuration of its own, never the user's. Nobody in the clip or among the personas exists.

Every figure is a difference over the recording: ``frames_rendered`` and ``frames_lagged`` are OBS's, ``frames_with_face``,
``frames_swapped`` and ``raw_frames_shown`` the filter's own counters. The recording is then compared with the clip, picture by
picture: see `tools.recording`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import obs_facelive
from obs_facelive.home import Home
from obs_facelive.video import VideoError
from tools import obs_config
from tools.obs_session import ObsError, ObsSession
from tools.recording import compare, contact_sheet, remux
from tools.virtual_display import DisplayError
from tools.waiting import wait_for

CAMERA = "camera"
WITH_PREVIEW = obs_config.Video(preview=True)
LEAST_SWAPPED = 0.95
"""Of the frames in which the engine found a face."""
SCRIPT = Path(obs_facelive.__file__).parent / "script" / "facelive.py"
"""FaceLive's script, as a person adds it."""


class DemoError(Exception):
    """The demo did not show what it should; the text says what was seen instead."""


def main() -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description=__doc__.partition("\n")[0])
    parser.add_argument("--live", action="store_true", help="open OBS and leave it to you")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of the recording (default: 10)")
    options = parser.parse_args()
    home = Home.find()
    clip = home.root / "demo" / "camera.mp4"
    try:
        if not clip.is_file() or not home.persona_names():
            raise DemoError(f"the clip {clip} or the personas are missing: run 'python3 install.py demo'")
        if options.live:
            live(home, clip)
        else:
            print(json.dumps(demo(home, clip, Path("demo"), options.seconds)))
    except (DemoError, DisplayError, ObsError, TimeoutError, VideoError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def collection(clip: Path) -> obs_config.Collection:
    """One scene with the clip as its camera and the filter on it, all settings at their defaults."""
    camera = obs_config.media(CAMERA, clip, [obs_config.Filter()])
    return obs_config.Collection("FaceLive", [camera], [obs_config.Scene("Scene", [obs_config.Item(CAMERA)])], [SCRIPT])


def env(home: Home) -> dict[str, str]:
    """What OBS must be told about where FaceLive is."""
    return {"FACELIVE_HOME": str(home.root)}


def live(home: Home, clip: Path) -> None:
    """OBS on the person's own screen until it is closed. Raises `DemoError` where there is no screen."""
    display = os.environ.get("DISPLAY")
    if not display:
        raise DemoError("--live needs a display (DISPLAY is not set); without --live the demo brings its own")
    with (
        tempfile.TemporaryDirectory(prefix="facelive-") as folder,
        ObsSession(Path(folder), [collection(clip)], video=WITH_PREVIEW, env=env(home), display=display) as obs,
    ):
        say("OBS is open. Right-click the camera, Filters, FaceLive. The demo ends when you close OBS.")
        obs.process.wait()


def demo(home: Home, clip: Path, out: Path, seconds: float) -> dict[str, Any]:
    """Records and judges. Raises `DemoError` where the face was not swapped, or was seen bare."""
    out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="facelive-") as folder:
        say("OBS starts ...")
        with ObsSession(Path(folder), [collection(clip)], env=env(home)) as obs:
            obs.wait_status("the filter to be live", lambda status: status["state"] == "live", seconds=90)
            say(f"The filter is live. OBS records {seconds:.0f} seconds ...")
            figures, recording = record(obs, seconds)
            obs.quit()
        say("The recording is compared with the clip ...")
        remux(recording, out / "obs.mp4")
    judge(figures)
    pairs = compare(home, clip, out / "obs.mp4")
    contact_sheet(clip, out / "obs.mp4", pairs, out / "before_after.png")
    wrong = [pair for pair in pairs if not pair.swapped]
    if wrong:
        raise DemoError(f"{len(wrong)} of {len(pairs)} recorded pictures are wrong; the first: {wrong[0]}")
    say(f"Wrote {out / 'obs.mp4'} and {out / 'before_after.png'}; all {len(pairs)} pictures show the persona.")
    return figures


def record(obs: ObsSession, seconds: float) -> tuple[dict[str, Any], Path]:
    """What happened while OBS recorded for ``seconds``, and the recording."""
    delays: dict[int, float] = {}

    def recorded() -> bool:
        status = filter_status(obs)
        delays[status["results"]] = status["added_delay_ms"]
        return bool(obs.client.get_record_status().output_duration >= seconds * 1000)

    obs.start_recording()
    before = _counters(obs)
    wait_for("the recording", recorded, seconds + 120)
    after = _counters(obs)
    path = obs.stop_recording()
    spent = {name: after[name] - before[name] for name in after}
    status = filter_status(obs)
    p50, p95 = np.percentile(list(delays.values()), [50, 95])
    figures = {
        "obs_version": obs.client.get_version().obs_version,
        "width": status["width"],
        "height": status["height"],
        "obs_fps": round((spent["total"] - spent["lagged"]) / spent["time"], 1),
        "frames_rendered": spent["total"] - spent["lagged"],
        "frames_lagged": spent["lagged"],
        "engine_fps": round(spent["results"] / spent["time"], 1),
        "added_delay_ms_p50": round(float(p50), 1),
        "added_delay_ms_p95": round(float(p95), 1),
        "frames_with_face": spent["frames_with_face"],
        "frames_swapped": spent["frames_swapped"],
        "raw_frames_shown": spent["raw_frames_shown"],
        "provider": status["provider"],
    }
    return figures, path


def judge(figures: dict[str, Any]) -> None:
    """Raises `DemoError` where the filter's own counters say that it failed."""
    faces, swapped, bare = (figures[key] for key in ("frames_with_face", "frames_swapped", "raw_frames_shown"))
    if bare:
        raise DemoError(f"{bare} bare frames were shown: {json.dumps(figures)}")
    if not faces or swapped < LEAST_SWAPPED * faces:
        raise DemoError(f"only {swapped} of {faces} frames with a face were swapped: {json.dumps(figures)}")


def filter_status(obs: ObsSession) -> dict[str, Any]:
    """See `obs_facelive.obs.status.status`. Raises `DemoError` if the filter has gone."""
    status = obs.status()
    if status is None:
        raise DemoError("the filter has gone")
    return status


def _counters(obs: ObsSession) -> dict[str, Any]:
    status, stats = filter_status(obs), obs.client.get_stats()
    names = ("results", "frames_with_face", "frames_swapped", "raw_frames_shown")
    totals = {"total": stats.render_total_frames, "lagged": stats.render_skipped_frames}
    return {"time": time.monotonic(), **totals, **{name: status[name] for name in names}}


def say(text: str) -> None:
    """A line for the person; the last line of standard output is the figures'."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
