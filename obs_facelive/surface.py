"""The live face laid out flat: its picture in the canonical face's texture coordinates, fast enough for every frame."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt
from numba import njit

from obs_facelive.frame import Floats, Pixels
from obs_facelive.topology import CanonicalFace, Indices

SIZE = 128
"""Texels of a side of `Surface.hidden`."""
FINE = 256
"""Texels of a side of `Surface.live`."""
_FINER = 2.0
"""Pixels of the picture for one texel from which on the picture is averaged down first."""


class Unwrapper:
    """Lays faces out flat.

    Parameters
    ----------
    size : texels of a side

    Attributes
    ----------
    inside : (size, size) bool, the texels that the canonical face covers
    """

    def __init__(self, canonical: CanonicalFace, size: int) -> None:
        self.size = size
        self._corners, self._weights = _places(canonical, size)
        self.inside: npt.NDArray[np.bool_] = self._corners[..., 0] >= 0

    def unwrap(self, pixels: Pixels, points: Floats) -> Pixels:
        """(size, size, 3) uint8 BGR of the face with ``points`` (>= 468, 2 or more) in ``pixels`` (h, w, 3 or 4).

        0 where the canonical face has nothing; what lies outside of the picture shows its border.
        """
        low, part = _around(pixels, points)
        shrink = min(1.0, self.size * _FINER / max(1.0, float(np.ptp(points[:, 0]))))
        if shrink < 1.0:
            wide, high = max(2, math.ceil(part.shape[1] * shrink)), max(2, math.ceil(part.shape[0] * shrink))
            small = cv2.resize(part, (wide, high), interpolation=cv2.INTER_AREA)
            scale = np.array([wide / part.shape[1], high / part.shape[0]], np.float32)
        else:
            small, scale = part, np.ones(2, np.float32)
        at = ((points[:, :2] - low) * scale - np.float32(0.5)).astype(np.float32)
        out = np.zeros((self.size, self.size, 3), np.uint8)
        _sample(small, at, self._corners, self._weights, out)
        return out

    def brightness(self, pixels: Pixels, points: Floats) -> Floats:
        """(size, size) float32 0..255: `unwrap` in gray, in a third of the time; 0 where the canonical face has nothing."""
        low, part = _around(pixels, points)
        gray = cv2.cvtColor(part, cv2.COLOR_BGRA2GRAY if part.shape[2] == 4 else cv2.COLOR_BGR2GRAY)
        # Whole numbers of pixels are averaged far faster than fractions of them.
        side = min(int(np.ptp(points[:, 0]) / (self.size * _FINER) + 0.5), *gray.shape)
        if side > 1:
            high, wide = gray.shape[0] // side, gray.shape[1] // side
            gray = cv2.resize(gray[: high * side, : wide * side], (wide, high), interpolation=cv2.INTER_AREA)
        at = (points[:, :2] - low) / np.float32(max(1, side)) - np.float32(0.5)
        flat = cv2.remap(
            gray, self.spread(at[:, 0]), self.spread(at[:, 1]), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(flat, np.float32) * self.inside

    def spread(self, values: Floats) -> Floats:
        """(size, size) float32: ``values`` (468,) at the points, linear between them, 0 outside."""
        out = np.zeros((self.size, self.size), np.float32)
        _interpolate(np.ascontiguousarray(values, np.float32), self._corners, self._weights, out)
        return out


def _around(pixels: Pixels, points: Floats) -> tuple[Floats, Pixels]:
    """The part of ``pixels`` that holds ``points``, after its upper left corner."""
    height, width = pixels.shape[:2]
    low = np.clip(np.floor(points[:, :2].min(0)) - 2, 0, [width - 1, height - 1]).astype(int)
    high = np.clip(np.ceil(points[:, :2].max(0)) + 2, low + 1, [width, height]).astype(int)
    return low.astype(np.float32), pixels[low[1] : high[1], low[0] : high[0]]


def _places(canonical: CanonicalFace, size: int) -> tuple[Indices, Floats]:
    """For each texel the three points around it (-1 outside of the face) and their weights: (size, size, 3) each."""
    corners = np.full((size, size, 3), -1, np.int32)
    weights = np.zeros((size, size, 3), np.float32)
    _fill(np.ascontiguousarray(canonical.uv * size, np.float32), canonical.triangles, corners, weights)
    return corners, weights


@njit(cache=True, nogil=True)
def _fill(uv: Floats, triangles: Indices, corners: Indices, weights: Floats) -> None:
    size = corners.shape[0]
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay, bx, by, cx, cy = uv[a, 0], uv[a, 1], uv[b, 0], uv[b, 1], uv[c, 0], uv[c, 1]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if abs(area) < 1e-9:
            continue
        x0, x1 = max(0, math.floor(min(ax, bx, cx))), min(size - 1, math.ceil(max(ax, bx, cx)))
        y0, y1 = max(0, math.floor(min(ay, by, cy))), min(size - 1, math.ceil(max(ay, by, cy)))
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                px, py = np.float32(x + 0.5), np.float32(y + 0.5)
                wb = ((px - ax) * (cy - ay) - (py - ay) * (cx - ax)) / area
                wc = ((bx - ax) * (py - ay) - (by - ay) * (px - ax)) / area
                wa = 1 - wb - wc
                if wa >= -1e-4 and wb >= -1e-4 and wc >= -1e-4:
                    corners[y, x, 0], corners[y, x, 1], corners[y, x, 2] = a, b, c
                    weights[y, x, 0], weights[y, x, 1], weights[y, x, 2] = wa, wb, wc


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _sample(pixels: Pixels, at: Floats, corners: Indices, weights: Floats, out: Pixels) -> None:
    height, width = pixels.shape[:2]
    size = out.shape[0]
    for y in range(size):
        for x in range(size):
            a, b, c = corners[y, x, 0], corners[y, x, 1], corners[y, x, 2]
            if a < 0:
                continue
            wa, wb, wc = weights[y, x, 0], weights[y, x, 1], weights[y, x, 2]
            u = wa * at[a, 0] + wb * at[b, 0] + wc * at[c, 0]
            v = wa * at[a, 1] + wb * at[b, 1] + wc * at[c, 1]
            u = min(max(u, np.float32(0)), np.float32(width - 1))
            v = min(max(v, np.float32(0)), np.float32(height - 1))
            column, row = min(int(u), max(width - 2, 0)), min(int(v), max(height - 2, 0))
            right, below = min(column + 1, width - 1), min(row + 1, height - 1)
            fx, fy = u - column, v - row
            w11 = fx * fy
            w10, w01 = fy - w11, fx - w11
            w00 = np.float32(1) - fx - w10
            for k in range(3):
                value = (
                    pixels[row, column, k] * w00
                    + pixels[row, right, k] * w01
                    + pixels[below, column, k] * w10
                    + pixels[below, right, k] * w11
                )
                out[y, x, k] = np.uint8(value + np.float32(0.5))


@njit(cache=True, nogil=True, fastmath=True)
def _interpolate(values: Floats, corners: Indices, weights: Floats, out: Floats) -> None:
    size = out.shape[0]
    for y in range(size):
        for x in range(size):
            a, b, c = corners[y, x, 0], corners[y, x, 1], corners[y, x, 2]
            if a >= 0:
                out[y, x] = weights[y, x, 0] * values[a] + weights[y, x, 1] * values[b] + weights[y, x, 2] * values[c]
