"""Moving a finished swap onto newer landmarks, so that the picture moves at the camera's rate, however slow the swapper is."""

from __future__ import annotations

import math
from typing import Any, cast

import cv2
import numpy as np
from numba import njit

from obs_facelive.frame import Floats, Layer
from obs_facelive.geometry import similarity

_NODES = 32
"""Nodes of the field of displacements along the longer side: about half the distance between neighbouring landmarks."""


def rewarp(layer: Layer, old: Floats, new: Floats, width: int, height: int) -> Layer:
    """``layer``, made for the face with the ``old`` points, for the same face with the ``new`` ones (n, 3), pixels.

    The head's movement is a similarity; what is left over, the expression's, is spread smoothly between the points: at each
    node of a coarse grid the mean of the points' displacements, weighted by distance to the power of -4 (D. Shepard, A
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
    # Nodes lie in the middle of cells of `step` pixels, one cell around the layer: bilinear resizing meets them exactly.
    step = max(1, math.ceil(max(w, h) / _NODES))
    nodes = np.empty((math.ceil(h / step) + 2, math.ceil(w / step) + 2, 2), np.float32)
    shifted = back.astype(np.float32)
    shifted[:, 2] += np.asarray(back[:, :2] @ low - [layer.x, layer.y] - 0.5, np.float32)
    target -= low
    _sources(np.ascontiguousarray(target.T, np.float32), np.ascontiguousarray(rest.T), shifted, np.float32(step), nodes)
    size = nodes.shape[1] * step, nodes.shape[0] * step
    sources = np.asarray(cv2.resize(nodes, size, interpolation=cv2.INTER_LINEAR), np.float32)
    sources = sources[step : step + h, step : step + w]
    both = cv2.cvtColor(layer.pixels, cv2.COLOR_BGR2BGRA)
    cv2.insertChannel(layer.mask, both, 3)
    moved = cv2.remap(both, sources, cast(Any, None), cv2.INTER_LINEAR, borderValue=0.0)
    pixels, mask = cv2.cvtColor(moved, cv2.COLOR_BGRA2BGR), cv2.extractChannel(moved, 3)
    return Layer(int(low[0]), int(low[1]), np.asarray(pixels, np.uint8), np.asarray(mask, np.uint8), layer.grain)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _sources(points: Floats, rest: Floats, back: Floats, step: float, nodes: Floats) -> None:
    """For each node (rows, columns, 2) the place in the old layer, in OpenCV's coordinates (centres at 0).

    Parameters
    ----------
    points, rest : (2, n) places in the new layer, and what ``back`` misses the old places by
    back : (2, 3) from the new layer to the old one
    """
    near = np.float32(0.0625) * step * step
    for row in range(nodes.shape[0]):
        for column in range(nodes.shape[1]):
            x, y = (np.float32(column) - np.float32(0.5)) * step, (np.float32(row) - np.float32(0.5)) * step
            total, dx, dy = np.float32(0), np.float32(0), np.float32(0)
            for n in range(points.shape[1]):
                away_x, away_y = points[0, n] - x, points[1, n] - y
                away = away_x * away_x + away_y * away_y + near
                weight = np.float32(1) / (away * away)
                total += weight
                dx += weight * rest[0, n]
                dy += weight * rest[1, n]
            nodes[row, column, 0] = back[0, 0] * x + back[0, 1] * y + back[0, 2] + dx / total
            nodes[row, column, 1] = back[1, 0] * x + back[1, 1] * y + back[1, 2] + dy / total
