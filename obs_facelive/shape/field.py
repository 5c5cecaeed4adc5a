"""A field of displacements around one face: where each pixel comes from, and where each point goes to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
from numba import njit

from obs_facelive.frame import Box, Floats, Pixels

CELL = 1 / 16
"""Distance between the field's nodes, in widths of the face: about that between neighbouring landmarks."""
REACH = 0.32
"""How far around the face the field fades to nothing, in widths of the face."""
STEEPEST = 0.45
"""Most that a displacement changes by from pixel to pixel, along each axis: below 1/2 nothing folds, see `Field`."""
_ROUNDS = 6
"""Steps of the fixed-point iteration in `Field.forth`: each makes the error smaller, mostly to a tenth."""


@dataclass(frozen=True, slots=True)
class Field:
    """A rectangle of the frame in which the picture moves, exactly nothing on its outermost pixels.

    A displacement d with a Lipschitz constant below 1 makes x + d(x) invertible (Banach's fixed-point theorem). In the maximum
    norm that constant is at the most the sum of d's steepnesses along the two axes, which stay below `STEEPEST` each.

    Attributes
    ----------
    box : the rectangle, wholly inside the frame
    step : pixels from node to node
    nodes : (rows, columns, 2) float32; how far away (x, y, pixels) the picture comes from; linear in x and y between them.
        The first node lies half a step outside of the rectangle's corner.
    """

    box: Box
    step: int
    nodes: Floats

    def back(self, pixels: Pixels) -> Pixels:
        """A copy of the frame's ``pixels`` (h, w, 4), the colours moved; alpha stays."""
        left, top, right, bottom = self.box
        rows, columns = self.nodes.shape[:2]
        sources = self.nodes.copy()
        # OpenCV's coordinates: pixel centres are whole numbers.
        sources[..., 0] += (np.arange(columns, dtype=np.float32) - 0.5) * self.step + left - 0.5
        sources[..., 1] += ((np.arange(rows, dtype=np.float32) - 0.5) * self.step + top - 0.5)[:, None]
        # Nodes are the middles of cells of `step` pixels: bilinear resizing meets them exactly.
        fine = cv2.resize(sources, (columns * self.step, rows * self.step), interpolation=cv2.INTER_LINEAR)
        fine = fine[self.step : self.step + bottom - top, self.step : self.step + right - left]
        out = pixels.copy()
        moved = cv2.remap(pixels, fine, cast(Any, None), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        moved[..., 3] = pixels[top:bottom, left:right, 3]
        out[top:bottom, left:right] = moved
        return out

    def forth(self, points: Floats) -> Floats:
        """``points`` (n, 2 or 3) float32 where the moved picture shows them; a third coordinate stays."""
        moved = points.copy()
        _push(moved, np.array(self.box, np.float32), np.float32(self.step), self.nodes)
        return moved


def field(points: Floats, change: Floats, across: float, width: int, height: int) -> Field | None:
    """The field that moves ``points`` (n, 2 or more) by about ``change`` (n, 2) pixels; None where there is no room.

    Near the face it is the mean of the points' changes, weighted by distance to the power of -4 (D. Shepard, A two-dimensional
    interpolation function for irregularly-spaced data, ACM 1968); it fades within `REACH` around the face and before the edge
    of the frame.

    Parameters
    ----------
    across : width of the face in pixels
    width, height : of the frame
    """
    target = np.ascontiguousarray((points[:, :2] + change).T, np.float32)
    reach = REACH * across
    low = np.clip(np.floor(target.min(1) - reach), 0, [width, height]).astype(int)
    high = np.clip(np.ceil(target.max(1) + reach), low, [width, height]).astype(int)
    wide, tall = (int(n) for n in high - low)
    step = max(round(CELL * across), 1)
    if min(wide, tall) < 4 * step:
        return None
    nodes = np.zeros((math.ceil(tall / step) + 2, math.ceil(wide / step) + 2, 2), np.float32)
    target -= low[:, None].astype(np.float32)
    pull = np.ascontiguousarray(-change.T, np.float32)
    _spread(target, pull, np.float32(step), np.float32(wide), np.float32(tall), np.float32(reach), nodes)
    steepest = max(float(np.abs(np.diff(nodes, axis=axis)).max()) for axis in (0, 1)) / step
    if steepest > STEEPEST:
        nodes *= np.float32(STEEPEST / steepest)
    return Field((int(low[0]), int(low[1]), int(high[0]), int(high[1])), step, nodes)


@njit(cache=True, nogil=True, inline="always")
def _ease(x: Any) -> Any:
    x = min(max(x, np.float32(0)), np.float32(1))
    return x * x * (np.float32(3) - np.float32(2) * x)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _spread(
    points: Floats, pull: Floats, step: float, width: float, height: float, reach: float, nodes: Floats
) -> None:
    """Fills ``nodes``, but for those that reach the rectangle's outermost pixels, which stay 0.

    Parameters
    ----------
    points, pull : (2, n), places in the rectangle of ``width`` x ``height``, and where the picture there comes from
    """
    soft = (np.float32(0.12) * reach) ** 2
    for row in range(nodes.shape[0]):
        y = (np.float32(row) - np.float32(0.5)) * step
        edge_y = min(y, height - y) - step - np.float32(0.5)
        for column in range(nodes.shape[1]):
            x = (np.float32(column) - np.float32(0.5)) * step
            edge_x = min(x, width - x) - step - np.float32(0.5)
            if edge_x <= 0 or edge_y <= 0:
                continue
            total, dx, dy, nearest = np.float32(0), np.float32(0), np.float32(0), np.float32(1e30)
            for n in range(points.shape[1]):
                away_x, away_y = points[0, n] - x, points[1, n] - y
                away = away_x * away_x + away_y * away_y
                nearest = min(nearest, away)
                weight = np.float32(1) / ((away + soft) * (away + soft))
                total += weight
                dx += weight * pull[0, n]
                dy += weight * pull[1, n]
            # Inside of the face a point is always near; the frame's edge stays where it is.
            beyond = (math.sqrt(nearest) - np.float32(0.15) * reach) / (np.float32(0.85) * reach - step)
            share = _ease(np.float32(1) - beyond) / total
            share *= _ease(edge_x / (np.float32(0.7) * reach)) * _ease(edge_y / (np.float32(0.7) * reach))
            nodes[row, column, 0] = dx * share
            nodes[row, column, 1] = dy * share


@njit(cache=True, nogil=True, error_model="numpy")
def _push(points: Floats, box: Floats, step: float, nodes: Floats) -> None:
    """Moves each point p to the place x with x + d(x) = p, by the iteration x = p - d(x)."""
    for n in range(len(points)):
        x, y = points[n, 0], points[n, 1]
        for _ in range(_ROUNDS):
            if not (box[0] < x < box[2] and box[1] < y < box[3]):
                x, y = points[n, 0], points[n, 1]
                break
            u, v = (x - box[0]) / step + np.float32(0.5), (y - box[1]) / step + np.float32(0.5)
            i, j = int(u), int(v)
            u, v = u - i, v - j
            dx = (nodes[j, i, 0] * (1 - u) + nodes[j, i + 1, 0] * u) * (1 - v)
            dy = (nodes[j, i, 1] * (1 - u) + nodes[j, i + 1, 1] * u) * (1 - v)
            dx += (nodes[j + 1, i, 0] * (1 - u) + nodes[j + 1, i + 1, 0] * u) * v
            dy += (nodes[j + 1, i, 1] * (1 - u) + nodes[j + 1, i + 1, 1] * u) * v
            x, y = points[n, 0] - dx, points[n, 1] - dy
        points[n, 0], points[n, 1] = x, y
