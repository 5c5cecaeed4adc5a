"""Taking the times of networks and of single frames, for benchmarks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, TypeAlias

from obs_facelive.frame import Floats
from obs_facelive.runtime.session import Session
from obs_facelive.stopwatch import Stopwatch

Times: TypeAlias = dict[str, float]
"""Stage → milliseconds."""


class Timed:
    """A session that counts its time; or gives its last answer again, in no time, while it is ``replaying``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.ms, self.replaying = 0.0, False
        self._last: list[Floats] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def run(self, names: Sequence[str], given: dict[str, Floats]) -> list[Floats]:
        """As the session's."""
        if not self.replaying:
            began = time.perf_counter()
            self._last = self._session.run(names, given)
            self.ms += (time.perf_counter() - began) * 1e3
        return [answer.copy() for answer in self._last]

    def taken(self) -> float:
        """Milliseconds since this was last asked."""
        ms, self.ms = self.ms, 0.0
        return ms


class LastFrame(Stopwatch):
    """Keeps the times of each step, until they are cleared.

    Attributes
    ----------
    last : of all steps since then
    """

    def __init__(self) -> None:
        super().__init__()
        self.last: Times = {}

    def end_frame(self) -> None:
        """Adds this frame's times."""
        for stage, ms in self._frame.items():
            self.last[stage] = self.last.get(stage, 0.0) + ms
        super().end_frame()
