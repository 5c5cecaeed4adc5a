"""Moving a finished swap onto newer landmarks, so that the picture moves at the camera's rate, however slow the swapper is."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numba import njit

from obs_facelive.frame import Floats, Layer
from obs_facelive.geometry import similarity

_NODES = 32
"""Nodes of the field of displacements along the longer side: about half the distance between neighbouring landmarks."""


def rewarp(layer: Layer, old: Floats, new: Floats, width: int, height: int) -> Layer:
    """``layer``, made for the face with the ``old`` points, for the same face with the ``new`` ones (n, 3), pixels.

    The head's movement is a similarity; what is left over, the expression's, is spread smoothly between the points: at each node
    of a coarse grid the mean of the points' displacements, weighted by distance to the power of -4 (D. Shepard, A
    two-dimensional interpolation function for irregularly-spaced data, ACM 1968). The layer lies wholly inside a frame of
    ``width`` x ``height``.
    """
    tall, wide = layer.mask.shape
    if not layer.mask.size:
        return layer
    source, target = old[:, :2].astype(np.float64), new[:, :2].astype(np.float64)
    back = similarity(target, source)
    rest = (source - (target @ back[:, :2].T + back[:, 2])).astype(np.float32)
    forth = similarity(source, target)
    corners = np.array([[layer.x, layer.y], [layer.x + wide, layer.y], [layer.x, layer.y + tall]], np.float64)
    corners = np.vstack([corners, [layer.x + wide, layer.y + tall]]) @ forth[:, :2].T + forth[:, 2]
    air = float(np.abs(rest).max()) * math.sqrt(abs(float(np.linalg.det(forth[:, :2]))))
    low = np.clip(np.floor(corners.min(0) - air), 0, [width, height]).astype(int)
    high = np.clip(np.ceil(corners.max(0) + air), low, [width, height]).astype(int)
    w, h = (int(n) for n in high - low)
    if w == 0 or h == 0:
        return Layer(int(low[0]), int(low[1]), np.zeros((h, w, 3), np.uint8), np.zeros((h, w), np.uint8))
    step = max(w, h) / _NODES
    nodes = np.empty((math.ceil(h / step) + 1, math.ceil(w / step) + 1, 2), np.float32)
    _field(new[:, :2] - low.astype(np.float32), rest, np.float32(step), nodes)
    sources = np.empty((h, w, 2), np.float32)
    shifted = back.copy()
    shifted[:, 2] += back[:, :2] @ low - [layer.x, layer.y]
    _sources(nodes, np.float32(1 / step), shifted.astype(np.float32), sources)
    pixels = cv2.remap(layer.pixels, sources, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.remap(layer.mask, sources, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0.0)
    return Layer(int(low[0]), int(low[1]), np.asarray(pixels, np.uint8), np.asarray(mask, np.uint8))


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _field(points: Floats, rest: Floats, step: float, nodes: Floats) -> None:
    """The displacements ``rest`` of ``points`` (both (n, 2)) at nodes that lie ``step`` pixels apart."""
    near = np.float32(0.0625) * step * step
    for row in range(nodes.shape[0]):
        for column in range(nodes.shape[1]):
            x, y = np.float32(column) * step, np.float32(row) * step
            total, dx, dy = np.float32(0), np.float32(0), np.float32(0)
            for n in range(len(points)):
                away = (points[n, 0] - x) ** 2 + (points[n, 1] - y) ** 2 + near
                weight = np.float32(1) / (away * away)
                total += weight
                dx += weight * rest[n, 0]
                dy += weight * rest[n, 1]
            nodes[row, column, 0], nodes[row, column, 1] = dx / total, dy / total


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _sources(nodes: Floats, per_pixel: float, back: Floats, out: Floats) -> None:
    """For each pixel's centre the place in the old layer that it comes from, in OpenCV's coordinates (centres at 0)."""
    for y in range(out.shape[0]):
        ny = (y + np.float32(0.5)) * per_pixel
        row = min(int(ny), nodes.shape[0] - 2)
        fy = ny - row
        for x in range(out.shape[1]):
            nx = (x + np.float32(0.5)) * per_pixel
            column = min(int(nx), nodes.shape[1] - 2)
            fx = nx - column
            px, py = np.float32(x + 0.5), np.float32(y + 0.5)
            for k in range(2):
                top = nodes[row, column, k] + (nodes[row, column + 1, k] - nodes[row, column, k]) * fx
                below = nodes[row + 1, column, k] + (nodes[row + 1, column + 1, k] - nodes[row + 1, column, k]) * fx
                rest = top + (below - top) * fy
                out[y, x, k] = back[k, 0] * px + back[k, 1] * py + back[k, 2] + rest - np.float32(0.5)
