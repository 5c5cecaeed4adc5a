"""``facelive bench``: how fast the embedded engine is on one core, and what everything around its networks costs."""

from __future__ import annotations

import json
import operator
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import onnxruntime as ort
from rich.console import Group
from rich.table import Table

from obs_facelive.catalog import ModelError
from obs_facelive.engine.stages import Stages
from obs_facelive.frame import Frame
from obs_facelive.geometry import box_of
from obs_facelive.home import Home
from obs_facelive.link import layout
from obs_facelive.link.memory import SharedMemory
from obs_facelive.link.obs_end import format_block, send_frame
from obs_facelive.link.ring import EngineEnd
from obs_facelive.personas.errors import PersonaError
from obs_facelive.settings import Settings
from obs_facelive.stopwatch import Stopwatch
from obs_facelive.video import VideoError, read_frames

WIDTH, HEIGHT = 1280, 720
FACE = 300, 450
"""Heights in pixels of the faces that are measured."""
WINDOW = 8
"""Frames that are averaged: the detector runs on one of them, four times a second."""
WARM_UP, WINDOWS = 24, 20
NETWORKS = ("detect", "landmarks", "blendshapes", "occlusion")
SWAPPER = "swap"


class BenchError(Exception):
    """Nothing can be measured; the text says why."""


class Result(msgspec.Struct, frozen=True):
    """What was measured.

    Attributes
    ----------
    mesh_720p_fps_one_core : frames of 1280x720 a second through pipeline and link, on one core
    stages_ms : stage → milliseconds a frame; they add up to one frame
    overhead_ratio : all stages but the networks and the swapper, divided by the networks
    render_callback_ratio : see `tools.render_cost`; None where there is no OBS
    machine : what it was measured on, and how high the face was
    render_callback : the figures behind the ratio, or why there is none (``missing``)
    views : see `tools.views`: how often a frame is drawn and worked on, with more and more views open; or ``missing``
    """

    mesh_720p_fps_one_core: float
    stages_ms: dict[str, float]
    overhead_ratio: float
    render_callback_ratio: float | None
    machine: dict[str, Any]
    render_callback: dict[str, Any]
    views: dict[str, Any]

    def json(self) -> str:
        """One line."""
        return json.dumps(msgspec.structs.asdict(self))


class _Recorder(Stopwatch):
    """Keeps the times of each step, too: stage → milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[dict[str, float]] = []

    def end_frame(self) -> None:
        self.frames.append(dict(self._frame))
        super().end_frame()


def run(home: Home, clip: Path, *, obs: bool = True) -> Result:
    """Measures on the pictures of ``clip``. Takes about ten seconds, and a minute more with ``obs``.

    Raises `BenchError`.
    """
    if not clip.is_file():
        raise BenchError(f"{clip} is missing: run 'python3 install.py demo' first, or name a clip")
    try:
        with one_core():
            stages, face = measure(home, clip)
    except (ModelError, PersonaError) as error:
        raise BenchError(str(error)) from error
    skipped: dict[str, Any] = {"missing": "not asked for"}
    callback = in_obs("render_cost", home, clip) if obs else skipped
    views = in_obs("views", home, clip) if obs else skipped
    networks = sum(stages[name] for name in NETWORKS)
    around = sum(ms for name, ms in stages.items() if name not in (*NETWORKS, SWAPPER))
    return Result(
        mesh_720p_fps_one_core=round(1e3 / sum(stages.values()), 1),
        stages_ms={name: round(ms, 3) for name, ms in stages.items()},
        overhead_ratio=round(around / networks, 3),
        render_callback_ratio=callback.get("render_callback_ratio"),
        machine={**_machine(), "face_px": round(face)},
        render_callback=callback,
        views=views,
    )


@contextmanager
def one_core() -> Iterator[None]:
    """Keeps the calling thread on one core, where the system can be told so; OpenCV starts no threads."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    cores = os.sched_getaffinity(0) if sys.platform == "linux" else set[int]()
    if sys.platform == "linux":
        os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
        if sys.platform == "linux":
            os.sched_setaffinity(0, cores)


def measure(home: Home, clip: Path) -> tuple[dict[str, float], float]:
    """Milliseconds a frame of each stage, medians over windows of frames; and the faces' median height in pixels.

    Every frame goes the way that it goes live: into the shared memory, out of it, through the pipeline, and its patches
    into the shared memory.
    """
    pipeline, settings = Stages(home, "cpu").pipeline(Settings()), Settings()
    recorder = _Recorder()
    pipeline.watches = recorder, recorder, recorder, recorder
    frames: list[dict[str, float]] = []
    heights: list[float] = []
    with _link() as (memory, end):
        for number, frame in enumerate(_frames(clip)):
            data, line = frame.pixels.ctypes.data, frame.pixels.strides[0]
            times = [time.perf_counter()]
            send_frame(memory.address, frame.pixels.nbytes, number, number, data, line, WIDTH, HEIGHT)
            taken = end.take()
            if taken is None:
                raise BenchError("a frame was lost in the shared memory")
            times.append(time.perf_counter())
            recorder.frames.clear()
            outcome = pipeline.process(Frame(taken.pixels, number, frame.time), settings)
            times.append(time.perf_counter())
            end.put(taken, layout.SWAPPED, outcome.patches, len(outcome.faces), 0)
            end.give_back(taken)
            times.append(time.perf_counter())
            if not outcome.faces:
                continue
            into, inside, out = np.diff(times) * 1e3
            ms: dict[str, float] = reduce(operator.or_, recorder.frames, {})
            frames.append(ms | {"link": into + out, "patches": inside - sum(ms.values())})
            box = box_of(outcome.faces[0].points)
            heights.append(float(box[3] - box[1]))
            if len(frames) == WARM_UP + WINDOW * WINDOWS:
                break
    face = statistics.median(heights[WARM_UP:] or [0.0])
    if not FACE[0] <= face <= FACE[1]:
        raise BenchError(f"the faces in {clip} are {face:.0f} pixels high; they must be {FACE[0]} to {FACE[1]}")
    return _stages(frames[WARM_UP:]), face


def _stages(frames: list[dict[str, float]]) -> dict[str, float]:
    """Milliseconds a frame by stage, in the median of windows."""
    # All that were seen, in the frame's order, or a new one would cost nothing.
    order = list(dict.fromkeys(["link", *(stage for ms in frames for stage in ms if stage != "patches"), "patches"]))
    table = np.array([[ms.get(stage, 0.0) for stage in order] for ms in frames])
    whole = len(table) // WINDOW * WINDOW
    if not whole:
        raise BenchError("there are too few pictures with a face in the clip")
    windows = table[:whole].reshape(-1, WINDOW, len(order)).mean(axis=1)
    return {stage: float(ms) for stage, ms in zip(order, np.median(windows, axis=0), strict=True)}


def _frames(clip: Path) -> Iterator[Frame]:
    """The clip's frames at 1280x720, over and over in time."""
    start = 0.0
    for _ in range(10):
        try:
            for frame in read_frames(clip):
                if frame.width * HEIGHT != frame.height * WIDTH:
                    raise BenchError(f"{clip} is {frame.width}x{frame.height}, not 16:9")
                pixels = frame.pixels
                if frame.width != WIDTH:
                    pixels = np.asarray(cv2.resize(pixels, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
                last = start + frame.time
                yield Frame(pixels, frame.id, last)
        except VideoError as error:
            raise BenchError(str(error)) from error
        start = last + 1 / 30


@contextmanager
def _link() -> Iterator[tuple[SharedMemory, EngineEnd]]:
    capacity = WIDTH * HEIGHT * 4
    memory = SharedMemory.create(layout.block_bytes(capacity, capacity))
    try:
        format_block(memory.address, capacity, capacity)
        end = EngineEnd(memory.name, capacity, capacity)
        yield memory, end
        end.close()
    finally:
        memory.close()


def in_obs(tool: str, home: Home, clip: Path) -> dict[str, Any]:
    """What `tools.render_cost` or `tools.views` of the checkout measures in a real OBS, or why it cannot (``missing``)."""
    if shutil.which("obs") is None:
        return {"missing": "OBS is not installed, or not on the PATH"}
    places = (Path(__file__).parents[1], Path.cwd())
    checkout = next((p for p in places if (p / "tools" / f"{tool}.py").is_file()), None)
    if checkout is None:
        return {"missing": "the tool that measures in OBS is in FaceLive's checkout: run it there"}
    command = [sys.executable, "-m", f"tools.{tool}", "--clip", str(clip.absolute())]
    env = {**os.environ, "FACELIVE_HOME": str(home.root)}
    done = subprocess.run(command, cwd=checkout, env=env, capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        return {"missing": f"measuring in OBS failed: {lines[0]}"}
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _machine() -> dict[str, Any]:
    name = platform.processor()
    if sys.platform == "linux":
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    return {
        "cpu": name,
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "onnxruntime": ort.__version__,
    }


def report(result: Result) -> Group:
    """``result`` for people."""
    stages = Table("stage", "ms a frame", title="One core, 1280x720", show_edge=False, box=None)
    for stage, ms in result.stages_ms.items():
        stages.add_row(stage, f"{ms:.2f}")
    stages.add_row("together", f"{sum(result.stages_ms.values()):.2f}", style="bold")
    table = Table(show_header=False, show_edge=False, box=None)
    table.add_row("mesh, frames a second on one core", f"{result.mesh_720p_fps_one_core:.0f}")
    table.add_row("height of the face", f"{result.machine['face_px']} pixels")
    table.add_row("all around the networks / networks", f"{result.overhead_ratio:.2f}")
    callback = result.render_callback
    if result.render_callback_ratio is None:
        table.add_row("render callback / OBS's Render Delay", f"not measured: {callback['missing']}")
    else:
        ratio = f"{result.render_callback_ratio:.2f}, and {callback['copies_us']:.0f} µs for the copies"
        table.add_row("render callback / OBS's Render Delay", ratio)
    if "missing" in result.views:
        table.add_row("a frame in several views of OBS", f"not measured: {result.views['missing']}")
    for views, seen in result.views.items() if "missing" not in result.views else ():
        counts = f"drawn {seen['frames_rendered']:.1f} times, captured {seen['frames_captured']:.2f} times"
        table.add_row(f"a frame in OBS, {views}", counts)
    machine = result.machine
    table.add_row("measured on", f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}")
    return Group(stages, "", table)
