"""Identity strength: a persona beyond 100 %, away from the live face; or below, towards it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from obs_facelive.frame import Face, Floats, Frame, Layer, Pixels
from obs_facelive.known_faces import KnownFaces
from obs_facelive.settings import Settings
from obs_facelive.swap.align import five_points
from obs_facelive.swap.aligned import AlignedSwapper
from obs_facelive.swap.photo import PhotoNetwork

LOOKS: Final = 4
"""Times that a live face is looked at: their mean is whose it is."""
APART: Final = 0.5
"""Seconds between two looks: a recogniser costs about as much as a swapper."""
FORGET: Final = 5.0
"""Seconds after which a face that is not seen is another one."""
WHOLE: Final = 100
"""Per cent: the persona as it is."""


def strengthened(person: Floats, live: Floats, strength: float) -> Floats:
    """A recogniser's ``person`` (512,) made ``strength`` times as far from ``live`` (512,) as it is, of its own length.

    On the unit vectors: live + strength * (person - live). FaceFusion's weight of 0..1 does the same between strengths of 0.65
    and 1.35 (balance_source_embedding of its face_swapper), with a look in each frame.
    """
    length = np.linalg.norm(person)
    start = live / np.linalg.norm(live)
    moved = start + strength * (person / length - start)
    return np.asarray(moved / np.linalg.norm(moved) * length, np.float32)


@dataclass(frozen=True, slots=True)
class _Known:
    """A live face: the sum of its looks' unit vectors, how many there were, when the last was; and the source for a strength.

    `WHOLE` is none that is asked for, so it says that the source is to be made.
    """

    sum: Floats
    looks: int
    looked: float
    strength: int
    source: Floats


class StrengthSwapper:
    """Puts a network's face on live ones, as strongly as settings ask. At 100 % no live face is looked at.

    Parameters
    ----------
    network : with the persona as it is
    person : (512,) float32, what the recogniser says of the persona
    source : turns such numbers into the network's source
    look : the recogniser: of a frame's pixels and a face's five points
    """

    def __init__(
        self,
        network: PhotoNetwork,
        person: Floats,
        source: Callable[[Floats], Floats],
        look: Callable[[Pixels, Floats], Floats],
    ) -> None:
        self._network, self._person, self._source, self._look = network, person, source, look
        self._whole = network.source
        self._swapper = AlignedSwapper(network)
        self._known = KnownFaces[int, _Known](FORGET)

    def swap(self, frame: Frame, face: Face, settings: Settings) -> Layer:
        """See `AlignedSwapper.swap`."""
        strength = settings.identity_strength
        self._network.source = self._whole if strength == WHOLE else self._strong(frame, face, strength)
        return self._swapper.swap(frame, face, settings)

    def _strong(self, frame: Frame, face: Face, strength: int) -> Floats:
        remembered = self._known.recall(face.track, frame.time)
        known = remembered[0] if remembered else _Known(np.zeros_like(self._person), 0, -np.inf, WHOLE, self._whole)
        if known.looks < LOOKS and frame.time - known.looked >= APART:
            seen = self._look(frame.pixels, five_points(face.points))
            total = np.asarray(known.sum + seen / np.linalg.norm(seen), np.float32)
            known = replace(known, sum=total, looks=known.looks + 1, looked=frame.time, strength=WHOLE)
        if known.strength != strength:
            source = self._source(strengthened(self._person, known.sum, strength / WHOLE))
            known = replace(known, strength=strength, source=source)
        self._known.keep(face.track, frame.time, known)
        return known.source
