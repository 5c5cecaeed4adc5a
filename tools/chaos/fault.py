"""What a fault is."""

from __future__ import annotations

from random import Random

from tools.chaos.studio import Studio


class Fault:
    """Something that goes wrong, lasts, and ends. Made anew each time; it may keep what it needs to heal."""

    def strike(self, studio: Studio, rng: Random) -> None:
        """It begins."""

    def last(self, studio: Studio, rng: Random, seconds: float) -> None:
        """It lasts."""
        studio.rest(seconds)

    def heal(self, studio: Studio) -> None:
        """It ends: what was broken is whole again. Recovery is measured from here."""
