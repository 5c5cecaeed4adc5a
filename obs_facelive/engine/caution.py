"""How long there must have been room before a climb: what keeps the picture from swinging between two qualities."""

from __future__ import annotations

from typing import Final

SHORTEST: Final = 3.0
"""Seconds of room before a climb."""
LONGEST: Final = 60.0
"""Seconds, however many climbs were taken back."""
TRIAL: Final = 30.0
"""A step down so soon after a climb takes it back; a climb that held for so long makes up for one that did not."""
EASIER: Final = 0.6
"""What was taken back is forgotten when the same climb would now need less than this share of what it needed then."""


class Caution:
    """Pure: times and predicted uses go in."""

    def __init__(self) -> None:
        self._wait = SHORTEST
        self._climbed_at = self._held_since = float("-inf")
        self._use = self._failed_use = 0.0

    def climbed(self, now: float, use: float) -> None:
        """A climb, to a rung that is predicted to use ``use`` of what there is."""
        self._climbed_at = self._held_since = now
        self._use = use

    def stepped_down(self, now: float) -> None:
        """A step down: the next climb waits twice as long if the last one was not long ago."""
        self._ease(now)
        if now - self._climbed_at < TRIAL:
            self._wait = min(2 * self._wait, LONGEST)
            self._failed_use = self._use
        self._climbed_at = self._held_since = float("-inf")

    def wait(self, now: float, use: float) -> float:
        """Seconds of room that a climb needs which is predicted to use ``use``."""
        self._ease(now)
        if use < EASIER * self._failed_use:
            self._wait, self._failed_use = SHORTEST, 0.0
        return self._wait

    def _ease(self, now: float) -> None:
        while self._wait > SHORTEST and self._held_since > float("-inf") and now - self._held_since >= TRIAL:
            self._wait = max(self._wait / 2, SHORTEST)
            self._held_since += TRIAL
