"""How often OBS draws the filter in one frame, and how often the filter works for it, while more and more views are open.

    python -m tools.views [--clip CLIP]

A real OBS shows the demo's clip in its preview; then in studio mode (program and preview), then in projectors, too. Each view
calls ``video_render``. Reading the picture back, giving it to the engine and putting its patches on happen once a frame however
many there are: the counters say so.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import obs_facelive
from obs_facelive.home import Home
from tools import obs_config
from tools.in_obs import command
from tools.obs_session import ObsSession

COUNTED = ("frames_begun", "frames_rendered", "frames_captured", "frames_sent", "results")
FRAMES = 50
"""Of OBS, that are counted with each set of views."""
ONE_FRAME = 1.5 / FRAMES
"""As a share of them: counters are not read at one moment."""


def watch(obs: ObsSession, source: str, other_scene: str, *, name: str = "FaceLive") -> dict[str, dict[str, float]]:
    """Opens one more view after the other: what is open → counters a frame of OBS (see `COUNTED`).

    The counters are not read at one moment: a frame more or less of `FRAMES` is none. ``source`` is shown by the program
    and by ``other_scene``; ``name`` is the filter's. Raises `ObsError`.
    """

    def studio() -> None:
        obs.client.set_studio_mode_enabled(True)
        obs.client.set_current_preview_scene(other_scene)

    steps: dict[str, Callable[[], object]] = {
        "one view": lambda: None,
        "studio mode": studio,
        "and a projector of the source": lambda: obs.client.send("OpenSourceProjector", {"sourceName": source}),
        "and one of all scenes": lambda: obs.client.send(
            "OpenVideoMixProjector", {"videoMixType": "OBS_WEBSOCKET_VIDEO_MIX_TYPE_MULTIVIEW"}
        ),
    }
    seen = {}
    for step, open_view in steps.items():
        open_view()
        # The views that were there before are not counted with the new one.
        first = obs.wait_status("the view", _begun(5, obs.wait_status("a status", bool, name=name)), name=name)
        last = obs.wait_status("frames", _begun(FRAMES, first), name=name, seconds=120)
        change = {key: last[key] - first[key] for key in COUNTED}
        seen[step] = {key: round(change[key] / change["frames_begun"], 2) for key in COUNTED[1:]}
    return seen


def _begun(frames: int, status: dict[str, Any]) -> Callable[[dict[str, Any]], bool]:
    return lambda now: bool(now["frames_begun"] >= status["frames_begun"] + frames)


def measure(home: Home, clip: Path) -> dict[str, dict[str, float]]:
    """See `watch`; an OBS of its own, with ``clip`` as the camera. Raises `ObsError`."""
    script = Path(obs_facelive.__file__).parent / "script" / "facelive.py"
    scenes = [obs_config.Scene(name, [obs_config.Item("camera")]) for name in ("Scene", "Other")]
    camera = obs_config.media("camera", clip, [obs_config.Filter()])
    collection = obs_config.Collection("FaceLive", [camera], scenes, [script])
    # Few frames a second: without a GPU each view costs as much as the scene.
    video = obs_config.Video(fps=10, preview=True)
    with tempfile.TemporaryDirectory(prefix="facelive-") as folder:
        env = {"FACELIVE_HOME": str(home.root)}
        with ObsSession(Path(folder), [collection], video=video, env=env) as obs:
            obs.wait_status("the filter to be live", lambda status: status["state"] == "live", seconds=90)
            seen = watch(obs, "camera", "Other")
            obs.quit()
    return seen


if __name__ == "__main__":
    sys.exit(command("views", "What one frame costs in several views.", measure))
