"""How long the stages of the pipeline take."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

SMOOTH = 0.7
"""Seconds over which the stages' times are averaged."""


class Stopwatch:
    """Milliseconds per stage and frame, averaged over the last moments; a stage inside another counts for itself only.

    Attributes
    ----------
    ms : by stage; a stage that does not run in every frame counts as 0 where it does not
    """

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}
        self._frame: dict[str, float] = {}
        self._inner = 0.0
        self._ended = time.perf_counter()

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Times the body as a part of ``stage`` in this frame."""
        before, self._inner = self._inner, 0.0
        began = time.perf_counter()
        yield
        spent = (time.perf_counter() - began) * 1e3
        self._frame[stage] = self._frame.get(stage, 0.0) + spent - self._inner
        self._inner = before + spent

    def end_frame(self) -> None:
        """Takes this frame's times into the average."""
        now = time.perf_counter()
        old = math.exp((self._ended - now) / SMOOTH)
        self._ended = now
        for stage in self.ms.keys() | self._frame.keys():
            spent = self._frame.get(stage, 0.0)
            self.ms[stage] = self.ms.get(stage, spent) * old + spent * (1 - old)
        self._frame.clear()
        self._inner = 0.0
