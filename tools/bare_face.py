"""Is the bare face in a picture? A comparison with the face of *every* picture of the clip that was the camera.

Each of the clip's faces is compared under its own oval, so that nothing rests on a picture's number. How near a bare face comes
to the clip through scaling and coding is measured, on pictures that are known to be bare: see `Limits`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.frame import Floats, Pixels, Plane
from obs_facelive.home import Home
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.video import read_frames
from tools.recogniser import face_points

SIZE: Final = (192, 108)
"""Size at which faces are compared: noise of coding averages out, eyes and mouths remain."""
BLURRED: Final = 0.2
"""Share of the clip's detail that a covered face has at the most."""
_INNER: Final = 0.85
"""The oval's size as a part of the face's: hair and the patch's soft edge stay outside."""
_FINE: Final = 2.4
"""Sigma in pixels of `SIZE`: finer than that is detail."""
_STRIDE: Final = 10
"""Each so many-th picture of the clip is searched for its face."""


class Compared(Protocol):
    """What the comparison gives."""

    @property
    def distance(self) -> float:
        """Root mean square difference of the face to the clip's nearest one, in levels of 255."""

    @property
    def alikeness(self) -> float:
        """Correlation of its fine detail with that of the clip's picture that it is most like, -1..1."""

    @property
    def detail(self) -> float:
        """Its fine detail as a share of that picture's."""


class BareFace:
    """The clip's faces.

    Parameters
    ----------
    clip : 16:9, as the pictures that are compared with it
    """

    def __init__(self, home: Home, clip: Path) -> None:
        greys = [grey(small(frame.pixels)) for frame in read_frames(clip)]
        found = dict(_every(home, clip, _STRIDE))
        numbers, points = list(found), np.asarray(list(found.values()))
        greys = greys[numbers[0] : numbers[-1] + 1]
        # A head moves smoothly: between two pictures that were looked at its points lie between theirs.
        flat = points.reshape(len(points), -1)
        moments = np.arange(numbers[0], numbers[-1] + 1)
        between = np.stack([np.interp(moments, numbers, column) for column in flat.T], 1)
        masks = [_oval(each.reshape(points.shape[1:]).astype(np.float32)) for each in between]
        inside = np.any(masks, axis=0)
        rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
        self._part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        self._masks = self._cut(np.asarray(masks, np.float32))
        self._area = self._masks.sum(1)
        shown, fine = self._cut(np.asarray(greys)), self._cut(np.asarray([_detail(g) for g in greys]))
        self._grey, self._grey_square = self._masks * shown, (self._masks * shown**2).sum(1)
        mean = (self._masks * fine).sum(1) / self._area
        self._fine = self._masks * (fine - mean[:, None])
        self._fine_norm = np.sqrt((self._fine**2).sum(1))

    def _cut(self, pictures: Floats) -> Floats:
        return np.ascontiguousarray(pictures[:, self._part[0], self._part[1]].reshape(len(pictures), -1))

    def compare(self, greys: Floats) -> npt.NDArray[np.float32]:
        """(n, 3): distance, alikeness and detail (see `Compared`) of pictures, (n, h, w) float32 of `SIZE` (see `grey`)."""
        shown, fine = self._cut(greys), self._cut(np.asarray([_detail(g) for g in greys]))
        square = shown**2 @ self._masks.T - 2 * shown @ self._grey.T + self._grey_square
        distance = np.sqrt(np.maximum(square / self._area, 0))
        mean = fine @ self._masks.T / self._area
        norm = np.sqrt(np.maximum(fine**2 @ self._masks.T - mean**2 * self._area, 1e-6))
        alike = fine @ self._fine.T / (norm * self._fine_norm)
        best = alike.argmax(1)
        each = np.arange(len(greys))
        return np.stack([distance.min(1), alike[each, best], norm[each, best] / self._fine_norm[best]], 1)


@dataclass(frozen=True)
class Limits:
    """What tells a bare face, measured on pictures that show it: so much farther away than the worst of them.

    Attributes
    ----------
    distance : up to which a face is the bare one
    alikeness : from which it is
    """

    distance: float
    alikeness: float

    FARTHER = 2.0

    @classmethod
    def of(cls, bare: Sequence[Compared]) -> Limits:
        """From pictures that are known to be bare. Raises `ValueError` if there is none."""
        if not bare:
            raise ValueError("no bare face to measure with")
        worst, least = max(seen.distance for seen in bare), min(seen.alikeness for seen in bare)
        return cls(cls.FARTHER * worst, 1 - cls.FARTHER * (1 - least))

    def beside_clip(self, seen: Compared) -> bool:
        """Whether the comparison with the clip finds the bare face."""
        return seen.distance < self.distance or (seen.alikeness > self.alikeness and seen.detail > BLURRED)


def small(picture: Pixels) -> Pixels:
    """(h, w, 3) of `SIZE`, of (h, w, 3 or 4)."""
    return np.asarray(cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA)[..., :3], np.uint8)


def grey(picture: Pixels) -> Floats:
    """Its brightness, (h, w) float32, 0..255."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.float32)


def _every(home: Home, clip: Path, stride: int) -> Iterator[tuple[int, Floats]]:
    """(number, (478, 2) points in parts of the picture's width) of each ``stride``-th picture that has a face."""
    detector, landmarker = BlazeFace(home.models), FaceMesh(home.models)
    for frame in read_frames(clip):
        if frame.id % stride == 0:
            points = face_points(frame.pixels, detector, landmarker)
            if points is not None:
                yield frame.id, points[:, :2] / np.float32(frame.width)


def _detail(brightness: Floats) -> Floats:
    return np.asarray(brightness - cv2.GaussianBlur(brightness, (0, 0), _FINE), np.float32)


def _oval(points: Floats) -> Plane:
    """A mask, 0 or 1, of `SIZE`: the face's hull, somewhat smaller; ``points`` in parts of the picture's width."""
    flat = points * SIZE[0]
    middle = (flat.min(0) + flat.max(0)) / 2
    hull = cv2.convexHull((middle + (flat - middle) * _INNER).astype(np.float32))
    mask = np.zeros(SIZE[::-1], np.uint8)
    cv2.fillConvexPoly(mask, np.round(hull).astype(np.int32), 1)
    return mask
