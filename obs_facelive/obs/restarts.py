"""How soon an engine that died is started again, and on what. Pure."""

from __future__ import annotations

from typing import Final

MINUTE: Final = 60.0
PROVEN: Final = 2.0
"""Seconds of work after which an engine is no part of a loop of crashes: whatever ended it, the next one may start at once."""
LONGEST: Final = 10.0
STEP_DOWN: Final = 3
"""Deaths within a minute after which the processor does all the work."""


class Restarts:
    """Remembers the deaths of engines, the last minute's for the device and those in a row for the wait."""

    def __init__(self) -> None:
        self._deaths: list[float] = []
        self._in_vain = 0

    def __len__(self) -> int:
        return len(self._deaths)

    def forgive(self, now: float) -> bool:
        """Forgets everything once a minute has passed without a death; True if there was something to forget."""
        if not self._deaths or now - self._deaths[-1] <= MINUTE:
            return False
        self.forget()
        return True

    def forget(self) -> None:
        """A person asked for a new engine."""
        self._deaths, self._in_vain = [], 0

    def died(self, now: float, worked: float) -> float:
        """An engine died that had worked for so many seconds; gives the seconds to wait before the next one starts.

        None for one that had proven itself, and for the first that had not.
        """
        self._deaths = [at for at in self._deaths if now - at < MINUTE] + [now]
        self._in_vain = 0 if worked >= PROVEN else self._in_vain + 1
        return min(LONGEST, 0.5 * 2.0 ** (self._in_vain - 2)) if self._in_vain > 1 else 0.0

    @property
    def device(self) -> str:
        """What the next engine is started on."""
        return "cpu" if len(self._deaths) >= STEP_DOWN else "auto"
