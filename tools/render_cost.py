"""What the filter's render callback costs OBS's graphics thread, against OBS's own filter "Render Delay".

    python -m tools.render_cost

A real OBS with an isolated configuration plays the demo's clip in three scenes: as it is ("plain"), with Render Delay
("native"), with the FaceLive filter in state LIVE ("facelive"). Both filters render their target into a texture of a ring
and draw an older texture, so Render Delay is what such a filter costs at the least. `tools.render_cost_script` renders the
three by turns, once a frame each, on the graphics thread.

Three figures a scene, medians over the frames, in microseconds:

* ``cpu_us``: CPU time of the graphics thread in ``obs_source_video_render`` (CLOCK_THREAD_CPUTIME_ID). The scene's own
  rendering is part of it for all three.
* ``wall_us``: the same call by the clock on the wall.
* ``drawn_us``: from then until everything that was asked for is drawn.

With a GPU the last is the GPU's time. Without one, Mesa's llvmpipe draws on threads of its own, and later: only when
somebody reads a picture back does the graphics thread wait for them. So there, and only there, our ``wall_us`` holds the
drawing of the target too (``read back`` waits for it), and ``wall_us`` + ``drawn_us`` is what compares; CPU time compares
everywhere.

The ratio is (CPU of facelive - CPU of the extra copies) / CPU of native. The extra copies are what no filter without an
engine does: reading the frame back, copying it into the shared memory, waking the engine, uploading its patches.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import obs_facelive
from obs_facelive.home import Home
from tools import obs_config
from tools.in_obs import command
from tools.obs_session import ObsSession
from tools.waiting import wait_for

EXTRA = ("read back", "copy out", "wake engine", "patches in")
_DELAY = {"delay_ms": 300}
"""Three frames: with less than one Render Delay does nothing at all, with one it draws what it has just rendered."""


def measure(home: Home, clip: Path, samples: int = 200) -> dict[str, Any]:
    """Runs OBS for about half a minute; gives ``render_callback_ratio``, ``ratio_with_copies``, ``kinds`` and ``spans``.

    ``samples``: frames that are measured, ten a second.

    Raises `ObsError` or `TimeoutError` where OBS cannot be run, or the filter does not become live.
    """
    scenes = [obs_config.Scene(name, [obs_config.Item("camera")]) for name in ("plain", "native", "facelive")]
    script = Path(__file__).with_name("render_cost_script.py")
    collection = obs_config.Collection("FaceLive", [obs_config.media("camera", clip)], scenes, [script])
    with tempfile.TemporaryDirectory(prefix="facelive-") as name:
        folder = Path(name)
        env = {
            "FACELIVE_HOME": str(home.root),
            "FACELIVE_RENDER_COST": name,
            "FACELIVE_RENDER_SAMPLES": str(samples),
            "FACELIVE_SCRIPT_FOLDER": str(Path(obs_facelive.__file__).parent / "script"),
        }
        # Ten frames a second: drawing three scenes takes llvmpipe that long.
        with ObsSession(folder, [collection], video=obs_config.Video(fps=10), env=env) as obs:
            obs.client.create_source_filter("native", "Render Delay", "gpu_delay", _DELAY)
            obs.client.create_source_filter("facelive", "FaceLive", obs_config.FILTER_KIND, {})
            obs.wait_status("the filter to be live", lambda status: status["state"] == "live", seconds=90)
            result = folder / "render_cost.json"
            (folder / "begin").touch()
            wait_for("the measurement", result.exists, 120)
            figures: dict[str, Any] = json.loads(result.read_text())
            obs.quit()
    return with_ratios(figures)


def with_ratios(figures: dict[str, Any]) -> dict[str, Any]:
    """The script's ``figures`` and the two ratios."""
    ours, native = (figures["kinds"][kind]["cpu_us"] for kind in ("facelive", "native"))
    extra = sum(figures["spans"][span]["cpu_us"] for span in EXTRA)
    ratios = {
        "render_callback_ratio": round((ours - extra) / native, 2),
        "ratio_with_copies": round(ours / native, 2),
        "copies_us": round(extra, 1),
    }
    return ratios | figures


if __name__ == "__main__":
    sys.exit(command("render_cost", "What the render callback costs.", measure))
