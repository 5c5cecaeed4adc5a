"""Seam: what the edge of the swapped area adds to the picture, along the face's outline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from obs_facelive.frame import Floats, Pixels
from obs_facelive.swap.raster import facing
from obs_facelive.topology import FACE_OVAL, LEFT_BROW, LEFT_EYE, LIPS_OUTER, RIGHT_BROW, RIGHT_EYE, CanonicalFace
from tools.quality.areas import Mask, crop, gray, inner_face

_AROUND, _ALONG = 108, 24
"""Profiles around the face, and samples of each."""
_BAND = (-0.26, 0.02)
"""From where to where a profile goes, in widths of the face; the outline is at 0, the widest fade begins at -0.2."""
_FLOOR = 0.15
"""Of 255 a sample: what the sensor's noise makes of a profile of skin that is all the same."""
_HAIR = 0.6
"""Share of the skin's brightness below which something is hair, or a brow, or a beard."""


@dataclass(frozen=True)
class Seam:
    """Ratios of the output to the camera's picture; 1: the edge adds nothing.

    Attributes
    ----------
    step : of the change of colour on the way across the edge
    bend : of the change of that change: a line, a band
    worst : the ratio of change that a tenth of the outline exceeds
    """

    step: float
    bend: float
    worst: float


def seam(worn: Pixels, raw: Pixels, points: Floats, canonical: CanonicalFace) -> Seam | None:
    """The seam of ``worn`` against ``raw`` ((h, w, 3 or 4) uint8) for a face at ``points``; None where it is not seen."""
    place, seen = profiles(points, canonical, raw.shape[0], raw.shape[1])
    if not seen.any():
        return None
    skin = _skin(raw, points)
    before, after, sure = (_sampled(p, place[seen], points) for p in (raw, worn, skin))
    good = sure[..., 0] > 250
    one, two = good[:, 1:] & good[:, :-1], good[:, 2:] & good[:, 1:-1] & good[:, :-2]
    if np.count_nonzero(one) < _AROUND:
        return None
    step = [np.abs(np.diff(p, axis=1)).mean(axis=2) for p in (before, after)]
    bend = [np.abs(np.diff(p, n=2, axis=1)).mean(axis=2) for p in (before, after)]
    long = one.sum(axis=1) >= _ALONG // 4
    each = [(s * one).sum(axis=1)[long] / one.sum(axis=1)[long] + _FLOOR for s in step]
    worst = float(np.percentile(each[1] / each[0], 90)) if long.any() else 1.0
    return Seam(_ratio(step[0][one], step[1][one]), _ratio(bend[0][two], bend[1][two]), worst)


def _skin(raw: Pixels, points: Floats) -> Pixels:
    """(h, w, 1) uint8: 255 on bare skin of the live face, 0 on its brows, eyes and lips, and where hair lies over it."""
    skin = np.zeros((*raw.shape[:2], 1), np.uint8)
    rows, columns = crop(points, *raw.shape[:2])
    light = cv2.GaussianBlur(gray(raw[rows, columns]), (0, 0), 1.5)
    face = inner_face(points, *raw.shape[:2])[rows, columns]
    usual = float(np.median(light[face])) if face.any() else 128.0
    across = float(np.linalg.norm(points[454] - points[234]))
    side = 2 * round(0.02 * across) + 1
    bright = cv2.erode((light > _HAIR * usual).astype(np.uint8) * 255, np.ones((side, side), np.uint8))
    for part in (RIGHT_BROW, LEFT_BROW, RIGHT_EYE, LEFT_EYE, LIPS_OUTER):
        hull = cv2.convexHull(points[part, :2] - np.array([columns.start, rows.start], np.float32))[:, 0]
        middle = hull.mean(axis=0)
        corners = (hull - middle) * 1.15 + middle
        cv2.fillPoly(bright, [np.round(corners).astype(np.int32)], (0,))
    skin[rows, columns, 0] = bright
    return skin


def profiles(points: Floats, canonical: CanonicalFace, height: int, width: int) -> tuple[Floats, Mask]:
    """Where the profiles lie, (n, m, 2) float32 in pixels, from inside outwards; (n,) those that are seen altogether.

    A profile is not seen where it leaves the picture, or where the face turns away from the camera.
    """
    ring = points[FACE_OVAL, :2].astype(np.float64)
    toward = facing(np.ascontiguousarray(points[: len(canonical.uv)]), canonical.triangles)[FACE_OVAL]
    closed = np.concatenate([ring, ring[:1]])
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    at = np.linspace(0, length[-1], _AROUND, endpoint=False)
    even = np.stack([np.interp(at, length, closed[:, k]) for k in range(2)], axis=1)
    seen = np.interp(at, length, np.append(toward, toward[0])) > -0.05
    tangent = np.roll(even, -3, axis=0) - np.roll(even, 3, axis=0)
    outward = np.stack([tangent[:, 1], -tangent[:, 0]], axis=1)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True) + 1e-9
    outward *= np.sign(((even - even.mean(axis=0)) * outward).sum(axis=1).mean())
    across = float(np.linalg.norm(points[454] - points[234]))
    reach = np.linspace(*_BAND, _ALONG) * across
    place = even[:, None] + outward[:, None] * reach[None, :, None]
    seen &= ((place >= 1) & (place <= [width - 1, height - 1])).all(axis=(1, 2))
    return place.astype(np.float32), np.asarray(seen, np.bool_)


def _sampled(pixels: Pixels, place: Floats, points: Floats) -> Floats:
    """(n, m, 3) float32: the colours there, without what is finer than a seam."""
    low = np.clip(np.floor(place.min(axis=(0, 1))).astype(int) - 8, 0, None)
    high = np.ceil(place.max(axis=(0, 1))).astype(int) + 8
    part = pixels[low[1] : high[1], low[0] : high[0], :3].astype(np.float32)
    soft = cv2.GaussianBlur(part, (0, 0), max(0.8, float(np.linalg.norm(points[454] - points[234])) * 0.008))
    x, y = (np.ascontiguousarray(place[..., k] - low[k] - 0.5, np.float32) for k in range(2))
    there = cv2.remap(soft, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(there.reshape(*place.shape[:2], -1), np.float32)


def _ratio(raw: Floats, worn: Floats) -> float:
    return float((worn.mean() + _FLOOR) / (raw.mean() + _FLOOR))
