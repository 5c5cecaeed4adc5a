"""Faces that are to be recognised by nobody: strongly blurred, as the covered picture is."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from obs_facelive.frame import Floats, Frame, Patch, Pixels, Plane
from obs_facelive.states import COVER_SIDE
from obs_facelive.topology import FACE_OVAL

_SOLID = 0.85
"""Of the ellipse's radius: from there to its edge, the blur fades."""
_AIR = 1.7
"""How much larger than a face's box the ellipse is: what is solid of it reaches round the box's corners (square root of 2)."""
_MOST_PATCHES = 2


def conceal(frame: Frame, boxes: Iterable[Floats], spare: Iterable[Floats] = ()) -> list[Patch]:
    """Patches with which the faces in ``boxes`` (x0 y0 x1 y1, pixels) of ``frame`` are concealed.

    ``spare``: (478, 2 or more) points of faces that stay as they are where they overlap with what is concealed.
    """
    pixels = frame.pixels.copy()
    places: list[tuple[int, int, int, int]] = []
    kept = [np.round(points[FACE_OVAL, :2]).astype(np.int32) for points in spare]
    for box in boxes:
        centre: Floats = ((box[:2] + box[2:]) / 2).astype(np.float32)
        half: Floats = ((box[2:] - box[:2]) / 2 * _AIR).astype(np.float32)
        x0, y0 = np.clip(np.floor(centre - half), 0, [frame.width, frame.height]).astype(int).tolist()
        x1, y1 = np.clip(np.ceil(centre + half), 0, [frame.width, frame.height]).astype(int).tolist()
        if x1 - x0 < 2 or y1 - y0 < 2:
            continue
        part = pixels[y0:y1, x0:x1]
        alpha = _ellipse((x0, y0, x1, y1), centre, half)
        for oval in kept:
            cv2.fillConvexPoly(alpha, cv2.convexHull(oval - [x0, y0]), 0)
        weight = (alpha.astype(np.float32) / np.float32(255))[..., None]
        blurred = _blurred(frame.pixels[y0:y1, x0:x1])
        part[..., :3] = np.round(part[..., :3] * (1 - weight) + blurred[..., :3] * weight).astype(np.uint8)
        places.append((x0, y0, x1, y1))
    if len(places) > _MOST_PATCHES:  # a result has room for few
        corners = np.array(places)
        places = [(*corners[:, :2].min(0).tolist(), *corners[:, 2:].max(0).tolist())]
    return [Patch(x0, y0, np.ascontiguousarray(pixels[y0:y1, x0:x1])) for x0, y0, x1, y1 in places]


def _blurred(pixels: Pixels) -> Pixels:
    """``pixels`` with nothing left of them but about `COVER_SIDE` x `COVER_SIDE` colours."""
    height, width = pixels.shape[:2]
    short = min(height, width)
    few = max(1, round(width * COVER_SIDE / short)), max(1, round(height * COVER_SIDE / short))
    small = cv2.resize(pixels, few, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _ellipse(place: tuple[int, int, int, int], centre: Floats, half: Floats) -> Plane:
    x0, y0, x1, y1 = place
    x = (np.arange(x0, x1, dtype=np.float32) + np.float32(0.5) - centre[0]) / half[0]
    y = (np.arange(y0, y1, dtype=np.float32) + np.float32(0.5) - centre[1]) / half[1]
    radius = np.sqrt(x[None] ** 2 + y[:, None] ** 2)
    return np.asarray(np.clip((1 - radius) / (1 - _SOLID), 0, 1) * 255, np.uint8)
