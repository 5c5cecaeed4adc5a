"""What the engine gains by overlapping its stages, against one stage after the other: ``python -m tools.overlap``.

The same pipeline gets the same pictures (1280x720) through a real block, either in the engine's three threads or in one.
With a camera that is faster than both, the results a second are counted; with one of 30 frames a second, the time from the
moment when a frame was sent to the moment when its result is there. Twice: with the embedded swapper, and with one that also
waits for 20 ms as a graphics card makes it wait.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from obs_facelive.engine.line import Job, Line
from obs_facelive.engine.stages import Stages
from obs_facelive.frame import Face, Frame, Layer, Pixels
from obs_facelive.home import Home
from obs_facelive.link import layout
from obs_facelive.link.memory import SharedMemory
from obs_facelive.link.obs_end import format_block, send_frame
from obs_facelive.link.ring import EngineEnd
from obs_facelive.pipeline import Pipeline
from obs_facelive.settings import Settings
from obs_facelive.steps import Outcome
from obs_facelive.swap import Swapper
from tools.load_step import SIZE, pictures

SECONDS = 8.0
WARM_UP = 2.0
FAST, CAMERA = 120.0, 30.0
GPU_MS = 20.0


class Waiting:
    """A swapper whose work is done elsewhere: the processor waits for it."""

    def __init__(self, swapper: Swapper, ms: float) -> None:
        self._swapper, self._seconds = swapper, ms / 1e3

    def swap(self, frame: Frame, face: Face, settings: Settings) -> Layer:
        """The real one's work, later."""
        layer = self._swapper.swap(frame, face, settings)
        time.sleep(self._seconds)
        return layer


class Block:
    """Both ends of a block in one process; counts what came out, and when."""

    def __init__(self) -> None:
        width, height = SIZE
        self.capacity = width * height * 4
        self.memory = SharedMemory.create(layout.block_bytes(self.capacity, 2 * self.capacity))
        format_block(self.memory.address, self.capacity, 2 * self.capacity)
        self.end = EngineEnd(self.memory.name, self.capacity, 2 * self.capacity)
        self.sent: dict[int, float] = {}
        self.done: list[tuple[float, float]] = []

    def send(self, number: int, picture: Pixels) -> None:
        """What the render callback does."""
        self.sent[number] = time.perf_counter()
        data, line = picture.ctypes.data, picture.strides[0]
        send_frame(self.memory.address, self.capacity, number, time.monotonic_ns(), data, line, *SIZE)

    def publish(self, frame: Frame, outcome: Outcome | None) -> None:
        """What the engine does with a finished frame; keeps the time and the delay in milliseconds."""
        if outcome and self.end.whole(frame):
            self.end.put(frame, layout.SWAPPED, outcome.patches, len(outcome.faces), 0)
            now = time.perf_counter()
            self.done.append((now, (now - self.sent[frame.id]) * 1e3))

    def close(self) -> None:
        """Unmaps it."""
        self.end.close()
        self.memory.close()


class Sequential:
    """The engine as it was: one thread, one stage after the other."""

    def __init__(self, block: Block, pipeline: Pipeline) -> None:
        self._block, self._pipeline = block, pipeline
        self._wake, self._stop = threading.Event(), False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def wake(self) -> None:
        """There may be a new frame."""
        self._wake.set()

    def _run(self) -> None:
        end, settings = self._block.end, Settings()
        while not self._stop:
            self._wake.wait()
            self._wake.clear()
            while (frame := end.take()) is not None:
                self._block.publish(frame, self._pipeline.process(frame, settings))
                end.give_back(frame)

    def close(self) -> None:
        """Ends it and waits."""
        self._stop = True
        self._wake.set()
        self._thread.join()


class Overlapping:
    """The engine's `Line`."""

    def __init__(self, block: Block, pipeline: Pipeline) -> None:
        self._block, self._pipeline = block, pipeline
        self._line = Line(self._take, lambda job: block.publish(job.frame, job.outcome), self._drop)
        self.wake = self._line.wake

    def _take(self) -> Job | None:
        frame = self._block.end.take()
        return Job(frame, Settings(), 0, self._pipeline) if frame else None

    def _drop(self, frame: Frame) -> None:
        self._block.end.give_back(frame)
        if self._block.end.fresh():
            self.wake()

    def close(self) -> None:
        """Ends it and waits."""
        self._line.close()
        while not self._line.closed:
            time.sleep(0.01)


Engine = Callable[[Block, Pipeline], "Sequential | Overlapping"]


@dataclass(frozen=True)
class Figures:
    """One engine's.

    Attributes
    ----------
    fps : results a second of a camera that is never waited for
    delay_ms_p50, delay_ms_p95 : from sending a frame to its result, at 30 frames a second
    kept : share of those frames that came out
    """

    fps: float
    delay_ms_p50: float
    delay_ms_p95: float
    kept: float


def feed(
    engine: Engine, pipeline: Pipeline, shown: list[Pixels], rate: float, seconds: float
) -> tuple[list[float], int]:
    """Delays in milliseconds of the results after the warm-up, and the number of frames sent meanwhile."""
    block = Block()
    running = engine(block, pipeline)
    began, number, counted = time.perf_counter(), 0, 0
    try:
        while (now := time.perf_counter()) < began + WARM_UP + seconds:
            block.send(number, shown[number % len(shown)])
            running.wake()
            number += 1
            counted += now >= began + WARM_UP
            time.sleep(max(0.0, began + number / rate - time.perf_counter()))
    finally:
        running.close()
        block.close()
    return [delay for at, delay in block.done if began + WARM_UP <= at < began + WARM_UP + seconds], counted


def measure(engine: Engine, pipeline: Pipeline, shown: list[Pixels], seconds: float = SECONDS) -> Figures:
    """Both ways of feeding, one after the other."""
    fast, _ = feed(engine, pipeline, shown, FAST, seconds)
    delays, sent = feed(engine, pipeline, shown, CAMERA, seconds)
    p50, p95 = (round(float(np.percentile(delays, q)), 1) for q in (50, 95))
    return Figures(round(len(fast) / seconds, 1), p50, p95, round(len(delays) / sent, 3))


def compare(home: Home, clip: Path, wait_ms: float, seconds: float = SECONDS) -> dict[str, dict[str, float]]:
    """The figures of both engines, and the ratio of their throughput."""
    shown, found = pictures(clip), dict[str, dict[str, float]]()
    for name, engine in (("sequential", Sequential), ("overlapping", Overlapping)):
        pipeline = Stages(home, "cpu").pipeline(Settings())
        if wait_ms:
            pipeline.swapper = Waiting(pipeline.swapper, wait_ms)
        found[name] = asdict(measure(engine, pipeline, shown, seconds))
    found["ratio"] = {
        key: round(found["overlapping"][key] / found["sequential"][key], 2) for key in found["sequential"]
    }
    return found


def main() -> int:
    """Prints the figures; JSON last."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", type=Path, help="what the camera shows (default: the demo's clip)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each measurement")
    options = parser.parse_args()
    home = Home.find()
    clip = options.clip or home.root / "demo" / "camera.mp4"
    if not clip.is_file():
        print(f"{clip} is missing: run 'python3 install.py demo' first", file=sys.stderr)
        return 1
    cv2.setNumThreads(1)
    result = {}
    for title, wait_ms in (("embedded swapper", 0.0), (f"a swapper that waits {GPU_MS:.0f} ms for a GPU", GPU_MS)):
        result[title] = compare(home, clip, wait_ms, options.seconds)
        print(title)
        for name, figures in result[title].items():
            print(f"  {name}: " + ", ".join(f"{key} {value}" for key, value in figures.items()))
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
