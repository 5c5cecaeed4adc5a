"""Reading the invisible mark: how much a face's surroundings resemble it, at every place, size and turn that is near.

The square around the face is cut into tiles. Each is compared with its part of the pattern at every small shift; then the
shifts that belong to one size, turn and place of the whole are added up. So a slightly wrong aim costs little, and the same
tiles tell what the sum is where there is no mark: it is given as so many standard deviations of that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numba import njit

from obs_facelive.frame import Floats, Pixels
from obs_facelive.geometry import for_warp
from obs_facelive.provenance.chart import onto_chart
from obs_facelive.provenance.pattern import SIZE, band, patterns, whole_pattern, window
from obs_facelive.topology import CanonicalFace, Indices

_TILES, _TILE = 6, 40
"""Tiles of a row, and pixels of a tile's side."""
_SHIFT = 8
"""Pixels of the chart (128 to a face's width) that a tile is moved by at the most."""
_AIM = 4
"""Pixels that the whole is moved by."""
_SIZES, _TURNS = np.linspace(-0.04, 0.04, 9), np.radians(np.linspace(-3, 3, 7))
"""Sizes and turns that are tried."""
_QUIET = 0.3
"""Levels of noise below which a frequency says nothing: compression has emptied it."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How one face's surroundings resemble the mark.

    Attributes
    ----------
    plain, mirrored : (tiles, 17, 17) float32, of each tile at each shift, of the picture and of its mirror image; of mean
        square 1. Those of several pictures of a face may be added up.
    """

    plain: Floats
    mirrored: Floats

    def __add__(self, other: Likeness) -> Likeness:
        return Likeness(self.plain + other.plain, self.mirrored + other.mirrored)


class Score(NamedTuple):
    """How sure it is that there is a mark.

    Attributes
    ----------
    value : standard deviations above what is seen where there is none; the best of all places, so that without a mark it is
        about 3
    mirrored : it is there in the mirror image
    place : where it is: a row of the reader's sizes and turns, pixels of the chart down and to the right
    """

    value: float
    mirrored: bool
    place: tuple[int, int, int]


class MarkReader:
    """Compares pictures with the mark. Safe to use from several threads."""

    def __init__(self, canonical: CanonicalFace) -> None:
        self._canonical, self._band, self._window = canonical, band(), window()
        first = (SIZE - _TILES * _TILE) // 2
        corners = [(first + i * _TILE, first + j * _TILE) for i in range(_TILES) for j in range(_TILES)]
        # Tiles in the corners lie outside of the disc.
        self._corners = [(y, x) for y, x in corners if self._window[y : y + _TILE, x : x + _TILE].mean() > 0.15]
        self._spectra = np.conj(np.fft.rfft2(self._tiles(whole_pattern() * self._window, own=True)))
        fields = patterns() * self._window
        self._fields = np.stack([fields[:, y : y + _TILE, x : x + _TILE] for y, x in self._corners], 1)
        middles = np.array(self._corners) + _TILE / 2 - SIZE / 2
        grid = [(size, turn) for size in _SIZES for turn in _TURNS]
        moves = [
            np.stack([s * middles[:, 0] + t * middles[:, 1], s * middles[:, 1] - t * middles[:, 0]], 1) for s, t in grid
        ]
        self._moves: Indices = np.round(moves).astype(np.int32)

    def likeness(self, pixels: Pixels, points: Floats) -> Likeness:
        """Of the face with 478 ``points`` in ``pixels`` (h, w, 3 or 4, BGR first)."""
        chart = self._chart(pixels, points)
        return Likeness(self._compare(chart), self._compare(np.ascontiguousarray(chart[:, ::-1])))

    def score(self, likeness: Likeness) -> Score:
        """How sure ``likeness``, or a sum of some, makes."""
        plain, mirrored = (_best(part, self._moves, _AIM) for part in (likeness.plain, likeness.mirrored))
        value, *place = max(plain, mirrored)
        return Score(value, mirrored > plain, (place[0], place[1], place[2]))

    def bits(self, pixels: Pixels, points: Floats, score: Score) -> Floats:
        """(32,) float32: how much each bit's own pattern is there, at the place of ``score``; those of pictures add up."""
        chart = self._chart(pixels, points)
        even = self._even(np.ascontiguousarray(chart[:, ::-1]) if score.mirrored else chart)
        row, down, right = score.place
        around = np.pad(even, 2 * _SHIFT)
        shifts = np.clip(self._moves[row] + (down, right), -_SHIFT, _SHIFT) + 2 * _SHIFT
        corners = np.array(self._corners) + shifts
        tiles = np.stack([around[y : y + _TILE, x : x + _TILE] for y, x in corners])
        return np.asarray(np.einsum("btyx,tyx->b", self._fields, tiles), np.float32)

    def _chart(self, pixels: Pixels, points: Floats) -> Floats:
        matrix = onto_chart(points, self._canonical, SIZE)
        gray = cv2.cvtColor(pixels, cv2.COLOR_BGRA2GRAY if pixels.shape[2] == 4 else cv2.COLOR_BGR2GRAY)
        scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
        if scale < 0.75:  # many pixels to one of the chart's
            gray = cv2.GaussianBlur(gray, (0, 0), 0.4 / scale)
        chart = cv2.warpAffine(
            np.asarray(gray, np.float32),
            for_warp(matrix),
            (SIZE, SIZE),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(chart, np.float32)

    def _compare(self, chart: Floats) -> Floats:
        tiles = np.fft.rfft2(self._tiles(self._even(chart), own=False))
        side = _TILE + 2 * _SHIFT
        alike = np.fft.irfft2(tiles * self._spectra, s=(side, side))
        near = np.roll(alike, (_SHIFT, _SHIFT), (1, 2))[:, : 2 * _SHIFT + 1, : 2 * _SHIFT + 1]
        return np.asarray(near / max(float(np.sqrt(np.square(near).mean())), 1e-9), np.float32)

    def _even(self, chart: Floats) -> Floats:
        """``chart`` with all of the band, and all places, of about the same strength: edges would drown the mark."""
        spectrum = np.fft.fft2((chart - cv2.GaussianBlur(chart, (0, 0), SIZE * 0.06)) * self._window)
        power = cv2.blur(np.asarray(np.fft.fftshift(np.square(np.abs(spectrum))), np.float32), (9, 9))
        spectrum *= self._band / (np.fft.ifftshift(np.sqrt(power)) + _QUIET * SIZE)
        flat = np.asarray(np.real(np.fft.ifft2(spectrum)), np.float32)
        local = np.sqrt(cv2.GaussianBlur(flat * flat, (0, 0), SIZE * 0.04))
        local += 0.5 * float(np.sqrt(np.square(flat).mean())) + 1e-9
        return np.asarray(np.clip(flat / local, -2.5, 2.5) * self._window, np.float32)

    def _tiles(self, chart: Floats, own: bool) -> Floats:
        """(tiles, side, side): ``chart`` cut up, with a margin: its neighbours' pixels, or where it is its ``own`` only, 0."""
        around = np.pad(chart, _SHIFT)
        side = _TILE + 2 * _SHIFT
        tiles = np.stack([around[y : y + side, x : x + side] for y, x in self._corners])
        if own:
            tiles[:, :_SHIFT] = tiles[:, -_SHIFT:] = 0
            tiles[:, :, :_SHIFT] = tiles[:, :, -_SHIFT:] = 0
        return tiles


@njit(cache=True, nogil=True)
def _best(alike: Floats, moves: Indices, aim: int) -> tuple[float, int, int, int]:
    """The greatest sum over all tiles, in standard deviations, and its size and turn (a row of ``moves``) and shift."""
    tiles, side = alike.shape[0], alike.shape[1]
    middle = side // 2
    total = 0.0
    for value in alike.ravel():
        total += float(value) * float(value)
    unit = math.sqrt(total / (side * side)) + 1e-9
    best, which, down, right = -1e9, 0, 0, 0
    for m in range(len(moves)):
        for dy in range(-aim, aim + 1):
            for dx in range(-aim, aim + 1):
                summed = 0.0
                for t in range(tiles):
                    y, x = moves[m, t, 0] + dy + middle, moves[m, t, 1] + dx + middle
                    if 0 <= y < side and 0 <= x < side:
                        summed += alike[t, y, x]
                if summed > best:
                    best, which, down, right = summed, m, dy, dx
    return best / unit, which, down, right
