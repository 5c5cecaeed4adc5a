"""Patches that hold more than a layer: what was changed around a face, and other faces."""

from __future__ import annotations

import numpy as np

from obs_facelive.frame import Box, Frame, Patch
from obs_facelive.view import compose


def widened(patch: Patch, frame: Frame, box: Box) -> Patch:
    """``patch`` in the smallest rectangle that holds it and ``box`` (inside the frame), with ``frame``'s pixels around it."""
    height, width = patch.pixels.shape[:2]
    x0, y0, x1, y1 = box
    if x0 >= x1 or y0 >= y1:
        return patch
    if not width or not height:
        return Patch(x0, y0, frame.pixels[y0:y1, x0:x1].copy())
    x0, y0 = min(x0, patch.x), min(y0, patch.y)
    x1, y1 = max(x1, patch.x + width), max(y1, patch.y + height)
    if (x1 - x0, y1 - y0) == (width, height):
        return patch
    pixels = frame.pixels[y0:y1, x0:x1].copy()
    pixels[patch.y - y0 : patch.y - y0 + height, patch.x - x0 : patch.x - x0 + width] = patch.pixels
    return Patch(x0, y0, pixels)


def fitting(patches: list[Patch], frame: Frame) -> list[Patch]:
    """``patches`` of ``frame``, or the whole picture as one if they have more pixels than it: the link has no room for more."""
    if sum(patch.pixels.nbytes for patch in patches) <= frame.pixels.nbytes:
        return patches
    return [Patch(0, 0, np.ascontiguousarray(compose(frame, patches)))]
