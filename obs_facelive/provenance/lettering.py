"""The badge's letters and its sign, drawn from outlines: sharp at any size, in letters that OpenCV's own fonts do not have."""

from __future__ import annotations

import functools
import json
import math
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from obs_facelive.frame import Floats, Plane

Contours: TypeAlias = list[npt.NDArray[np.float64]]
"""Polygons, each (n, 2) x y in pixels; what an odd number of them holds is filled."""

_FINE = 512
"""Rows that are drawn in order to have fewer: OpenCV's polygons hold their own edge, which must be thin."""


def coverage(contours: Contours, wide: int, high: int) -> Floats:
    """How much of each pixel the contours fill, (high, wide) float32 0..1."""
    times = max(4, min(16, _FINE // high))
    fine: Plane = np.zeros((high * times, wide * times), np.uint8)
    # OpenCV's whole numbers are the pixels' middles.
    scaled = [np.round((contour * times - 0.5) * 16).astype(np.int32) for contour in contours]
    cv2.fillPoly(fine, scaled, 255, shift=4)
    mean = cv2.resize(fine, (wide, high), interpolation=cv2.INTER_AREA)
    return np.asarray(mean, np.float32) / np.float32(255)


def text(words: str, x: float, base: float, cap: float) -> tuple[Contours, float]:
    """``words`` from ``x`` on the line at height ``base``, capitals ``cap`` high, and where they end. Raises `KeyError`."""
    font = _font()
    scale = cap / font["cap"]
    contours: Contours = []
    for character in words:
        glyph = font["glyphs"][character]
        for flat in glyph["contours"]:
            contours.append(np.array(flat, np.float64).reshape(-1, 2) * scale + (x, base))
        x += glyph["advance"] * scale
    return contours, x


def plate(x: float, y: float, wide: float, high: float, radius: float) -> Contours:
    """A rectangle with round corners."""
    left, top, right, bottom = x + radius, y + radius, x + wide - radius, y + high - radius
    corners = ((right, top), (right, bottom), (left, bottom), (left, top))
    turns = np.linspace(-0.5, 0.0, 24) * math.pi
    arcs = [_arc(cx, cy, radius, radius, turns + quarter * math.pi / 2) for quarter, (cx, cy) in enumerate(corners)]
    return [np.vstack(arcs)]


def sign(x: float, y: float, size: float) -> tuple[Contours, float]:
    """Our sign for "this face is changed": a face of which one half is drawn and one is solid, and a spark. And its width.

    ``size``: its height; at ``x``, ``y`` is its top left corner.
    """
    wide, high, line = 0.36 * size, 0.45 * size, 0.085 * size
    cx, cy = x + wide, y + size - high
    around = np.linspace(0, 2, 96) * math.pi
    left = np.linspace(0.5, 1.5, 48) * math.pi
    eye, apart, eyes = 0.062 * size, 0.155 * size, cy - 0.09 * size
    smile = np.linspace(0.18, 0.5, 24) * math.pi
    mouths: Contours = []
    for side in (-1, 1):
        outer = _arc(cx, cy, 0.2 * size, 0.25 * size, smile)
        inner = _arc(cx, cy, 0.2 * size - 0.6 * line, 0.25 * size - 0.8 * line, smile)[::-1]
        piece = np.vstack((outer, inner))
        piece[:, 0] = np.maximum(piece[:, 0], cx)
        mouths.append((piece - (cx, 0)) * (side, 1) + (cx, 0))
    contours = [
        _arc(cx, cy, wide, high, around),
        _arc(cx, cy, wide - line, high - line, left),
        *(_arc(cx + side * apart, eyes, eye, 1.25 * eye, around) for side in (-1, 1)),
        *mouths,
        _spark(x + 2 * wide + 0.03 * size, y + 0.17 * size, 0.19 * size),
    ]
    return contours, 2 * wide + 0.2 * size


def _arc(x: float, y: float, wide: float, high: float, turns: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.stack((x + wide * np.cos(turns), y + high * np.sin(turns)), axis=1)


def _spark(x: float, y: float, size: float) -> npt.NDArray[np.float64]:
    """A star of four points, with hollow sides."""
    quarter = np.linspace(0, 0.5, 12)[:-1] * math.pi
    hollow = np.stack(
        (1 - np.sin(quarter), 1 - np.cos(quarter)), axis=1
    )  # from (1, 0) to (0, 1) along a circle at (1, 1)
    points = [hollow]
    for _ in range(3):
        points.append(points[-1] @ np.array([[0, 1], [-1, 0]]))
    return np.vstack(points) * size + (x, y)


@functools.cache
def _font() -> Any:
    return json.loads((Path(__file__).parent / "glyphs.json").read_text(encoding="utf-8"))
