"""An engine made of numbers: the load that each rung would have met, so that the governor's decisions feed back."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from obs_facelive.engine.governor import Governor, Load
from obs_facelive.quality import LADDER, Rung

EVERY = 0.25
"""Seconds between two looks of the governor."""
IDLE = {"detect": 0.7, "landmarks": 5.0, "track": 0.8, "blendshapes": 0.7, "swap": 9.0, "merge": 4.0}
"""Milliseconds of the stages at full quality, 720p, on a quiet laptop."""
REWARP = 2.0
BASE_DELAY = 50.0


@dataclass(frozen=True)
class Weather:
    """What a quarter of a second would have been at full quality.

    Attributes
    ----------
    kept : share of the camera's frames that came out
    delay : milliseconds
    lagged : share of OBS's frames
    stages : milliseconds, as in `Load`
    scale_saves : what a swap of the smaller picture costs, as a share of a full one
    """

    stages: Mapping[str, float] = field(default_factory=lambda: IDLE)
    kept: float = 1.0
    delay: float = 0.0
    lagged: float = 0.0
    camera_fps: float = 30.0
    scale_saves: float = 0.55

    def slower(self, factor: float) -> Weather:
        """The same with all stages ``factor`` times as slow."""
        return Weather({k: v * factor for k, v in self.stages.items()}, scale_saves=self.scale_saves)

    def slow_swap(self, ms: float, scale_saves: float = 1.0) -> Weather:
        """The same with a swapper that takes ``ms``."""
        return Weather({**self.stages, "swap": ms}, scale_saves=scale_saves)

    def slow_enhancer(self, ms: float) -> Weather:
        """The same with an enhancer that takes ``ms``."""
        return Weather({**self.stages, "enhance": ms}, scale_saves=self.scale_saves)

    def under(self, rung: Rung, time: float) -> Load:
        """The same on ``rung``."""
        full, stages = LADDER[0], dict(self.stages)
        before = stages["swap"]
        stages["detect"] *= full.look_again / rung.look_again
        stages["blendshapes"] /= rung.details_every
        if rung.swap_scale < 1:
            stages["swap"] *= self.scale_saves
        if rung.swap_every != 1:
            stages["rewarp"] = REWARP
        look = sum(stages[name] for name in ("detect", "landmarks", "track", "blendshapes"))
        merge = stages["merge"] + stages.get("rewarp", 0.0)
        period = 1000 / self.camera_fps
        swap = stages["swap"]
        if rung.enhance_every:
            swap += stages.get("enhance", 0.0) / rung.enhance_every
        busiest = max(look, merge, swap / rung.swap_every if rung.swap_every else 0.0)
        whole = sum(self.stages.values())
        hidden = max(1.0, period / self.kept / max(before, whole - before)) if self.kept < 0.97 else 1.0
        way = look + merge + (swap if rung.swap_every else 0.0)
        delay = max(self.delay - whole, BASE_DELAY) + way
        rate = min(self.camera_fps, 1000 / (busiest * hidden))
        return Load(time, self.camera_fps, rate, delay, stages, self.lagged)


@dataclass
class Run:
    """What the governor did.

    Attributes
    ----------
    changes : (time, index of the rung from then on)
    loads : what it was shown
    """

    governor: Governor
    changes: list[tuple[float, int]]
    loads: list[Load]

    def at(self, time: float) -> int:
        """The rung's index at ``time``."""
        return next((index for when, index in reversed(self.changes) if when <= time), 0)

    def between(self, start: float, end: float) -> list[tuple[float, int]]:
        """The changes of a time."""
        return [change for change in self.changes if start < change[0] <= end]

    def most_in(self, seconds: float) -> int:
        """The most changes that any ``seconds`` held."""
        return max((len(self.between(when - seconds, when)) for when, _ in self.changes), default=0)

    def swings(self, within: float) -> list[float]:
        """When a climb was taken back within so many seconds."""
        indices = [(0.0, 0), *self.changes]
        return [
            third[0]
            for first, second, third in zip(indices, indices[1:], indices[2:], strict=False)
            if second[1] < first[1] <= third[1] and third[0] - second[0] < within
        ]


def replay(weather: Iterable[Weather], governor: Governor | None = None, ladder: Sequence[Rung] = LADDER) -> Run:
    """The governor in ``weather``, a quarter of a second each; ``ladder`` is the one that it has."""
    governor = governor or Governor(150)
    run = Run(governor, [], [])
    for number, now in enumerate(weather):
        time = number * EVERY
        before = governor.rung
        run.loads.append(now.under(before, time))
        rung = governor.observe(run.loads[-1])
        if rung is not before:
            run.changes.append((time, ladder.index(rung)))
    return run


def lasting(seconds: float, weather: Weather) -> Iterator[Weather]:
    """The same weather for a time."""
    return itertools.repeat(weather, round(seconds / EVERY))


def recorded(path: Path) -> list[Weather]:
    """A trace of `tools.load_step`, recorded at full quality."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    stages = [name for name in rows[0] if name in IDLE]
    return [
        Weather(
            {**IDLE, **{name: float(row[name]) for name in stages}},
            kept=max(float(row["result_fps"]) / float(row["camera_fps"]), 0.001),
            delay=float(row["delay_ms"]),
            lagged=float(row["lagged"]),
            camera_fps=float(row["camera_fps"]),
        )
        for row in rows
    ]
