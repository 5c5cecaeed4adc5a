"""The live skin around the mask (neck, ears, the rest of the forehead) in the persona's tone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from numba import njit

from obs_facelive.frame import Face, Floats, Frame, Layer, Patch, Pixels, Plane
from obs_facelive.known_faces import KnownFaces
from obs_facelive.swap.expression import follow
from obs_facelive.swap.light import log_odds
from obs_facelive.topology import CHIN, FACE_OVAL, FOREHEAD

GRID = (60, 48)
"""Rows and columns of the grid, fixed to the face, in which skin is known."""
SPAN = (-0.85, -0.25, 0.85, 1.65)
"""Left, top, right, bottom of the grid: x in widths of the face from its middle, y in heights from the forehead's top."""
LOWER = np.array([k for k in FACE_OVAL if k not in (10, 338, 297, 332, 284, 251, 21, 54, 103, 67, 109)], np.int32)
"""Points of the outline below the temples."""
INWARDS = 0.3
"""How far towards the face's middle the two skins are compared: there the persona's tone is its own."""
QUICK = 0.3
"""Seconds in which what is known of the skin follows the picture."""
FINE = 90.0
"""Width of a face in the small picture that skin is found in."""
AGAIN = 0.1
"""Seconds after which a neck is looked at anew."""
FORGET = 1.0
"""Seconds after which a face that was not seen starts afresh."""
HUE = 0.35
"""Log-odds by which the hue of one person's skin differs from place to place (standard deviation)."""
DARKER, BRIGHTER, SHADE = -0.9, 0.9, 0.4
"""Log-odds between which light and shade change its brightness, and how softly that ends."""
MOST = 2.0
"""Log-odds that the tone is changed by at the most."""

_ODDS = np.clip(log_odds(np.arange(256, dtype=np.float32)), -2.5, 2.2)
"""Hue says nothing in black and in white that the camera cuts off."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is remembered about one face.

    Attributes
    ----------
    skin : `GRID` float32 0..1, where its skin is
    tone, beside, shift : (3,), (2, 3), (3,) float32 log-odds of the skin, of what is left and right of the head, and what the
        persona's skin differs by
    """

    skin: Floats
    tone: Floats
    beside: Floats
    shift: Floats


class Neck:
    """Finds each live face's skin around the mask and tints it; remembers it to keep it steady."""

    def __init__(self) -> None:
        self._prior = _prior()
        self._known = KnownFaces[int, _Known](FORGET)

    def tinted(self, frame: Frame, face: Face, layer: Layer, hole: Plane, share: float) -> Patch:
        """A copy of ``frame``'s pixels around ``face`` and ``layer``, the skin tinted; the outermost pixels are the frame's.

        Parameters
        ----------
        hole : (h, w) uint8, as large as the layer: where the live eyes and mouth are seen, 255 leaves them as they are
        share : 0..1, how far the persona's tone goes over
        """
        grid = _grid_to_frame(face.points)
        x0, y0, x1, y1 = SPAN
        corners = np.array([[x0, y0], [x1, y0], [x0, y1], [x1, y1]], np.float32) @ grid[:, :2].T + grid[:, 2]
        tall, wide = layer.mask.shape
        end = np.array([frame.width, frame.height])
        low = np.minimum(np.clip(np.floor(corners.min(0)), 0, end), [layer.x, layer.y]).astype(int)
        high = np.maximum(np.clip(np.ceil(corners.max(0)), 0, end), [layer.x + wide, layer.y + tall]).astype(int)
        out = frame.pixels[low[1] : high[1], low[0] : high[0]].copy()
        patch = Patch(int(low[0]), int(low[1]), out)
        # Every few pixels, blurred, are a mean that is good enough, and far quicker than one of all of them.
        step = min(max(1, int(float(np.linalg.norm(grid[:, 0])) / FINE)), *out.shape[:2])
        few = np.ascontiguousarray(out[step // 2 :: step, step // 2 :: step])
        small, size = np.asarray(cv2.blur(few, (3, 3)), np.uint8), few.shape[1::-1]
        to_cells = _to_cells(grid, low, np.array(out.shape[1::-1]) / size)
        known = self._seen(frame, face, layer, small, to_cells)
        if known is None:
            return patch
        skin = (known.skin * np.float32(share * 255)).astype(np.uint8)
        where = cv2.warpAffine(skin, to_cells, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        where = where * _likeness(small, known.tone, known.beside)
        where = cv2.resize(where.astype(np.uint8), out.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        part = where[layer.y - low[1] :, layer.x - low[0] :][:tall, :wide]
        np.minimum(part, 255 - hole, out=part)
        _tint(out, np.asarray(where, np.uint8), _tables(known.shift))
        return patch

    def _seen(self, frame: Frame, face: Face, layer: Layer, small: Pixels, to_cells: Floats) -> _Known | None:
        """What is known of ``face`` after this ``frame``, from a ``small`` picture of it; None where its skin is not seen."""
        recalled = self._known.recall(face.track, frame.time)
        if recalled and recalled[1] < AGAIN:
            return recalled[0]
        tones = _tones(frame, face, layer)
        if tones is None:
            return recalled[0] if recalled else None
        tone, shift = tones
        cells = cv2.warpAffine(small, to_cells, GRID[::-1], flags=cv2.INTER_LINEAR)
        beside = _sides(np.asarray(cells, np.uint8))
        if recalled:
            old, elapsed = recalled
            tone, beside = follow(old.tone, tone, elapsed, QUICK), follow(old.beside, beside, elapsed, QUICK)
        skin = _likeness(np.asarray(cells, np.uint8), tone, beside) * self._prior
        skin = np.asarray(cv2.GaussianBlur(skin, (0, 0), 0.8), np.float32)
        if recalled:
            skin = follow(old.skin, skin, elapsed, QUICK)
            shift = follow(old.shift, shift, elapsed, QUICK)
        known = _Known(skin, tone, beside, shift)
        self._known.keep(face.track, frame.time, known)
        return known


def _grid_to_frame(points: Floats) -> Floats:
    """(2, 3) float32: from the units of `SPAN` to the frame's pixels."""
    top, chin = points[FOREHEAD, :2], points[CHIN, :2]
    down = chin - top
    across = float(np.linalg.norm(points[454] - points[234]))
    aside = np.array([down[1], -down[0]]) / (float(np.linalg.norm(down)) + 1e-6) * across
    middle = (points[234, :2] + points[454, :2]) / 2
    # On the face's axis, as high as the forehead's top.
    start = middle - down * float((middle - top) @ down / (down @ down + 1e-6))
    return np.column_stack([aside, down, start]).astype(np.float32)


def _to_cells(grid: Floats, low: npt.NDArray[np.int64], shrunk: npt.NDArray[np.float64]) -> Floats:
    """(2, 3) float32: from a small picture's pixels to `GRID`'s cells, in OpenCV's coordinates.

    The small picture begins at the frame's pixel ``low`` and is ``shrunk`` (x, y) times smaller.
    """
    rows, columns = GRID
    cells = np.array([[columns / (SPAN[2] - SPAN[0]), 0], [0, rows / (SPAN[3] - SPAN[1])]])
    back = cells @ np.linalg.inv(grid[:, :2])
    shift = back @ (low - grid[:, 2]) - cells @ SPAN[:2]
    back = back * shrunk
    return np.column_stack([back, shift + back @ [0.5, 0.5] - 0.5]).astype(np.float32)


def _prior() -> Floats:
    """`GRID` float32 0..1: where skin can be."""
    rows, columns = GRID
    x = SPAN[0] + (np.arange(columns) + 0.5) / columns * (SPAN[2] - SPAN[0])
    y = (SPAN[1] + (np.arange(rows) + 0.5) / rows * (SPAN[3] - SPAN[1]))[:, None]
    aside = np.abs(x)[None]
    out = np.hypot(aside / 0.5, (y - 0.48) / 0.52)
    # In the middle of the face only the persona is seen.
    face = np.minimum(1.25 - out, out - 0.55)
    ears = 1.0 - np.hypot((aside - 0.52) / 0.2, (y - 0.5) / 0.32)
    neck = np.minimum((0.5 + 0.35 * np.clip(y - 1.0, 0, 1) - aside) / 0.2, (y - 0.6) / 0.2)
    neck = np.minimum(neck, (1.55 - y) / 0.35)
    neck = np.minimum(neck, (out - 0.55) / 0.25)
    seen = np.clip(np.maximum(np.maximum(face / 0.25, ears / 0.4), neck), 0, 1)
    return np.asarray(seen * seen * (3 - 2 * seen), np.float32)


def _tones(frame: Frame, face: Face, layer: Layer) -> tuple[Floats, Floats] | None:
    """(3,) log-odds of the live skin, and by how much the persona's differs, along the lower outline's inside."""
    ring = face.points[LOWER, :2]
    middle = face.points[FACE_OVAL, :2].mean(0)
    at = np.floor(ring + (middle - ring) * INWARDS - [layer.x, layer.y]).astype(int)
    tall, wide = layer.mask.shape
    at = at[((at >= 0) & (at < [wide, tall])).all(1)]
    at = at[layer.mask[at[:, 1], at[:, 0]] > 200]
    if len(at) < 6:
        return None
    # A few pixels around each point, by stride: grain and pores do not count.
    around = np.array([(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)]) * max(1, wide // 80)
    near = np.clip(at[:, None] + around, 0, [wide - 1, tall - 1])
    persona = log_odds(layer.pixels[near[..., 1], near[..., 0]].mean(1, dtype=np.float32))
    near += [layer.x, layer.y]
    live = log_odds(frame.pixels[near[..., 1], near[..., 0], :3].mean(1, dtype=np.float32))
    shift = np.clip(np.median(persona - live, axis=0), -MOST, MOST)
    return np.median(live, axis=0).astype(np.float32), shift.astype(np.float32)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy", inline="always")
def _hue_and_luma(blue: Any, green: Any, red: Any) -> tuple[Any, Any]:
    """How far a hue is from another, squared, in `HUE`s, and the brightness, of differences in log-odds."""
    luma = np.float32(0.114) * blue + np.float32(0.587) * green + np.float32(0.299) * red
    blue, green, red = blue - luma, green - luma, red - luma
    return (blue * blue + green * green + red * red) * np.float32(1 / HUE**2), luma


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _compare(picture: Pixels, odds: Floats, tone: Floats, beside: Floats, out: Floats) -> None:
    """`_likeness` into ``out``; ``odds`` (256,) are the log-odds of each brightness."""
    soft = np.float32(1 / SHADE)
    for y in range(picture.shape[0]):
        for x in range(picture.shape[1]):
            blue, green, red = odds[picture[y, x, 0]], odds[picture[y, x, 1]], odds[picture[y, x, 2]]
            far, luma = _hue_and_luma(blue - tone[0], green - tone[1], red - tone[2])
            shade = max(np.float32(DARKER) - luma, luma - np.float32(BRIGHTER), np.float32(0)) * soft
            far += shade * shade
            other = np.float32(1e9)
            for side in range(len(beside)):
                hue, luma = _hue_and_luma(blue - beside[side, 0], green - beside[side, 1], red - beside[side, 2])
                other = min(other, hue + (luma * soft) ** 2)
            # It falls like a bell with a flat top: grain makes no specks.
            bell = np.float32(1) / (np.float32(1) + np.float32(0.15) * far * far)
            out[y, x] = bell * other / (other + far + np.float32(0.05))


def _likeness(picture: Pixels, tone: Floats, beside: Floats) -> Floats:
    """(h, w) float32 0..1: how much ``picture`` (h, w, 3 or 4) looks like skin of ``tone``, in light or shade.

    What looks more like ``beside`` (n, 3), log-odds of the background's colours, is none.
    """
    out = np.empty(picture.shape[:2], np.float32)
    _compare(picture, _ODDS, tone, beside, out)
    return out


def _sides(cells: Pixels) -> Floats:
    """(2, 3) float32 log-odds of what is left and right of the head in the grid's ``cells`` (rows, columns, 3 or 4)."""
    columns, rows = GRID[1] // 12, slice(GRID[0] // 6, GRID[0] // 2)
    parts = (cells[rows, :columns, :3], cells[rows, -columns:, :3])
    return np.array([np.median(_ODDS[part.reshape(-1, 3)], axis=0) for part in parts], np.float32)


def _tables(shift: Floats) -> Plane:
    """(3, 256) uint8: each brightness with ``shift`` added to its log-odds."""
    value, gain = np.arange(256, dtype=np.float32), np.exp(shift)[:, None]
    return np.asarray(np.clip(255 * gain * value / (255 + (gain - 1) * value) + 0.5, 0, 255), np.uint8)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _tint(out: Pixels, where: Plane, tables: Plane) -> None:
    """Takes ``out`` (h, w, 4) through ``tables`` as far as ``where`` (h, w) says; the outermost pixels stay."""
    height, width = where.shape
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            share = np.int32(where[y, x])
            if share:
                for k in range(3):
                    value = np.int32(out[y, x, k])
                    out[y, x, k] = np.uint8(value + (((np.int32(tables[k, value]) - value) * (share + 1) + 128) >> 8))
