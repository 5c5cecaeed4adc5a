"""The live skin around the mask (neck, ears, the rest of the forehead) in the persona's tone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numba import njit

from obs_facelive.frame import Face, Floats, Frame, Layer, Patch, Pixels, Plane
from obs_facelive.swap.expression import follow
from obs_facelive.swap.light import LUMA, log_odds
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
FORGET = 1.0
"""Seconds after which a face that was not seen starts afresh."""
HUE = 0.4
"""Log-odds by which the hue of one person's skin differs from place to place (standard deviation)."""
DARKER, BRIGHTER, SHADE = -0.9, 0.9, 0.4
"""Log-odds between which light and shade change its brightness, and how softly that ends."""
MOST = 2.0
"""Log-odds that the tone is changed by at the most."""

_ODDS = np.clip(log_odds(np.arange(256, dtype=np.float32)), -2.5, 2.2)
"""Hue says nothing in black and in white that the camera cuts off."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is remembered about one face: `GRID` 0..1 where its skin is, (3,) log-odds of it, (3,) how the persona's differs."""

    time: float
    skin: Floats
    tone: Floats
    shift: Floats


class Neck:
    """Finds each live face's skin around the mask and tints it; remembers it to keep it steady."""

    def __init__(self) -> None:
        self._prior = _prior()
        self._known: dict[int, _Known] = {}

    def tinted(self, frame: Frame, face: Face, layer: Layer, hole: Plane, share: float) -> Patch:
        """A copy of ``frame``'s pixels around ``face`` and its ``layer``, the skin tinted; its outermost pixels are the frame's.

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
        known = self._seen(frame, face, layer, grid)
        if known is None:
            return patch
        to_cells = np.array([[GRID[1] / (x1 - x0), 0], [0, GRID[0] / (y1 - y0)]])
        back = to_cells @ np.linalg.inv(grid[:, :2])
        # From the patch's pixels to the grid's, both with their centres at whole numbers.
        shift = back @ (low + 0.5 - grid[:, 2]) - to_cells @ [x0, y0] - 0.5
        skin = (known.skin * np.float32(share * 255)).astype(np.uint8)
        size = out.shape[1], out.shape[0]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        where = cv2.warpAffine(skin, np.column_stack([back, shift]), size, flags=flags, borderValue=0)
        part = where[layer.y - low[1] :, layer.x - low[0] :][:tall, :wide]
        np.minimum(part, 255 - hole, out=part)
        _tint(out, np.asarray(where, np.uint8), _ODDS, known.tone, _tables(known.shift))
        return patch

    def _seen(self, frame: Frame, face: Face, layer: Layer, grid: Floats) -> _Known | None:
        """What is known of ``face`` after this ``frame``; None where its own skin is not seen."""
        old = self._known.get(face.track)
        elapsed = frame.time - old.time if old else FORGET
        tones = _tones(frame, face, layer)
        if tones is None:
            return old if 0 <= elapsed < FORGET else None
        tone, shift = tones
        skin = _likeness(_sampled(frame.pixels, grid), tone) * self._prior
        skin = np.asarray(cv2.GaussianBlur(skin, (0, 0), 0.8), np.float32)
        if old and 0 <= elapsed < FORGET:
            tone = follow(old.tone, tone, elapsed, QUICK)
            skin = follow(old.skin, skin, elapsed, QUICK)
            shift = follow(old.shift, shift, elapsed, QUICK)
        known = _Known(frame.time, skin, tone, shift)
        self._known = {k: kept for k, kept in self._known.items() if abs(frame.time - kept.time) < FORGET}
        self._known[face.track] = known
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


def _prior() -> Floats:
    """`GRID` float32 0..1: where skin can be."""
    rows, columns = GRID
    x = SPAN[0] + (np.arange(columns) + 0.5) / columns * (SPAN[2] - SPAN[0])
    y = (SPAN[1] + (np.arange(rows) + 0.5) / rows * (SPAN[3] - SPAN[1]))[:, None]
    aside = np.abs(x)[None]
    face = 1.25 - np.hypot(aside / 0.5, (y - 0.48) / 0.52)
    ears = 1.0 - np.hypot((aside - 0.52) / 0.2, (y - 0.5) / 0.32)
    neck = np.minimum((0.5 + 0.35 * np.clip(y - 1.0, 0, 1) - aside) / 0.2, (y - 0.6) / 0.2)
    neck = np.minimum(neck, (1.55 - y) / 0.35)
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
    reach = max(1, wide // 60)
    own, worn = [], []
    for x, y in at:
        box = np.s_[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
        worn.append(layer.pixels[box].reshape(-1, 3).mean(0))
        below = frame.pixels[layer.y : layer.y + tall, layer.x : layer.x + wide]
        own.append(below[box][..., :3].reshape(-1, 3).mean(0))
    live, persona = log_odds(np.array(own, np.float32)), log_odds(np.array(worn, np.float32))
    shift = np.clip(np.median(persona - live, axis=0), -MOST, MOST)
    return np.median(live, axis=0).astype(np.float32), shift.astype(np.float32)


def _sampled(pixels: Pixels, grid: Floats) -> Floats:
    """`GRID` + (3,) float32 0..255: the picture in the face's grid."""
    rows, columns = GRID
    cell = float(np.linalg.norm(grid[:, 1])) * (SPAN[3] - SPAN[1]) / rows
    # Every few pixels are enough for a mean over a cell's surroundings.
    stride = max(1, int(cell / 3))
    few = np.ascontiguousarray(pixels[::stride, ::stride, :3])
    few = cv2.blur(few, (3, 3))
    steps = np.array([[(SPAN[2] - SPAN[0]) / columns, 0], [0, (SPAN[3] - SPAN[1]) / rows]])
    forth = grid[:, :2] @ steps
    shift = grid[:, :2] @ [SPAN[0], SPAN[1]] + grid[:, 2] + forth @ [0.5, 0.5] - 0.5
    matrix = np.column_stack([forth, shift]) / stride
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(few, matrix, (columns, rows), flags=flags), np.float32)


def _likeness(picture: Floats, tone: Floats) -> Floats:
    """(h, w) float32 0..1: how much ``picture`` (h, w, 3) looks like skin of ``tone``, in light or shade."""
    apart = np.interp(picture, np.arange(256), _ODDS) - tone
    luma = apart @ LUMA
    hue = apart - luma[..., None]
    shade = np.maximum(np.maximum(DARKER - luma, luma - BRIGHTER), 0) / SHADE
    return np.asarray(np.exp(-0.5 * ((hue / HUE) ** 2).sum(2) - 0.5 * shade**2), np.float32)


def _tables(shift: Floats) -> Plane:
    """(3, 256) uint8: each brightness with ``shift`` added to its log-odds."""
    value, gain = np.arange(256, dtype=np.float32), np.exp(shift)[:, None]
    return np.asarray(np.clip(255 * gain * value / (255 + (gain - 1) * value) + 0.5, 0, 255), np.uint8)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _tint(out: Pixels, where: Plane, odds: Floats, tone: Floats, tables: Plane) -> None:
    """Takes ``out`` (h, w, 4) through ``tables`` as far as ``where`` (h, w) says and each pixel looks like skin of ``tone``.

    ``odds`` (256,) are the log-odds of each brightness. The outermost pixels stay.
    """
    height, width = where.shape
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            if where[y, x] == 0:
                continue
            blue, green, red = odds[out[y, x, 0]] - tone[0], odds[out[y, x, 1]] - tone[1], odds[out[y, x, 2]] - tone[2]
            luma = np.float32(0.114) * blue + np.float32(0.587) * green + np.float32(0.299) * red
            blue, green, red = blue - luma, green - luma, red - luma
            shade = max(np.float32(DARKER) - luma, luma - np.float32(BRIGHTER), np.float32(0)) / np.float32(SHADE)
            far = (blue * blue + green * green + red * red) / np.float32(HUE * HUE) + shade * shade
            # 1 / (1 + x^4) falls like a bell with a flat top, and costs no exponential: grain makes no specks.
            share = np.float32(where[y, x]) / (np.float32(255) * (np.float32(1) + np.float32(0.1) * far * far))
            for k in range(3):
                value = np.float32(out[y, x, k])
                out[y, x, k] = np.uint8(value + (np.float32(tables[k, out[y, x, k]]) - value) * share + np.float32(0.5))
