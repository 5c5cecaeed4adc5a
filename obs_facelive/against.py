"""``facelive bench --against insightface``: how long a frame takes here and there, with the same network, and how it looks.

Same networks (one session, which both sides use), frames, machine, run; frame by frame in turn. insightface's side is what its
examples do with each frame: `FaceAnalysis.get` (detector, then recogniser) and `INSwapper.get` with ``paste_back``. Ours is the
whole pipeline as it runs live, badge and mark and all.

Without a detector's file (SCRFD, such as det_10g.onnx) insightface is given the face that we found, and finding costs it
nothing. It is given BGR, as it wants it; what OBS gives has four channels.
"""

from __future__ import annotations

import contextlib
import io
import os
import platform
import statistics
import time
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

from obs_facelive.bench import BenchError
from obs_facelive.brought import find_kind, list_models
from obs_facelive.catalog import ModelError
from obs_facelive.contracts import Matched, load_contracts, match
from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.engine.swappers import NETWORKS_SUIT
from obs_facelive.frame import Face, Floats, Frame, Pixels
from obs_facelive.geometry import box_of
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
from obs_facelive.timed import LastFrame, Timed, Times
from obs_facelive.topology import load_canonical_face
from obs_facelive.video import VideoError, read_frames
from obs_facelive.view import compose

INSWAPPER = "inswapper"
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

    def process(self, picture: Pixels, five: Floats, person: TheirFace) -> tuple[Times, Pixels]:
        """The times of a (h, w, 3) BGR ``picture`` with those ``five`` points, and the swapped picture."""
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
        swapped = self._swapper.get(picture, face, person, paste_back=True)
        whole = _since(began)
        times[NETWORK] = swapper.taken()
        # Once more with the network's answer at hand, to tell what comes before the pasting.
        swapper.replaying = True
        began = time.perf_counter()
        self._swapper.get(picture, face, person, paste_back=False)
        times[AROUND] = _since(began)
        swapper.replaying = False
        times[PASTE] = whole - times[NETWORK] - times[AROUND]
        return times, np.asarray(swapped, np.uint8)


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

    def process(self, frame: Frame) -> tuple[Times, list[Face], Pixels]:
        """The times of ``frame``, the faces that were swapped in it, and the swapped picture, (h, w, 3) BGR."""
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
        return times, [] if outcome.turned else outcome.faces, compose(frame, outcome.patches)[..., :3]


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1e3


def networks(home: Home, swapper: Path | None, recogniser: Path | None, detector: Path | None) -> Networks:
    """The files that are named; else the inswapper and the recogniser that the person added. Raises `BenchError`."""
    try:
        if swapper is None:
            added = [model for model in list_models(home) if model.contract == INSWAPPER]
            if not added:
                raise BenchError(
                    "insightface runs inswapper, and none was added yet: 'facelive model add inswapper_128.onnx'"
                )
            swapper = added[0].path
        return Networks(swapper, recogniser or find_kind(home, "recogniser").path, detector)
    except ModelError as error:
        raise BenchError(str(error)) from error


def _matched(path: Path, content: bytes) -> Matched:
    found = match(read_graph(content), content, [each for each in load_contracts() if each.name == INSWAPPER])
    if not found:
        raise BenchError(f"{path} is no inswapper, which is the only swapper that insightface runs")
    return found[0]


@dataclass(frozen=True)
class Pictures:
    """One frame as the camera gave it, and as both sides swap it: (h, w, 3) BGR; x0 y0 x1 y1 around the face."""

    camera: Pixels
    theirs: Pixels
    ours: Pixels
    box: Floats


def measure(
    home: Home, clip: Path, files: Networks, frames: int, device: Device, threads: int
) -> tuple[dict[str, Any], Pictures]:
    """Medians over ``frames`` frames of ``clip`` with one face, and the last of them. Raises `BenchError`."""
    try:
        return _measured(home, clip, files, frames, device, threads)
    except (ModelError, VideoError, OSError, ValueError) as error:
        raise BenchError(str(error)) from error


def _measured(
    home: Home, clip: Path, files: Networks, frames: int, device: Device, threads: int
) -> tuple[dict[str, Any], Pictures]:
    swapper = Timed(open_session(files.swapper, device, threads))
    recogniser = Timed(open_session(files.recogniser, device, threads))
    content = files.swapper.read_bytes()
    contract = _matched(files.swapper, content)
    embedding = np.asarray(np.random.default_rng(6).standard_normal(512), np.float32)  # somebody
    source = latent(embedding, contract.contract.identity, last_initializer(content))
    del content
    theirs, ours = Theirs(files, swapper, recogniser), Ours(home, swapper, contract, source)
    person = TheirFace(embedding=embedding)
    rows: list[tuple[Times, Times]] = []
    heights: list[float] = []
    shown: Pictures | None = None
    for frame in _frames(clip):
        our_times, faces, ours_shown = ours.process(frame)
        if len(faces) != 1:
            continue
        picture = np.ascontiguousarray(frame.pixels[..., :3])
        their_times, theirs_shown = theirs.process(picture, five_points(faces[0].points), person)
        rows.append((their_times, our_times))
        heights.append(float(np.ptp(faces[0].points[:, 1])))
        shown = Pictures(picture, theirs_shown, ours_shown, box_of(faces[0].points))
        if len(rows) == WARM_UP + frames:
            break
    if len(rows) <= WARM_UP or shown is None:
        raise BenchError(f"{clip} has too few frames with one face")
    their_ms, our_ms = (_medians([pair[side] for pair in rows[WARM_UP:]]) for side in (0, 1))
    their_sum, our_sum = sum(their_ms.values()), sum(our_ms.values())
    result = {
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
    return result, shown


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
