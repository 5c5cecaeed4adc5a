"""A field of displacements around one face: where each pixel comes from, and where each point goes to."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from obs_facelive.frame import Floats, Pixels

CELL = 1 / 14
"""Distance between the field's nodes, in widths of the face: about that between neighbouring landmarks."""
REACH = 0.4
"""How far around the face the field fades to nothing, in widths of the face."""
STEEPEST = 0.45
"""Most that a displacement changes by from pixel to pixel, along each axis: below 1/2 nothing folds, see `Field`."""
_ROUNDS = 6
"""Steps of the fixed-point iteration in `Field.forth`: each makes the error smaller by more than half, mostly by 9/10."""


@dataclass(frozen=True, slots=True)
class Field:
    """A rectangle of the frame in which the picture moves, exactly nothing on its outermost pixels.

    A displacement d with Lipschitz constant below 1 makes x + d(x) invertible (Banach's fixed-point theorem). In the maximum
    norm that constant is at the most the sum of d's two steepnesses, which stay below `STEEPEST` each.

    Attributes
    ----------
    x, y, width, height : the rectangle, in the frame's pixels, wholly inside the frame
    nodes : (rows, columns, 2) float32; at nodes spread evenly from the first pixel's centre to the last one's, how far away (x,
        y, pixels) the picture comes from; linear in x and y between them
    """

    x: int
    y: int
    width: int
    height: int
    nodes: Floats

    def back(self, pixels: Pixels) -> Pixels:
        """A copy of the frame's ``pixels`` (h, w, 4), moved."""
        out = pixels.copy()
        _pull(pixels, self.x, self.y, self.width, self.height, self.nodes, out)
        return out

    def forth(self, points: Floats) -> Floats:
        """``points`` (n, 2 or 3) float32 where the moved picture shows them; a third coordinate stays."""
        moved = points.copy()
        _push(points, self.x, self.y, self.width, self.height, self.nodes, moved)
        return moved


def field(points: Floats, change: Floats, across: float, width: int, height: int) -> Field | None:
    """The field that moves ``points`` (n, 2 or more) by about ``change`` (n, 2) pixels; None where there is nothing to move.

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
    if min(wide, tall) < 4 or across < 4:
        return None
    cell = max(CELL * across, 1.0)
    nodes = np.zeros((math.ceil(tall / cell) + 1, math.ceil(wide / cell) + 1, 2), np.float32)
    step = (wide - 1) / (nodes.shape[1] - 1), (tall - 1) / (nodes.shape[0] - 1)
    target -= low[:, None] + np.float32(0.5)
    pull = np.ascontiguousarray(-change.T, np.float32)
    _spread(target, pull, np.float32(step[0]), np.float32(step[1]), np.float32(reach), nodes)
    steepest = max(
        float(np.abs(np.diff(nodes, axis=axis)).max()) / step[1 - axis] for axis in (0, 1) if nodes.shape[axis] > 1
    )
    if steepest > STEEPEST:
        nodes *= np.float32(STEEPEST / steepest)
    return Field(int(low[0]), int(low[1]), wide, tall, nodes)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _spread(points: Floats, pull: Floats, step_x: float, step_y: float, reach: float, nodes: Floats) -> None:
    """Fills ``nodes`` but for the outermost, which stay 0.

    Parameters
    ----------
    points, pull : (2, n), places in the rectangle (pixel centres at whole numbers) and where the picture there comes from
    """
    rows, columns = nodes.shape[0], nodes.shape[1]
    soft = (np.float32(0.12) * reach) ** 2
    for row in range(1, rows - 1):
        y = np.float32(row) * step_y
        for column in range(1, columns - 1):
            x = np.float32(column) * step_x
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
            beyond = max(math.sqrt(nearest) - np.float32(0.1) * reach, np.float32(0)) / (np.float32(0.9) * reach)
            edge_x = min(x, np.float32(columns - 1) * step_x - x) / (np.float32(0.75) * reach)
            edge_y = min(y, np.float32(rows - 1) * step_y - y) / (np.float32(0.75) * reach)
            share = _ease(np.float32(1) - beyond) * _ease(edge_x) * _ease(edge_y) / total
            nodes[row, column, 0] = dx * share
            nodes[row, column, 1] = dy * share


@njit(cache=True, nogil=True, inline="always")
def _ease(x: float) -> float:
    x = min(max(x, np.float32(0)), np.float32(1))
    return x * x * (np.float32(3) - np.float32(2) * x)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _pull(pixels: Pixels, left: int, top: int, width: int, height: int, nodes: Floats, out: Pixels) -> None:
    """Writes the moved pixels of the rectangle into ``out``, where anything moves."""
    rows, columns = nodes.shape[0] - 1, nodes.shape[1] - 1
    step_x, step_y = np.float32((width - 1) / columns), np.float32((height - 1) / rows)
    last_x, last_y = pixels.shape[1] - 2, pixels.shape[0] - 2
    for y in range(1, height - 1):
        at = np.float32(y) / step_y
        row = min(int(at), rows - 1)
        down = at - np.float32(row)
        for column in range(columns):
            ax = nodes[row, column, 0] + (nodes[row + 1, column, 0] - nodes[row, column, 0]) * down
            ay = nodes[row, column, 1] + (nodes[row + 1, column, 1] - nodes[row, column, 1]) * down
            bx = nodes[row, column + 1, 0] + (nodes[row + 1, column + 1, 0] - nodes[row, column + 1, 0]) * down
            by = nodes[row, column + 1, 1] + (nodes[row + 1, column + 1, 1] - nodes[row, column + 1, 1]) * down
            if ax == 0 and ay == 0 and bx == 0 and by == 0:
                continue
            first = max(1, math.ceil(np.float32(column) * step_x))
            last = min(width - 1, math.ceil(np.float32(column + 1) * step_x))
            part = np.float32(first) / step_x - np.float32(column)
            slope_x, slope_y = (bx - ax) / step_x, (by - ay) / step_x
            ax += (bx - ax) * part
            ay += (by - ay) * part
            for n in range(last - first):
                x = left + first + n
                from_x, from_y = np.float32(x) + ax + slope_x * n, np.float32(top + y) + ay + slope_y * n
                from_x = min(max(from_x, np.float32(0)), np.float32(last_x + 1))
                from_y = min(max(from_y, np.float32(0)), np.float32(last_y + 1))
                ix, iy = min(int(from_x), last_x), min(int(from_y), last_y)
                fx, fy = int((from_x - ix) * np.float32(256)), int((from_y - iy) * np.float32(256))
                w11 = fx * fy
                w01, w10 = fx * 256 - w11, fy * 256 - w11
                w00 = 65536 - w11 - w01 - w10
                for k in range(4):
                    out[top + y, x, k] = (
                        pixels[iy, ix, k] * w00
                        + pixels[iy, ix + 1, k] * w01
                        + pixels[iy + 1, ix, k] * w10
                        + pixels[iy + 1, ix + 1, k] * w11
                        + 32768
                    ) >> 16


@njit(cache=True, nogil=True, error_model="numpy")
def _push(points: Floats, left: int, top: int, width: int, height: int, nodes: Floats, moved: Floats) -> None:
    """For each point p the place x with x + d(x) = p, by the iteration x = p - d(x)."""
    rows, columns = nodes.shape[0] - 1, nodes.shape[1] - 1
    for n in range(len(points)):
        x, y = points[n, 0], points[n, 1]
        for _ in range(_ROUNDS):
            u = (x - left - np.float32(0.5)) * columns / (width - 1)
            v = (y - top - np.float32(0.5)) * rows / (height - 1)
            if not (0 < u < columns and 0 < v < rows):
                x, y = points[n, 0], points[n, 1]
                break
            i, j = int(u), int(v)
            fu, fv = u - i, v - j
            dx = (nodes[j, i, 0] * (1 - fu) + nodes[j, i + 1, 0] * fu) * (1 - fv)
            dy = (nodes[j, i, 1] * (1 - fu) + nodes[j, i + 1, 1] * fu) * (1 - fv)
            dx += (nodes[j + 1, i, 0] * (1 - fu) + nodes[j + 1, i + 1, 0] * fu) * fv
            dy += (nodes[j + 1, i, 1] * (1 - fu) + nodes[j + 1, i + 1, 1] * fu) * fv
            x, y = points[n, 0] - dx, points[n, 1] - dy
        moved[n, 0], moved[n, 1] = x, y
