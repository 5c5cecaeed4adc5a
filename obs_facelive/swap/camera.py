"""What the camera does to a face, so that the same can be done to the persona: haze and softness."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from obs_facelive.frame import Floats, Pixels

STEP = 1.2
"""Ratio of the texture sizes that are kept ready."""
BLURS = (0.0, 0.45, 0.7, 0.95)
"""Blurs in texels that are kept ready."""
MAX_HAZE = 60.0
PATCH = 128
"""Side in pixels of the part that softness is judged by."""


@dataclass(frozen=True, slots=True)
class Camera:
    """How the camera shows a face.

    Attributes
    ----------
    haze : 0..60, the brightness that black has in the picture
    softness : 0 (every pixel is sharp) to 1 (the finest details are missing)
    """

    haze: float
    softness: float


def look(pixels: Pixels, points: Floats) -> Camera:
    """How the camera shows the face with ``points`` (n, 2 or more) in ``pixels`` (h, w, 3 or 4)."""
    height, width = pixels.shape[:2]
    low = np.clip(points[:, :2].min(0).astype(int), 0, [width - 1, height - 1])
    high = np.clip(points[:, :2].max(0).astype(int) + 1, low + 1, [width, height])
    stride = max(1, (high[0] - low[0]) // 64)
    # Green stands for brightness.
    dark = float(np.percentile(pixels[low[1] : high[1] : stride, low[0] : high[0] : stride, 1], 1))
    middle = (low + high) // 2
    first, last = np.maximum(middle - PATCH // 2, low), np.minimum(middle + PATCH // 2, high)
    part = np.ascontiguousarray(pixels[first[1] : last[1], first[0] : last[0], 1]).astype(np.float32)
    fine = cv2.GaussianBlur(part, (0, 0), 0.7)
    coarse = cv2.GaussianBlur(part, (0, 0), 1.4)
    # Pictures that are sharp to the pixel have about as much detail in the finest octave as in the next; soft ones two thirds.
    slope = float((part - fine).std()) / (float((fine - coarse).std()) + 1e-3)
    return Camera(min(max(dark - 20.0, 0.0) * 0.8, MAX_HAZE), min(max((1.05 - slope) / 0.4, 0.0), 1.0))


class Textures:
    """One texture at the sizes and softnesses that are asked for."""

    def __init__(self, texture: Pixels) -> None:
        self._texture = texture
        self._ready: dict[tuple[int, int], Pixels] = {}

    def at(self, side: float, softness: float) -> Pixels:
        """The texture, about ``side`` texels wide and at the most its own size, with the blur for ``softness`` (0..1)."""
        full = self._texture.shape[0]
        step = math.floor(math.log(full / max(side, 16.0), STEP)) if side < full else 0
        blur = round(softness * (len(BLURS) - 1))
        if (step, blur) not in self._ready:
            size = max(16, round(full / STEP**step))
            sized = cv2.resize(self._texture, (size, size), interpolation=cv2.INTER_AREA)
            width = BLURS[blur] * size / max(min(side, full), 16.0)
            soft = cv2.GaussianBlur(sized, (0, 0), width) if width else sized
            self._ready[step, blur] = np.asarray(soft, np.uint8)
        return self._ready[step, blur]
