"""Sound in step with a picture that comes late: by how much to delay it, and what a source's sync offset was before.

OBS saves a source's sync offset with its scenes at moments that no script is told of, at its end even before scripts hear of
it. So no journal beside it could say for sure what was saved; the offset itself does. People, OBS's dialogs and obs-websocket
set whole milliseconds. Ours end in a fraction of a millisecond that encodes the person's own offset, so that whoever sees one
can put the own one back: after a crash, in a copy of the source, under another name, in another scene collection.

Pure; standard library only.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

MILLISECOND: Final = 1_000_000
LONGEST: Final = 2000
"""Milliseconds by which sound is delayed at the most."""
OWN: Final = range(-1000, 20001)
"""A person's own offset, in ms, that can be remembered; OBS's dialog takes -950 to 20000."""
_SPREAD: Final = MILLISECOND // len(OWN)
"""Only one fraction of so many means anything: others are not ours."""


@dataclass(frozen=True)
class Offset:
    """A sync offset that we set: the person's ``own`` (in `OWN`) and the picture's delay, ``extra`` (0..`LONGEST`), in ms."""

    own: int
    extra: int

    @property
    def ns(self) -> int:
        """What OBS is given: less than a millisecond above the sum."""
        return (self.own + self.extra) * MILLISECOND + (self.own - OWN[0]) * _SPREAD + _SPREAD // 2

    @classmethod
    def read(cls, ns: int) -> Offset | None:
        """The offset that OBS has, if it is one of ours."""
        total, fraction = divmod(ns, MILLISECOND)
        index, rest = divmod(fraction, _SPREAD)
        own = OWN[0] + index
        ours = rest == _SPREAD // 2 and own in OWN and 0 <= total - own <= LONGEST
        return cls(own, total - own) if ours else None


class Follower:
    """Follows a measured delay so that nobody hears it: rarely, and in small steps.

    Attributes
    ----------
    extra : milliseconds that the sound is delayed by now
    """

    STEP: Final = 5
    """Milliseconds at the most in one call."""
    BAND: Final = 15
    """It stands still until the sound is off by more milliseconds than this; then it goes all the way."""
    WINDOW: Final = 8.0
    """Seconds whose mean it follows, without the highest and the lowest fifth: a stall is no new delay."""
    FIRST: Final = 1.0
    """Seconds of measuring before it moves at all."""

    def __init__(self, extra: int = 0) -> None:
        self.extra = extra
        self._samples: deque[tuple[float, float]] = deque()
        self._seconds = 0.0
        self._way, self._arrived = 0, 0.0

    def follow(self, delay: float, seconds: float) -> int:
        """``extra`` from now on.

        Parameters
        ----------
        delay : of the picture, in ms, measured since the last call
        seconds : since the last call, over 0
        """
        self._samples.append((min(max(delay, 0.0), LONGEST), seconds))
        self._seconds += seconds
        while self._seconds - self._samples[0][1] > self.WINDOW:
            self._seconds -= self._samples.popleft()[1]
        if self._seconds < self.FIRST:
            return self.extra
        off = self._mean() - self.extra
        if abs(off) > self.BAND:
            self._way, self._arrived = (1 if off > 0 else -1), 0.0
        # A run has one direction, so that noise cannot turn it round, and ends a while after it has caught up.
        step = min(round(off * self._way), self.STEP)
        if step > 0:
            self.extra += step * self._way
            self._arrived = 0.0
        elif self._way:
            self._arrived += seconds
            if self._arrived > self.FIRST:
                self._way = 0
        return self.extra

    def _mean(self) -> float:
        ordered = sorted(delay for delay, _ in self._samples)
        fifth = len(ordered) // 5
        middle = ordered[fifth : len(ordered) - fifth]
        return sum(middle) / len(middle)
