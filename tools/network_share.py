"""How much of a frame's time are the networks: everything else is what FaceLive costs on top.

    python -m tools.network_share [--engine inswapper_128.onnx|saehd_224.dfm|mesh] [--enhancer GFPGANv1.4.onnx] [--width 1.0]
        [--frames 40] [--json]

Engine and enhancer are stand-ins (`tools.stand_ins`) in a home of their own; the frames are the demo clip's, at 720p and 1080p.
Frame time (look, swap, merge, one after the other) divided by the time inside ONNX Runtime, whatever network. Ratio 1: free.
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
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import cv2
import msgspec
import numpy as np
import onnxruntime as ort

from obs_facelive.brought import add_model, find_model
from obs_facelive.engine.stages import Stages
from obs_facelive.frame import Frame
from obs_facelive.home import Home
from obs_facelive.personas.consent import stated
from obs_facelive.personas.library import Persona, load_persona
from obs_facelive.settings import MESH, Settings
from tools.stand_ins.build import STAND_INS, write

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


def worn(home: Home, settings: Settings) -> Persona:
    """The first persona; for a ``.dfm`` said to be somebody whose face that is, who allowed this."""
    persona = load_persona(Stages(home).persona_folder(settings.persona))
    if not settings.engine.endswith(".dfm"):
        return persona
    trained = find_model(home, settings.engine).sha256
    info = msgspec.structs.replace(persona.info, kind="granted", origin="photo", trained=trained)
    return replace(persona, info=info, consent=stated(info, by="nobody", purpose="measuring"))


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=[*STAND_INS, MESH], default="inswapper_128.onnx")
    parser.add_argument("--enhancer", choices=list(STAND_INS), default="")
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    home, found = Home.find(), {}
    with tempfile.TemporaryDirectory() as folder:
        wanted = {options.engine, options.enhancer, *([] if options.engine.endswith(".dfm") else ["w600k_r50.onnx"])}
        networks = [file for file in STAND_INS if file in wanted]
        other = home_with_networks(home, Path(folder) / "home", networks, options.width)
        for name, size in SIZES.items():
            settings = Settings(engine=options.engine, enhancer=options.enhancer, device="cpu")
            pipeline, inside = Stages(other).pipeline(settings, worn(other, settings)), Inside()
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
                "problem": pipeline.enhancing.problem if pipeline.enhancing else "",
                "stages_ms": {stage: round(ms, 2) for stage, ms in pipeline.stages_ms.items()},
            }
    if options.json:
        print(json.dumps(found))
    else:
        for name, row in found.items():
            print(
                f"{name}: {row['frame_ms']} ms a frame, {row['networks_ms']} in networks: {row['ratio']}; {row['stages_ms']} "
                f"{row['problem']}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
