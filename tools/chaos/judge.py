"""Each recorded picture beside the clip that was the camera: what is it, and is the bare face in it?

The face is compared with the face of *every* picture of the clip, each under its own oval, so that nothing rests on a
picture's number. How near a bare face comes to the clip through OBS's scaling and coding is measured: on recordings of the bare
camera, which must be found out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.frame import Floats, Pixels, Plane
from obs_facelive.home import Home
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.video import read_frames
from tools import barcode
from tools.chaos.studio import BREAK_BGR, CANVAS
from tools.recogniser import face_points

Kind = Literal["live", "held", "covered", "pause", "black", "other"]
"""Swapped and new; the same camera picture as the one before; blurred; the scene without a camera; nothing; none of these."""

_SIZE: Final = (192, 108)
"""Size at which faces are compared: noise of coding averages out, eyes and mouths remain."""
_INNER: Final = 0.85
"""The oval's size as a part of the face's: hair and the patch's soft edge stay outside."""
_FINE: Final = 2.4
"""Sigma in pixels of `_SIZE`: finer than that is detail."""
_BLURRED: Final = 0.2
"""Share of the clip's detail that a covered face has at the most."""
_FLAT: Final = 12.0
_BLACK: Final = 24
_BATCH: Final = 64
_STRIDE: Final = 10
"""Each so many-th picture of the clip is searched for its face."""


@dataclass(frozen=True)
class Seen:
    """What was found in one recorded picture.

    Attributes
    ----------
    number : of the recorded picture
    code : the camera picture's number, where it can be read
    distance : root mean square difference of the face to the clip's nearest one, in levels of 255
    alikeness : correlation of its fine detail with that of the clip's picture that it is most like, -1..1
    detail : its fine detail as a share of that picture's
    """

    number: int
    code: int | None
    kind: Kind
    distance: float
    alikeness: float
    detail: float


class Source:
    """The clip's faces.

    Parameters
    ----------
    clip : its pictures carry a bar code and have `CANVAS`'s size
    """

    def __init__(self, home: Home, clip: Path) -> None:
        greys = [_grey(_small(frame.pixels)) for frame in read_frames(clip)]
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
        grey, fine = self._cut(np.asarray(greys)), self._cut(np.asarray([_detail(g) for g in greys]))
        self._grey, self._grey_square = self._masks * grey, (self._masks * grey**2).sum(1)
        mean = (self._masks * fine).sum(1) / self._area
        self._fine = self._masks * (fine - mean[:, None])
        self._fine_norm = np.sqrt((self._fine**2).sum(1))

    def _cut(self, pictures: Floats) -> Floats:
        return np.ascontiguousarray(pictures[:, self._part[0], self._part[1]].reshape(len(pictures), -1))

    def compare(self, greys: Floats) -> npt.NDArray[np.float32]:
        """(n, 3): distance, alikeness and detail (see `Seen`) of recorded pictures, (n, h, w) float32 of `_SIZE`."""
        shown, fine = self._cut(greys), self._cut(np.asarray([_detail(g) for g in greys]))
        square = shown**2 @ self._masks.T - 2 * shown @ self._grey.T + self._grey_square
        distance = np.sqrt(np.maximum(square / self._area, 0))
        mean = fine @ self._masks.T / self._area
        norm = np.sqrt(np.maximum(fine**2 @ self._masks.T - mean**2 * self._area, 1e-6))
        alike = fine @ self._fine.T / (norm * self._fine_norm)
        best = alike.argmax(1)
        each = np.arange(len(greys))
        return np.stack([distance.min(1), alike[each, best], norm[each, best] / self._fine_norm[best]], 1)


def _every(home: Home, clip: Path, stride: int) -> Iterator[tuple[int, Floats]]:
    """(number, (478, 2) points in pixels) of each ``stride``-th picture that has a face."""
    detector, landmarker = BlazeFace(home.models), FaceMesh(home.models)
    for frame in read_frames(clip):
        if frame.id % stride == 0:
            points = face_points(frame.pixels, detector, landmarker)
            if points is not None:
                yield frame.id, points[:, :2]


def look(source: Source, recording: Path) -> Iterator[Seen]:
    """Every picture of a recording, in order."""
    before: int | None = None
    for batch in _batches(recording):
        found = source.compare(np.asarray([_grey(small) for _, small, _ in batch]))
        for (number, small, code), (distance, alike, detail) in zip(batch, found, strict=True):
            kind = _kind(small, code, before, float(detail))
            before = code if code is not None else before
            values = (round(float(v), 3) for v in (distance, alike, detail))
            yield Seen(number, code, kind, *values)


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
    def of(cls, bare: Sequence[Seen]) -> Limits:
        """From pictures that are known to be bare. Raises `ValueError` if there is none."""
        if not bare:
            raise ValueError("no bare face to measure with")
        worst, least = max(seen.distance for seen in bare), min(seen.alikeness for seen in bare)
        return cls(cls.FARTHER * worst, 1 - cls.FARTHER * (1 - least))

    def beside_clip(self, seen: Seen) -> bool:
        """Whether the comparison with the clip finds the bare face."""
        return seen.distance < self.distance or (seen.alikeness > self.alikeness and seen.detail > _BLURRED)


def _batches(recording: Path) -> Iterator[Sequence[tuple[int, Pixels, int | None]]]:
    """(number, small picture, code) of each picture."""
    batch: list[tuple[int, Pixels, int | None]] = []
    for frame in read_frames(recording):
        batch.append((frame.id, _small(frame.pixels), _code(frame.pixels)))
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _kind(small: Pixels, code: int | None, before: int | None, detail: float) -> Kind:
    if code is not None:
        return "held" if code == before else "live"
    if np.abs(small.astype(np.int16) - np.array(BREAK_BGR)).mean() < _FLAT:
        return "pause"
    if small.max() < _BLACK:
        return "black"
    return "covered" if detail < _BLURRED else "other"


def _code(picture: Pixels) -> int | None:
    """The code was drawn at twice the canvas's size."""
    part = np.ascontiguousarray(picture[: barcode.HEIGHT // 2 + 16, : barcode.WIDTH // 2 + 16, :3])
    double = cv2.resize(part, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    return barcode.read(np.asarray(double, np.uint8))


def _small(picture: Pixels) -> Pixels:
    return np.asarray(cv2.resize(picture, _SIZE, interpolation=cv2.INTER_AREA)[..., :3], np.uint8)


def _grey(small: Pixels) -> Floats:
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.float32)


def _detail(grey: Floats) -> Floats:
    return np.asarray(grey - cv2.GaussianBlur(grey, (0, 0), _FINE), np.float32)


def _oval(points: Floats) -> Plane:
    """A mask, 0 or 1, of `_SIZE`: the face's hull, somewhat smaller; ``points`` in pixels of `CANVAS`."""
    flat = points * (_SIZE[0] / CANVAS[0])
    middle = (flat.min(0) + flat.max(0)) / 2
    hull = cv2.convexHull((middle + (flat - middle) * _INNER).astype(np.float32))
    mask = np.zeros(_SIZE[::-1], np.uint8)
    cv2.fillConvexPoly(mask, np.round(hull).astype(np.int32), 1)
    return mask
