"""What is broken when: pure, and the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Planned:
    """One fault to come.

    Attributes
    ----------
    name : of the fault
    seconds : how long it lasts
    quiet : seconds of rest before it
    seed : of everything that the fault itself draws
    """

    name: str
    seconds: float
    quiet: float
    seed: int


def schedule(seed: int, names: Sequence[str], *, short: bool = False) -> Iterator[Planned]:
    """Faults without end, in rounds: each round has every one of ``names`` once, in an order of its own.

    Between two of them OBS is given the time to recover and ``quiet`` seconds on top: none at all in one of three cases, so
    that a fault meets what has just come back. ``short``: no fault lasts longer than it must.
    """
    rng = random.Random(seed)
    while True:
        for name in rng.sample(list(names), len(names)):
            seconds = 1.0 if short else rng.uniform(0.5, 4.0)
            quiet = 0.0 if short or rng.random() < 1 / 3 else rng.uniform(0.0, 2.0)
            yield Planned(name, round(seconds, 2), round(quiet, 2), rng.getrandbits(32))
