"""What an enhancer adds to a swapped face, apart from the face: it can be laid on thinner, and moved with the face.

A detail is a `Layer` whose pixels are differences, `NOTHING` for none, and whose mask says how far they count. So the layer
that gets it keeps what it had: nothing is blurred by going through the network's square, and nothing outside of the swapper's
mask changes.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from obs_facelive.enhance import EnhanceError, Enhancer
from obs_facelive.frame import Face, Floats, Frame, Layer, Pixels, Plane
from obs_facelive.swap.align import Matrix, five_points, placement

NOTHING: Final = 128
"""The level of a difference of 0."""
FARTHEST: Final = 48.0
"""Levels that an enhancer may change between the eyes and the mouth, in the mean: the good ones change about ten."""
FLATTEST: Final = 2.0
"""Standard deviation, in levels, that a face has there at least."""
FEATHER: Final = 0.08
"""Share of the crop's side over which a detail fades out towards its edge."""


def detail_of(enhancer: Enhancer, frame: Frame, face: Face, layer: Layer, fidelity: float) -> Layer:
    """What ``enhancer`` adds to ``layer``, which is a swapper's for ``face``, on the layer's own rectangle.

    The network sees the layer laid over the frame, as in other programs: hair and neck around the face help it. Raises
    `EnhanceError` where what it gives is no picture of that face, and what `Enhancer.run` raises.
    """
    size, five = enhancer.size, five_points(face.points)
    matrix = placement(five, enhancer.template, size)
    given = _given(frame, layer, matrix, size)
    made = enhancer.run(given, fidelity)
    _check(given, made, five @ matrix[:, :2].T + matrix[:, 2])
    both = cv2.cvtColor(cv2.addWeighted(made, 1, given, -1, NOTHING), cv2.COLOR_BGR2BGRA)
    cv2.insertChannel(_edge(size), both, 3)
    # A small face in a large picture: what is thrown away is averaged, or it would flicker.
    times = int(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if times > 1:
        both = cv2.resize(both, (size // times, size // times), interpolation=cv2.INTER_AREA)
        matrix *= (size // times) / size
        matrix[:, 2] += 0.5 * (size // times) / size - 0.5
    height, width = layer.mask.shape
    moved = cv2.warpAffine(
        both,
        _shifted(matrix, layer.x, layer.y),
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderValue=(NOTHING, NOTHING, NOTHING, 0),
    )
    weight = np.asarray(cv2.extractChannel(moved, 3), np.uint8)
    weight[[0, -1]] = weight[:, [0, -1]] = 0  # so that a detail that is moved on ends softly
    return Layer(layer.x, layer.y, np.asarray(cv2.cvtColor(moved, cv2.COLOR_BGRA2BGR), np.uint8), weight)


def with_detail(layer: Layer, detail: Layer, share: float) -> Layer:
    """``layer`` with ``share`` (0..1) of ``detail``, which lies anywhere in the same frame."""
    x, y = max(layer.x, detail.x), max(layer.y, detail.y)
    right = min(layer.x + layer.mask.shape[1], detail.x + detail.mask.shape[1])
    bottom = min(layer.y + layer.mask.shape[0], detail.y + detail.mask.shape[0])
    if right <= x or bottom <= y:
        return layer
    own = slice(y - layer.y, bottom - layer.y), slice(x - layer.x, right - layer.x)
    its = slice(y - detail.y, bottom - detail.y), slice(x - detail.x, right - detail.x)
    pixels = layer.pixels.copy()
    raised = cv2.addWeighted(pixels[own], 1, detail.pixels[its], 1, -NOTHING)
    counts = cv2.multiply(layer.mask[own], detail.mask[its], scale=share / 255**2, dtype=cv2.CV_32F)
    pixels[own] = _mixed(pixels[own], raised, counts)
    return Layer(layer.x, layer.y, pixels, layer.mask, layer.grain)


def _given(frame: Frame, layer: Layer, matrix: Matrix, size: int) -> Pixels:
    """(size, size, 3) uint8 BGR: ``layer`` over ``frame``, as ``matrix`` places it; only that part of the frame is touched."""
    ends = np.array([[0, 0], [size, 0], [0, size], [size, size]], np.float64)
    back = cv2.invertAffineTransform(matrix)
    corners = ends @ back[:, :2].T + back[:, 2]
    limits = [frame.width, frame.height]
    low = np.clip(np.floor(corners.min(0)) - 1, 0, limits).astype(int)
    high = np.clip(np.ceil(corners.max(0)) + 2, low, limits).astype(int)
    (x, y), (right, bottom) = low.tolist(), high.tolist()
    if right <= x or bottom <= y:
        raise EnhanceError("the face lies outside of the picture")
    canvas = cv2.cvtColor(frame.pixels[y:bottom, x:right], cv2.COLOR_BGRA2BGR)
    height, width = layer.mask.shape
    left, top = max(x, layer.x), max(y, layer.y)
    ends_x, ends_y = min(right, layer.x + width), min(bottom, layer.y + height)
    if ends_x > left and ends_y > top:
        own = slice(top - layer.y, ends_y - layer.y), slice(left - layer.x, ends_x - layer.x)
        below = canvas[top - y : ends_y - y, left - x : ends_x - x]
        below[:] = _mixed(below, layer.pixels[own], layer.mask[own] * np.float32(1 / 255))
    placed = cv2.warpAffine(
        canvas, _shifted(matrix, x, y), (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(placed, np.uint8)


def _mixed(below: npt.ArrayLike, above: npt.ArrayLike, share: npt.ArrayLike) -> Pixels:
    """``share`` (h, w) 0..1 of ``above`` over ``below``, both (h, w, 3) uint8."""
    shown = np.asarray(share, np.float32)
    mixed = cv2.blendLinear(np.asarray(below, np.uint8), np.asarray(above, np.uint8), 1 - shown, shown)
    return np.asarray(mixed, np.uint8)


def _shifted(matrix: Matrix, x: int, y: int) -> Matrix:
    """``matrix`` for a picture whose first pixel is the frame's (x, y)."""
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ [x, y]
    return shifted


def _check(given: Pixels, made: Pixels, five: Floats | npt.NDArray[np.float64]) -> None:
    """Raises `EnhanceError` where ``made`` is not a picture of the face with ``five`` points (5, 2) in ``given``."""
    middle = np.zeros(given.shape[:2], np.uint8)
    cv2.fillConvexPoly(middle, cv2.convexHull(np.round(five).astype(np.int32)), 255)
    if cv2.meanStdDev(made, mask=middle)[1].max() < FLATTEST:
        raise EnhanceError("the enhancer's picture is empty: one flat colour. Its model may be broken.")
    if np.mean(cv2.mean(cv2.absdiff(given, made), middle)[:3]) > FARTHEST:
        raise EnhanceError("the enhancer's picture is another one than the face's. It may be no enhancer.")


@cache
def _edge(size: int) -> Plane:
    """(size, size): 255 in the middle, 0 at the edge."""
    apart = np.minimum(np.arange(size), np.arange(size)[::-1]) / (size * FEATHER)
    ramp = np.clip(apart, 0, 1) ** 2 * (3 - 2 * np.clip(apart, 0, 1))
    edge = np.asarray(np.round(np.outer(ramp, ramp) * 255), np.uint8)
    edge.flags.writeable = False
    return edge
