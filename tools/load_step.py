"""Shows what the governor does about a step of load: ``python -m tools.load_step OUT.png``.

The real engine works on a clip through a real block, 30 frames a second, as it does for OBS. After ten quiet seconds its
swapper becomes slow (250 ms, a test double around the real one), later every core gets another program that never rests. A plot
shows delay, frame rates and rung over time; the figures are printed, one JSON line last.

    python -m tools.load_step load.png
    python -m tools.load_step net.png --steps none --network inswapper_128.onnx --width 0.25   # a network makes the face
    python -m tools.load_step load.png --steps burn --quality full --trace burn.csv     # a trace for the tests
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from obs_facelive.frame import Pixels
from obs_facelive.home import Home
from obs_facelive.link import layout
from obs_facelive.obs.status import engine_report
from obs_facelive.quality import LADDER
from obs_facelive.settings import Settings
from obs_facelive.video import read_frames
from tools.load_report import SLOW, Sample, figures, plot, write_trace
from tools.network_share import home_with_networks
from tools.stand_in import StandIn

FPS = 30
SIZE = 1280, 720
STEP_EVERY = 0.25
QUIET, LOADED, AFTER = 10.0, 15.0, 25.0
SLOW_SWAP = "FACELIVE_TEST_SLOW_SWAP"
START = 60.0


class Obs(StandIn):
    """Sends each picture one tick after it was taken, looks for a result at each tick."""

    def __init__(self, home: Home, settings: dict[str, Any]) -> None:
        super().__init__(home, *SIZE, json.dumps(settings))
        self._taken: dict[int, float] = {}
        self._last = layout.NONE
        self.results = 0
        self.delays: list[float] = []

    def tick(self, picture: Pixels) -> None:
        """One frame of the video: what the render callback does."""
        now, result = time.monotonic(), self.result()
        if result and result.frame != self._last:
            self._last = result.frame
            if result.status == layout.SWAPPED and result.frame in self._taken:
                self.results += 1
                self.delays.append((now - self._taken[result.frame]) * 1e3)
                self.tell(layout.DELAY_US, round(self.delays[-1] * 1e3))
        self.show(picture)
        self._taken[self.frame] = now - 1 / FPS
        self._taken.pop(self.frame - 300, None)

    def lag(self, share: float) -> None:
        """Tells the engine how many of the last second's ticks came too late."""
        self.tell(layout.LAG_PERMILLE, round(share * 1000))


def pictures(clip: Path) -> list[Pixels]:
    """Four seconds of the clip at 1280x720, forth and back: no jump at the end."""
    frames = []
    for frame in read_frames(clip):
        pixels = frame.pixels
        if (frame.width, frame.height) != SIZE:
            pixels = np.asarray(cv2.resize(pixels, SIZE, interpolation=cv2.INTER_AREA), np.uint8)
        frames.append(pixels)
        if len(frames) == 4 * FPS:
            break
    return frames + frames[-2:0:-1]


class Loads:
    """The loads that are switched on and off."""

    def __init__(self, slow_swap: Path) -> None:
        self._slow_swap = slow_swap
        self._burners: list[subprocess.Popen[bytes]] = []
        self.none()

    def set(self, name: str) -> None:
        """Switches to one of ``none``, ``swap``, ``burn``, ``noise``."""
        getattr(self, name)()

    def none(self) -> None:
        """Quiet."""
        self._slow_swap.write_text("0")
        for burner in self._burners:
            burner.kill()
            burner.wait()
        self._burners.clear()

    def swap(self) -> None:
        """A swapper that takes 250 ms."""
        self._slow_swap.write_text(str(SLOW))

    def burn(self) -> None:
        """A program on each core that never rests."""
        self._start("while True: pass", os.cpu_count() or 1)

    def noise(self) -> None:
        """Programs that work now and then, as a browser does."""
        program = "import random, time\nwhile True:\n end = time.monotonic() + random.expovariate(5)\n"
        self._start(program + " while time.monotonic() < end: pass\n time.sleep(random.expovariate(3))", 2)

    def _start(self, program: str, count: int) -> None:
        self._burners += [subprocess.Popen([sys.executable, "-c", program]) for _ in range(count)]


@contextmanager
def loads() -> Iterator[Loads]:
    """The loads, off again at the end, whatever happens."""
    with tempfile.TemporaryDirectory() as folder:
        switch = Path(folder) / "slow_swap"
        os.environ[SLOW_SWAP] = str(switch)
        switchable = Loads(switch)
        try:
            yield switchable
        finally:
            switchable.none()
            del os.environ[SLOW_SWAP]


def run(home: Home, clip: Path, settings: dict[str, Any], plan: list[tuple[float, str]]) -> list[Sample]:
    """Goes through ``plan`` (seconds, load) once the engine swaps; a sample each quarter of a second."""
    shown, samples = pictures(clip), list[Sample]()
    with loads() as load:
        obs = Obs(home, settings)
        try:
            began = time.monotonic()
            due, number, late = began, 0, list[bool]()
            while obs.results < FPS and time.monotonic() - began < START:
                due, number, _ = _tick(obs, shown, due, number)
            if obs.results < FPS:
                raise RuntimeError("the engine does not swap")
            for seconds, name in plan:
                load.set(name)
                for _ in range(round(seconds / STEP_EVERY)):
                    start, before, first = time.monotonic(), (obs.frame, obs.results), len(obs.delays)
                    while time.monotonic() - start < STEP_EVERY:
                        due, number, behind = _tick(obs, shown, due, number)
                        late = [*late[-FPS:], behind]
                    share = sum(late) / len(late)
                    obs.lag(share)
                    elapsed = time.monotonic() - start
                    report = engine_report(obs.memory)
                    delays = obs.delays[first:] or obs.delays[-1:]
                    samples.append(
                        Sample(
                            time=len(samples) * STEP_EVERY,
                            camera_fps=round((obs.frame - before[0]) / elapsed, 2),
                            result_fps=round((obs.results - before[1]) / elapsed, 2),
                            swap_fps=report.swap_fps,
                            delay_ms=round(float(np.median(delays)), 1),
                            lagged=round(share, 3),
                            rung=report.rung or LADDER[0].name,
                            why=report.rung_why,
                            stages_ms=report.stages_ms,
                        )
                    )
        finally:
            obs.close()
    return samples


def _tick(obs: Obs, shown: list[Pixels], due: float, number: int) -> tuple[float, int, bool]:
    """Waits for the next frame's time and shows it; also: whether it came too late by more than half a frame."""
    time.sleep(max(0.0, due - time.monotonic()))
    late = time.monotonic() - due > 0.5 / FPS
    obs.tick(shown[number % len(shown)])
    return max(due + 1 / FPS, time.monotonic() - 0.5 / FPS), number + 1, late


def main() -> int:
    """Runs it, writes the plot, prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="the plot, a PNG")
    parser.add_argument("--clip", type=Path, help="what the camera shows (default: the demo's clip)")
    parser.add_argument(
        "--steps", default="swap,burn", help="loads in turn: swap, burn, noise, none (default: swap,burn)"
    )
    parser.add_argument("--loaded", type=float, default=LOADED, help=f"seconds of each load (default: {LOADED:.0f})")
    parser.add_argument("--quality", choices=["auto", "full"], default="auto", help="full: without the governor")
    parser.add_argument("--network", help="the engine: a stand-in of tools.stand_ins (default: the built-in one)")
    parser.add_argument("--width", type=float, default=1.0, help="its channels' share of the original's")
    parser.add_argument("--trace", type=Path, help="a CSV of what was measured")
    options = parser.parse_args()
    home = Home.find()
    clip = (options.clip or home.root / "demo" / "camera.mp4").absolute()
    if not clip.is_file():
        print(f"{clip} is missing: run 'python3 install.py demo' first", file=sys.stderr)
        return 1
    plan = [(QUIET, "none")]
    for name in options.steps.split(","):
        plan += [(options.loaded, name), (AFTER, "none")]
    with tempfile.TemporaryDirectory() as folder:
        chosen = {"quality": options.quality}
        if options.network:
            files = [options.network, "w600k_r50.onnx"]
            home = home_with_networks(home, Path(folder) / "home", files, options.width)
            chosen |= {"engine": options.network, "device": "cpu"}
        samples = run(home, clip, chosen, plan)
    plot(samples, plan, Settings().most_delay, options.out)
    if options.trace:
        write_trace(samples, options.trace)
    result = figures(samples, plan)
    for part in result:
        print(", ".join(f"{key} {value}" for key, value in part.items()))
    print(json.dumps({"parts": result, "samples": len(samples), "clip": clip.name}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
