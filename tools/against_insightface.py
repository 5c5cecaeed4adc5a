"""How long a frame takes here and in insightface, with the same network: ``python -m tools.against_insightface [--json FILE]``.

Same networks (one session, which both sides use), frames, machine, run; frame by frame in turn. insightface's side is what its
examples do with each frame: `FaceAnalysis.get` (detector, then recogniser) and `INSwapper.get` with ``paste_back``. Ours is the
whole pipeline as it runs live, badge and mark and all. The stand-in networks have as many weights as the real ones.

Without ``--detector`` (an SCRFD file, such as det_10g.onnx) insightface is given the face that we found, and finding costs it
nothing. It is given BGR, as it wants it; what OBS gives has four channels.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import platform
import statistics
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import insightface
import numpy as np
import onnxruntime as ort
from insightface import model_zoo
from insightface.app.common import Face as TheirFace
from insightface.model_zoo.arcface_onnx import ArcFaceONNX
from insightface.model_zoo.inswapper import INSwapper

from obs_facelive.contracts import Matched, load_contracts, match
from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.engine.swappers import NETWORKS_SUIT
from obs_facelive.frame import Face, Floats, Frame, Pixels
from obs_facelive.home import Home
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.mask.occlusion import Occlusion
from obs_facelive.merge.blend import Blend
from obs_facelive.pipeline import Pipeline
from obs_facelive.runtime.graph import last_initializer, read_graph
from obs_facelive.runtime.providers import Device
from obs_facelive.runtime.session import open_session
from obs_facelive.settings import Settings
from obs_facelive.swap.align import five_points
from obs_facelive.swap.aligned import AlignedSwapper
from obs_facelive.swap.photo import PhotoNetwork, latent
from obs_facelive.topology import load_canonical_face
from obs_facelive.video import read_frames
from tools.stand_ins.build import write
from tools.timed import LastFrame, Timed, Times

WARM_UP = 3
CPU = ["CPUExecutionProvider"]
NETWORK = "swap: network"
AROUND = "swap: crop, input, output"
PASTE = "lay into the frame"
SAME_WORK = AROUND, PASTE
"""What both sides have to do around the network. Ours warps the answer back into the frame in the former's time."""
OURS = {"detect": "find faces", "track": "find faces", "landmarks": "find faces", "swap": AROUND, "merge": PASTE}
"""Our stage → its row; others have a row of their own."""


@dataclass(frozen=True)
class Networks:
    """The files."""

    swapper: Path
    recogniser: Path
    detector: Path | None


class Theirs:
    """A frame as insightface's examples treat it."""

    def __init__(self, files: Networks, swapper: Timed, recogniser: Timed) -> None:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints
            self._swapper = INSwapper(str(files.swapper), swapper)
            self._recogniser = ArcFaceONNX(str(files.recogniser), recogniser)
            self._detector = model_zoo.get_model(str(files.detector), providers=CPU) if files.detector else None
        if self._detector:
            self._detector.prepare(-1, input_size=(640, 640), det_thresh=0.5)  # as FaceAnalysis.prepare
        self._sessions = swapper, recogniser

    def process(self, picture: Pixels, five: Floats, person: TheirFace) -> Times:
        """The times of a (h, w, 3) BGR ``picture`` with those ``five`` points."""
        swapper, recogniser = self._sessions
        times: Times = {}
        began = time.perf_counter()
        if self._detector:
            self._detector.detect(picture)
            times["find faces"] = _since(began)
        face = TheirFace(kps=five)
        began = time.perf_counter()
        self._recogniser.get(picture, face)
        times["recognise faces"] = _since(began)
        recogniser.taken()
        began = time.perf_counter()
        self._swapper.get(picture, face, person, paste_back=True)
        whole = _since(began)
        times[NETWORK] = swapper.taken()
        # Once more with the network's answer at hand, to tell what comes before the pasting.
        swapper.replaying = True
        began = time.perf_counter()
        self._swapper.get(picture, face, person, paste_back=False)
        times[AROUND] = _since(began)
        swapper.replaying = False
        times[PASTE] = whole - times[NETWORK] - times[AROUND]
        return times


class Ours:
    """A frame as it goes through the engine."""

    def __init__(self, home: Home, session: Timed, matched: Matched, source: Floats) -> None:
        canonical = load_canonical_face(home.models)
        self._session = session
        self._pipeline = Pipeline(
            BlazeFace(home.models),
            FaceMesh(home.models),
            AlignedSwapper(PhotoNetwork(session, matched, source)),
            Blend(canonical),
            canonical,
            Occlusion(home.models, canonical, "cpu"),
            suits=NETWORKS_SUIT,
        )
        self._watch = LastFrame()
        self._pipeline.watches = (self._watch,) * 4

    def process(self, frame: Frame) -> tuple[Times, list[Face]]:
        """The times of ``frame``, and the faces that were swapped in it."""
        self._watch.last.clear()
        began = time.perf_counter()
        outcome = self._pipeline.process(frame, Settings())
        whole = _since(began)
        stages = dict(self._watch.last)
        network = self._session.taken()
        times: Times = {NETWORK: network}
        for stage, ms in stages.items():
            row = OURS.get(stage, stage)
            times[row] = times.get(row, 0.0) + ms - (network if stage == "swap" else 0)
        times["badge and the rest"] = whole - sum(stages.values())
        return times, [] if outcome.turned else outcome.faces


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1e3


def matched(path: Path, kind: str) -> tuple[Matched, bytes]:
    """The contract that the file at ``path`` keeps, of that ``kind``, and its content."""
    content = path.read_bytes()
    found = [each for each in match(read_graph(content), content, load_contracts()) if each.contract.kind == kind]
    if not found:
        raise SystemExit(f"{path} is no {kind}")
    return found[0], content


def measure(home: Home, clip: Path, files: Networks, frames: int, device: Device, threads: int) -> dict[str, Any]:
    """Medians over ``frames`` frames of ``clip`` with one face."""
    swapper = Timed(open_session(files.swapper, device, threads))
    recogniser = Timed(open_session(files.recogniser, device, threads))
    contract, content = matched(files.swapper, "swapper")
    embedding = np.asarray(np.random.default_rng(6).standard_normal(512), np.float32)  # somebody
    source = latent(embedding, contract.contract.identity, last_initializer(content))
    del content
    theirs, ours = Theirs(files, swapper, recogniser), Ours(home, swapper, contract, source)
    person = TheirFace(embedding=embedding)
    rows: list[tuple[Times, Times]] = []
    heights: list[float] = []
    for frame in _frames(clip):
        our_times, faces = ours.process(frame)
        if len(faces) != 1:
            continue
        picture = np.ascontiguousarray(frame.pixels[..., :3])
        rows.append((theirs.process(picture, five_points(faces[0].points), person), our_times))
        heights.append(float(np.ptp(faces[0].points[:, 1])))
        if len(rows) == WARM_UP + frames:
            break
    if len(rows) <= WARM_UP:
        raise SystemExit(f"{clip} has too few frames with one face")
    their_ms, our_ms = (_medians([pair[side] for pair in rows[WARM_UP:]]) for side in (0, 1))
    their_sum, our_sum = sum(their_ms.values()), sum(our_ms.values())
    return {
        "insightface_ms": their_ms,
        "facelive_ms": our_ms,
        "frame_ms": {"insightface": round(their_sum, 3), "facelive": round(our_sum, 3)},
        "ratio": {
            "frame": round(our_sum / their_sum, 3),
            "without_network": round((our_sum - our_ms[NETWORK]) / (their_sum - their_ms[NETWORK]), 3),
            "same_work": round(_part(our_ms) / _part(their_ms), 3),
        },
        "frames": len(rows) - WARM_UP,
        "size": [frame.width, frame.height],
        "face_px": round(statistics.median(heights)),
        "swapper": f"{files.swapper.name}, {files.swapper.stat().st_size / 1e6:.1f} MB",
        "recogniser": f"{files.recogniser.name}, {files.recogniser.stat().st_size / 1e6:.1f} MB",
        "detector": files.detector.name if files.detector else None,
        "device": device,
        "threads": threads,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.platform()}",
        "versions": {"insightface": insightface.__version__, "onnxruntime": ort.__version__, "opencv": cv2.__version__},
    }


def _frames(clip: Path) -> Iterator[Frame]:
    """The clip's frames, over and over in time."""
    start = 0.0
    while True:
        last = start
        for frame in read_frames(clip):
            last = start + frame.time
            yield Frame(frame.pixels, frame.id, last)
        if last == start:
            return
        start = last + 1 / 30


def _part(ms: Times) -> float:
    return sum(ms[row] for row in SAME_WORK)


def _medians(frames: list[Times]) -> Times:
    """Stage → median milliseconds; one that runs in some frames only counts with its mean."""
    found: Times = {}
    for row in dict.fromkeys(stage for times in frames for stage in times):
        values = [times.get(row, 0.0) for times in frames]
        middle = statistics.median if all(row in times for times in frames) else statistics.fmean
        found[row] = round(float(middle(values)), 3)
    return found


def table(result: dict[str, Any]) -> str:
    """``result`` for people."""
    theirs, ours = result["insightface_ms"], result["facelive_ms"]
    lines = [f"{'ms a frame':32}{'insightface':>12}{'FaceLive':>12}{'ratio':>8}"]
    for row in dict.fromkeys([*theirs, *ours]):
        one, other = theirs.get(row), ours.get(row)
        cells = "".join(f"{ms:12.2f}" if ms is not None else f"{'-':>12}" for ms in (one, other))
        lines.append(f"{row:32}{cells}" + (f"{other / one:8.2f}" if one and other is not None else ""))
    frame, ratio = result["frame_ms"], result["ratio"]
    lines.append(f"{'together':32}{frame['insightface']:12.2f}{frame['facelive']:12.2f}{ratio['frame']:8.2f}")
    lines.append(f"without the swapper's network, ratio {ratio['without_network']:.2f}")
    lines.append(f"crop, input, output and pasting, ratio {ratio['same_work']:.2f}")
    if not result["detector"]:
        lines.append("insightface was given the face: no --detector")
    lines.append(
        f"{result['frames']} frames of {result['size'][0]}x{result['size'][1]}, face {result['face_px']} pixels high; "
        f"{result['swapper']}; {result['device']}, {result['threads']} threads; {result['machine']}"
    )
    return "\n".join(lines)


def main() -> None:
    """The command."""
    home = Home.find()
    parser = argparse.ArgumentParser(prog="python -m tools.against_insightface", description=__doc__)
    parser.add_argument("--swapper", type=Path, help="an inswapper file (else a stand-in)")
    parser.add_argument("--recogniser", type=Path, help="an ArcFace file (else a stand-in)")
    parser.add_argument("--detector", type=Path, help="an SCRFD file, for insightface's side")
    parser.add_argument("--width", type=float, default=1.0, help="of the stand-ins, see tools.stand_ins")
    parser.add_argument("--clip", type=Path, default=home.root / "demo" / "camera.mp4", help="a clip with one face")
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--device", default="cpu", choices=["auto", "cpu", "cuda", "directml", "coreml"])
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of the two networks")
    parser.add_argument("--json", type=Path, help="the figures go there, too")
    choice = parser.parse_args()
    warnings.filterwarnings("ignore", category=FutureWarning, module="insightface")
    with tempfile.TemporaryDirectory() as folder:
        files = Networks(
            choice.swapper or write(Path(folder), "inswapper_128.onnx", choice.width),
            choice.recogniser or write(Path(folder), "w600k_r50.onnx", choice.width),
            choice.detector,
        )
        result = measure(home, choice.clip, files, choice.frames, choice.device, choice.threads)
    print(table(result))
    if choice.json:
        choice.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
