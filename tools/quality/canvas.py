"""A sheet to draw on, larger than life, that becomes an `Overlay`."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from obs_facelive.frame import Floats
from tools.quality.overlay import Overlay, Shadow

Places = npt.NDArray[np.float64]
FINE = 2
"""A sheet is so many times as large as what it becomes: smooth edges."""
_BITS = 4


class Canvas:
    """A part of a frame, drawn at `FINE` times its size.

    Parameters
    ----------
    width, height : of the frame in pixels
    low, high : (2,) corners of the part, which may reach over the frame's edge

    Attributes
    ----------
    colour : (h, w, 3) float32 BGR 0..255, multiplied by `alpha`
    alpha : (h, w) float32 0..1
    """

    def __init__(self, width: int, height: int, low: Places, high: Places) -> None:
        self._frame = width, height
        self._x, self._y = (int(v) for v in np.clip(np.floor(low), 0, [width - 1, height - 1]))
        right, bottom = (int(v) for v in np.clip(np.ceil(high), [self._x + 1, self._y + 1], [width, height]))
        self._size = right - self._x, bottom - self._y
        shape = self._size[1] * FINE, self._size[0] * FINE
        self.colour: Floats = np.zeros((*shape, 3), np.float32)
        self.alpha: Floats = np.zeros(shape, np.float32)

    def grid(self) -> tuple[Floats, Floats]:
        """x and y in the frame, (h, w) float32 each."""
        y, x = np.mgrid[0 : self.alpha.shape[0], 0 : self.alpha.shape[1]].astype(np.float32) + np.float32(0.5)
        return x / FINE + self._x, y / FINE + self._y

    def stroke(self, line: Places, tone: Places, thick: float) -> None:
        """A line through ``line`` (n, 2) in the frame's pixels, ``thick`` pixels wide, in ``tone`` (3,) BGR."""
        width = max(1, round(thick * FINE))
        cv2.polylines(self.colour, [self._corners(line)], False, _scalar(tone), width, cv2.LINE_8, _BITS)
        cv2.polylines(self.alpha, [self._corners(line)], False, (1.0,), width, cv2.LINE_8, _BITS)

    def area(self, ring: Places, tone: Places) -> None:
        """The inside of ``ring`` (n, 2)."""
        cv2.fillPoly(self.colour, [self._corners(ring)], _scalar(tone), cv2.LINE_8, _BITS)
        cv2.fillPoly(self.alpha, [self._corners(ring)], (1.0,), cv2.LINE_8, _BITS)

    def lay(self, colour: Floats, cover: Floats) -> None:
        """``colour`` (h, w, 3) over what is there, where ``cover`` (h, w) 0..1."""
        self.colour = self.colour * (1 - cover[..., None]) + colour * cover[..., None]
        self.alpha = np.maximum(self.alpha, cover)

    def finished(self, shadow: Shadow) -> Overlay:
        """As large as the frame, with edges as soft as a camera's, and with its ``shadow``."""
        width, height = self._frame
        there = slice(self._y, self._y + self._size[1]), slice(self._x, self._x + self._size[0])
        colour, alpha = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
        for part, whole in ((self.colour, colour), (self.alpha, alpha)):
            whole[there] = cv2.GaussianBlur(cv2.resize(part, self._size, interpolation=cv2.INTER_AREA), (0, 0), 0.5)
        return Overlay(colour, alpha, shadow.of(alpha))

    def _corners(self, line: Places) -> npt.NDArray[np.int32]:
        return np.round(((line - [self._x, self._y]) * FINE - 0.5) * (1 << _BITS)).astype(np.int32)


def _scalar(tone: Places) -> tuple[float, float, float]:
    blue, green, red = (float(v) for v in tone)
    return blue, green, red
