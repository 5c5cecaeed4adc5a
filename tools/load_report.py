"""What came of a step of load (`tools.load_step`): figures, a plot, and a trace that the tests replay."""

from __future__ import annotations

import csv
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from obs_facelive.quality import LADDER
from tools.plot import BLUE, GREEN, GREY, ORANGE, Line, Panel, Plot

SLOW = 250
"""Milliseconds that the slow swapper takes."""


@dataclass(frozen=True)
class Sample:
    """A quarter of a second, as OBS sees it.

    Attributes
    ----------
    camera_fps, result_fps, swap_fps : frames a second that were sent, came back swapped, were swapped anew
    delay_ms : of the newest picture shown
    lagged : share of OBS's frames that lagged: here, of the camera's that came too late
    stages_ms : from the engine's report
    """

    time: float
    camera_fps: float
    result_fps: float
    swap_fps: float
    delay_ms: float
    lagged: float
    rung: str
    why: str
    stages_ms: dict[str, float]


def figures(samples: list[Sample], plan: list[tuple[float, str]]) -> list[dict[str, Any]]:
    """What each part of the plan came to; the first two seconds of a load and the climb after it count apart."""
    out, start = [], 0.0
    for seconds, name in plan:
        part = [s for s in samples if start <= s.time < start + seconds]
        settled = [s for s in part if s.time >= start + 2] or part
        rungs = [s.rung for s in part]
        delays = [s.delay_ms for s in settled]
        out.append(
            {
                "load": name,
                "from_s": start,
                "published_share": round(sum(s.result_fps for s in settled) / sum(s.camera_fps for s in settled), 3),
                "swapped_fps": round(float(np.mean([s.swap_fps for s in settled])), 1),
                "delay_ms_p50": round(float(np.percentile(delays, 50)), 1),
                "delay_ms_p95": round(float(np.percentile(delays, 95)), 1),
                "rung_changes": sum(a != b for a, b in itertools.pairwise(rungs)),
                "rung_at_end": rungs[-1],
                "why": part[-1].why,
            }
        )
        start += seconds
    return out


def plot(samples: list[Sample], plan: list[tuple[float, str]], budget: float, path: Path) -> None:
    """Draws it."""
    words = {
        "swap": f"the swapper takes {SLOW} ms",
        "burn": "another program on every core",
        "noise": "a noisy neighbour",
    }
    spans, start = [], 0.0
    for seconds, name in plan:
        if name != "none":
            spans.append((start, start + seconds, words[name]))
        start += seconds
    names = [rung.name for rung in LADDER]
    rungs = [(s.time, float(len(names) - names.index(s.rung))) for s in samples]

    def line(name: str, field: str, colour: tuple[int, int, int]) -> Line:
        return Line(name, [(s.time, float(getattr(s, field))) for s in samples], colour)

    panels = [
        Panel("Added delay, ms", 400, [line("delay", "delay_ms", BLUE)], limits=[(f"budget {budget:.0f} ms", budget)]),
        Panel(
            "Frames a second",
            40,
            [
                line("camera", "camera_fps", GREY),
                line("published", "result_fps", GREEN),
                line("swapped anew", "swap_fps", ORANGE),
            ],
        ),
        Panel(
            "Rung",
            len(names) + 0.5,
            [Line("rung", rungs, BLUE, stairs=True)],
            ticks=[
                (len(names) - index, name.replace("every second frame swapped", "every 2nd swapped"))
                for index, name in enumerate(names)
            ],
        ),
    ]
    Plot("FaceLive under load: 1280x720, 30 fps, mesh", start, panels, spans).save(path)


def write_trace(samples: list[Sample], path: Path) -> None:
    """A CSV that the tests replay."""
    stages = sorted({name for s in samples for name in s.stages_ms})
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["time", "camera_fps", "result_fps", "delay_ms", "lagged", *stages])
        for s in samples:
            numbers = [s.time, s.camera_fps, s.result_fps, s.delay_ms, s.lagged]
            writer.writerow([*numbers, *(round(s.stages_ms.get(name, 0.0), 1) for name in stages)])
