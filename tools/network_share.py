"""How much of a frame's time are the networks: everything else is what FaceLive costs on top.

    python -m tools.network_share [--engine inswapper_128.onnx] [--width 1.0] [--frames 40] [--json]

The engine is a stand-in (`tools.stand_ins`) in a home of its own; the frames are the demo clip's, at 720p and 1080p. Frame time
(look, swap, merge, one after the other) divided by the time inside ONNX Runtime, whatever network it is. Ratio 1: free.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import onnxruntime as ort

from obs_facelive.brought import add_model
from obs_facelive.engine.stages import Stages
from obs_facelive.frame import Frame
from obs_facelive.home import Home
from obs_facelive.settings import Settings
from tools.stand_ins.build import write

SIZES = {"720p": (1280, 720), "1080p": (1920, 1080)}
WARM_UP = 5


class Inside:
    """Seconds spent inside ONNX Runtime."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Counts all sessions' runs meanwhile."""
        original = ort.InferenceSession.run

        def run(session: Any, *arguments: Any, **named: Any) -> Any:
            start = time.perf_counter()
            try:
                return original(session, *arguments, **named)
            finally:
                self.seconds += time.perf_counter() - start

        ort.InferenceSession.run = run
        try:
            yield
        finally:
            ort.InferenceSession.run = original


def home_with_networks(home: Home, root: Path, files: list[str], width: float) -> Home:
    """A home that has the personas and models of ``home``, and stand-ins besides."""
    other = Home(root)
    other.root.mkdir(parents=True, exist_ok=True)
    for name in ("personas", "env", "cache"):
        (other.root / name).symlink_to((home.root / name).resolve())
    shutil.copytree(home.models, other.models)
    for file in files:
        add_model(other, write(root / "networks", file, width))
    return other


def frames(clip: Path, count: int, size: tuple[int, int]) -> Iterator[Frame]:
    """The clip's first frames at that size."""
    with av.open(clip) as container:
        for number, picture in enumerate(container.decode(video=0)):
            if number == count:
                return
            pixels = cv2.resize(picture.to_ndarray(format="bgra"), size, interpolation=cv2.INTER_AREA)
            yield Frame(np.asarray(pixels, np.uint8), number, number / 30)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", default="inswapper_128.onnx")
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    home, found = Home.find(), {}
    with tempfile.TemporaryDirectory() as folder:
        networks = [options.engine, "w600k_r50.onnx"]
        other = home_with_networks(home, Path(folder) / "home", networks, options.width)
        for name, size in SIZES.items():
            settings = Settings(engine=options.engine, device="cpu")
            pipeline, inside = Stages(other).pipeline(settings), Inside()
            whole, swapped = 0.0, 0
            for frame in frames(home.root / "demo" / "camera.mp4", options.frames + WARM_UP, size):
                if frame.id < WARM_UP:
                    pipeline.process(frame, settings)
                    continue
                with inside.measured():
                    start = time.perf_counter()
                    swapped += bool(pipeline.process(frame, settings).patches)
                    whole += time.perf_counter() - start
            found[name] = {
                "frame_ms": round(whole / options.frames * 1000, 2),
                "networks_ms": round(inside.seconds / options.frames * 1000, 2),
                "ratio": round(whole / inside.seconds, 3),
                "swapped": swapped,
                "stages_ms": {stage: round(ms, 2) for stage, ms in pipeline.stages_ms.items()},
            }
    if options.json:
        print(json.dumps(found))
    else:
        for name, row in found.items():
            print(
                f"{name}: {row['frame_ms']} ms a frame, {row['networks_ms']} in networks: {row['ratio']}; {row['stages_ms']}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
