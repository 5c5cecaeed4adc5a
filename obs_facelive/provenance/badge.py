"""The visible label: two letters in a corner that say that the face is made."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from obs_facelive.frame import Frame, Patch
from obs_facelive.view import compose

Corner = Literal["top-right", "top-left", "bottom-right", "bottom-left"]
TEXT = "AI"


def badge(frame: Frame, patches: list[Patch], corner: Corner) -> Patch:
    """The label on ``frame`` in a corner, as one more patch; where it lies over one of ``patches`` it keeps their pixels.

    Its height is a sixteenth of the picture's shorter side, and 12 pixels at least.
    """
    high = max(12, min(frame.width, frame.height) // 16)
    wide = min(high * 2, frame.width)
    high = min(high, frame.height)
    gap = high // 3
    x = frame.width - wide - gap if corner.endswith("right") else gap
    y = frame.height - high - gap if corner.startswith("bottom") else gap
    x, y = max(0, min(x, frame.width - wide)), max(0, min(y, frame.height - high))
    under = Frame(frame.pixels[y : y + high, x : x + wide], frame.id, frame.time)
    pixels = compose(under, [cut for patch in patches if (cut := _cut(patch, x, y, wide, high)) is not None])
    pixels[..., :3] = pixels[..., :3] // 3
    scale = high / 36
    (text_wide, text_high), _ = cv2.getTextSize(TEXT, cv2.FONT_HERSHEY_DUPLEX, scale, 1)
    at = ((wide - text_wide) // 2, (high + text_high) // 2)
    cv2.putText(pixels, TEXT, at, cv2.FONT_HERSHEY_DUPLEX, scale, (255, 255, 255, 255), max(1, high // 20), cv2.LINE_AA)
    pixels[..., 3] = 255
    return Patch(x, y, np.ascontiguousarray(pixels))


def _cut(patch: Patch, x: int, y: int, wide: int, high: int) -> Patch | None:
    """The part of ``patch`` inside a rectangle, in the rectangle's own coordinates."""
    left, top = max(patch.x, x), max(patch.y, y)
    right = min(patch.x + patch.pixels.shape[1], x + wide)
    bottom = min(patch.y + patch.pixels.shape[0], y + high)
    if left >= right or top >= bottom:
        return None
    pixels = patch.pixels[top - patch.y : bottom - patch.y, left - patch.x : right - patch.x]
    return Patch(left - x, top - y, pixels)
