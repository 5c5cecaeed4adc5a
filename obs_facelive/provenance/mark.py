"""Writing the invisible mark: into every patch with a swapped face, whatever the settings say."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
from numba import njit

from obs_facelive.frame import Box, Face, Floats, Frame, Patch, Pixels
from obs_facelive.geometry import for_warp, invert_affine
from obs_facelive.provenance.chart import SPAN, onto_chart
from obs_facelive.provenance.pattern import SIZE, whole_pattern, window
from obs_facelive.topology import CanonicalFace

LEAST, MOST = 0.6, 2.2
"""Levels (of 255) that the mark changes a picture by, as a standard deviation: on an even wall, and where much is going on."""
_MASKING = 0.6
"""Levels more for each level by which the picture itself varies nearby: there the eye cannot see the mark, nor the reader."""
SMALL, STRONGEST = 200.0, 1.6
"""Pixels of a face's width. On a smaller one the mark is finer, so it is seen less and lost sooner: it is stronger in
proportion, up to so many times."""
FEATHER = 16
"""Pixels over which the mark fades towards a patch's edge."""
_COARSE = 4
"""Pixels of a side of the squares that have one strength."""
_FINER = 2

Packed = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one face's mark lies: from its texture onto the picture, how strong, and the box around it in the picture."""

    matrix: Floats
    strength: float
    box: Box


class Mark:
    """Writes the mark. Safe to use from several threads."""

    def __init__(self, canonical: CanonicalFace) -> None:
        self._canonical = canonical
        self._side = SIZE * _FINER
        pattern = whole_pattern() * window()
        texture = cv2.resize(pattern, (self._side, self._side), interpolation=cv2.INTER_CUBIC)
        self._texture = np.ascontiguousarray(texture, np.float32)

    def __call__(self, faces: list[Face], patches: list[Patch]) -> list[Patch]:
        """``patches`` with the mark of each of ``faces``; a patch that reaches over another face carries that one's, too."""
        places = [self._place(face.points) for face in faces]
        return [self._marked(patch, places) if patch.pixels.size else patch for patch in patches]

    def reach(self, face: Face, frame: Frame) -> Box:
        """The part of ``frame`` that a patch of ``face`` must hold, so that the whole mark finds room in it."""
        x0, y0, x1, y1 = self._place(face.points).box
        return max(0, x0), max(0, y0), min(frame.width, x1), min(frame.height, y1)

    def _place(self, points: Floats) -> _Place:
        matrix = invert_affine(onto_chart(points, self._canonical, self._side))
        x, y = matrix @ np.array([self._side / 2, self._side / 2, 1], np.float32)
        reach = float(np.hypot(*matrix[:, 0])) * self._side / 2
        width = reach * 2 / SPAN
        box = (math.floor(x - reach), math.floor(y - reach), math.ceil(x + reach), math.ceil(y + reach))
        return _Place(matrix, min(max(SMALL / width, 1.0), STRONGEST), box)

    def _marked(self, patch: Patch, places: list[_Place]) -> Patch:
        pixels = np.ascontiguousarray(patch.pixels)
        height, width = pixels.shape[:2]
        strengths = _strengths(pixels)
        marked = pixels.copy()
        for place in places:
            x0, x1 = max(0, place.box[0] - patch.x), min(width, place.box[2] - patch.x)
            y0, y1 = max(0, place.box[1] - patch.y), min(height, place.box[3] - patch.y)
            if x0 >= x1 or y0 >= y1:
                continue
            matrix = for_warp(place.matrix)
            matrix[:, 2] -= patch.x + x0, patch.y + y0
            noise = np.asarray(cv2.warpAffine(self._texture, matrix, (x1 - x0, y1 - y0)), np.float32)
            _add(marked.view(np.uint32)[..., 0], noise, x0, y0, strengths * np.float32(place.strength))
        return replace(patch, pixels=marked)


def _strengths(pixels: Pixels) -> Floats:
    """(h, w), rounded up, over `_COARSE`: how strong the mark may be in each square of ``pixels``."""
    coarse = np.asarray(pixels[::_COARSE, ::_COARSE, 1], np.float32)
    coarse -= cv2.blur(coarse, (3, 3))
    # The weakest nearby: an even wall beside an edge stays even.
    varying = cv2.blur(cv2.erode(cv2.blur(np.abs(coarse), (3, 3)), np.ones((5, 5), np.uint8)), (3, 3))
    return np.asarray(np.minimum(LEAST + _MASKING * varying, MOST), np.float32)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _add(pixels: Packed, noise: Floats, x0: int, y0: int, strengths: Floats) -> None:
    """Adds ``noise`` times ``strengths`` to the three colours of ``pixels``, its corner at ``x0``, ``y0``.

    Whole pixels at once: the compiler makes vectors of this, three times as fast as colour by colour.
    """
    height, width = pixels.shape
    low, high = np.int32(0), np.int32(255)
    byte, half = np.uint32(255), np.float32(128.5)
    wide = noise.shape[1]
    line, strong = np.empty(wide, np.int32), np.empty(wide, np.float32)
    for row in range(noise.shape[0]):
        y = y0 + row
        if row == 0 or y % _COARSE == 0:
            for column in range(wide):
                x = x0 + column
                strong[column] = strengths[y // _COARSE, x // _COARSE] * min(min(x, width - 1 - x) / FEATHER, 1.0)
        fade = np.float32(min(min(y, height - 1 - y) / FEATHER, 1.0))
        fine = noise[row]
        for column in range(wide):
            line[column] = np.int32(fine[column] * (strong[column] * fade) + half) - np.int32(128)
        target = pixels[y, x0 : x0 + wide]
        for column in range(wide):
            speck, old = line[column], np.uint32(target[column])
            blue = min(max(np.int32(old & byte) + speck, low), high)
            green = min(max(np.int32(old >> np.uint32(8) & byte) + speck, low), high)
            red = min(max(np.int32(old >> np.uint32(16) & byte) + speck, low), high)
            alpha = old & np.uint32(0xFF000000)
            target[column] = (
                alpha | np.uint32(red) << np.uint32(16) | np.uint32(green) << np.uint32(8) | np.uint32(blue)
            )
