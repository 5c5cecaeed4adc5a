"""Parts of a face in a picture, from its 478 points."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from obs_facelive.frame import Floats, Pixels
from obs_facelive.mask.face import fill
from obs_facelive.topology import FACE_OVAL, LEFT_EYE, LEFT_EYE_CORNERS, LIPS_INNER, RIGHT_EYE, RIGHT_EYE_CORNERS

Mask = npt.NDArray[np.bool_]
INNER = 0.82
"""The inner oval, in sizes of the face's: what lies in it is the persona's altogether."""


def eye_distance(points: Floats) -> float:
    """Distance between the middles of the eyes in pixels, in space: a turned head does not make it shorter."""
    right, left = (points[list(c)].mean(axis=0) for c in (RIGHT_EYE_CORNERS, LEFT_EYE_CORNERS))
    return float(np.linalg.norm(left - right))


def inner_face(points: Floats, height: int, width: int, size: float = INNER) -> Mask:
    """(height, width): the face's oval made smaller by ``size``, without the eyes and without what is between the lips."""
    ring = points[FACE_OVAL, :2]
    middle = ring.mean(axis=0)
    mask = np.zeros((height, width), np.uint8)
    fill(mask, (ring - middle) * np.float32(size) + middle)
    hole = np.zeros_like(mask)
    for part, grow in ((RIGHT_EYE, 1.35), (LEFT_EYE, 1.35), (LIPS_INNER, 1.15)):
        centre = points[part, :2].mean(axis=0)
        fill(hole, (points[part, :2] - centre) * np.float32(grow) + centre)
    return np.asarray((mask > 127) & (hole == 0), np.bool_)


def crop(points: Floats, height: int, width: int, margin: float = 0.12) -> tuple[slice, slice]:
    """Rows and columns of the picture around the face, ``margin`` of its size more on each side; at least one of each."""
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    more = float((high - low).max()) * margin
    x0, y0 = (int(np.clip(v - more, 0, limit - 1)) for v, limit in zip(low, (width, height), strict=True))
    x1, y1 = (
        int(np.clip(v + more, start + 1, limit))
        for v, start, limit in zip(high, (x0, y0), (width, height), strict=True)
    )
    return slice(y0, y1), slice(x0, x1)


def skin_tone(pixels: Pixels, points: Floats) -> Floats:
    """(3,) float32 BGR 0..255: the median colour of the brighter half of the inner face."""
    skin = pixels[inner_face(points, *pixels.shape[:2])][:, :3].astype(np.float32)
    if not len(skin):
        return np.full(3, 128, np.float32)
    luma = skin.mean(axis=1)
    return np.asarray(np.median(skin[luma >= np.median(luma)], axis=0), np.float32)


def gray(pixels: Pixels) -> Pixels:
    """(h, w) uint8 brightness of (h, w, 3 or 4)."""
    code = cv2.COLOR_BGRA2GRAY if pixels.shape[2] == 4 else cv2.COLOR_BGR2GRAY
    return np.asarray(cv2.cvtColor(pixels, code), np.uint8)
