"""How often an empty picture is looked at: an empty chair must not cost a core."""

from __future__ import annotations

SHARE = 0.1
LONGEST = 0.5


class Patience:
    """Pure: times go in, decisions come out.

    While a face is seen, every frame is due. Without one, the next look is due after a tenth of the time for which nobody was
    seen, half a second at most: who comes back is covered for no longer than that.
    """

    def __init__(self) -> None:
        self._empty_since: float | None = None
        self._due = 0.0

    def due(self, now: float) -> bool:
        """Whether to look at the newest frame at ``now`` (seconds, rising)."""
        return now >= self._due

    def saw(self, anybody: bool, now: float) -> None:
        """What a look at ``now`` found."""
        if anybody:
            self._empty_since, self._due = None, now
            return
        if self._empty_since is None:
            self._empty_since = now
        self._due = now + min(LONGEST, SHARE * (now - self._empty_since))
