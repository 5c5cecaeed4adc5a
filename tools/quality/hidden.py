"""Occlusion: what is in front of the face stays in front, and the face beside it stays swapped."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from obs_facelive.frame import Floats, Pixels
from tools.quality.areas import Mask

VISIBLE = 24.0
"""Distance of two colours, of 255, from which on a pixel says anything."""
_NEAR = 0.25
"""Share of the way from the camera's picture to the swapped one, up to which a pixel is the camera's."""
_AROUND = 5
"""Side in pixels of the square whose mean distance counts: skin and skin may meet in a pixel, hardly in twenty-five."""
_SAME = 2.0
_OPAQUE, _FREE = 0.9, 0.004


@dataclass(frozen=True)
class Hidden:
    """What became of one frame.

    Attributes
    ----------
    front, face : (h, w) the pixels that count: of the thing before the face, and of the face beside it
    spoiled : those of `front` that show the persona's face (or something else) in place of the thing
    lost : those of `face` that show the live face though the swapper swaps them if nothing is in front
    """

    front: Mask
    face: Mask
    spoiled: Mask
    lost: Mask


def hidden(
    raw: Pixels, occluded: Pixels, worn: Pixels, output: Pixels, alpha: Floats, shade: Floats, zone: Mask
) -> Hidden:
    """Judges one frame; all pictures (h, w, 3 or 4) uint8.

    Parameters
    ----------
    raw, worn : the camera's picture and the output with nothing in front
    occluded, output : the same with something in front of the face
    alpha, shade : (h, w) float32 0..1, how opaque that is, and what its shadow leaves of the light
    zone : (h, w) what the swapper swaps altogether: the inner oval, without eyes and mouth
    """
    there, shown, usual = (p[..., :3].astype(np.float32) for p in (occluded, output, worn))
    apart = _apart(usual * shade[..., None].astype(np.float32), there)
    swaps = _apart(usual, raw[..., :3].astype(np.float32))
    away = _apart(shown, there)
    parts = []
    for part, least in ((zone & (alpha > _OPAQUE), apart), (zone & (alpha < _FREE), np.minimum(apart, swaps))):
        # A rim is narrower than the square: its neighbours on the face say nothing of it.
        counts = part & (_mean(least, part) > VISIBLE)
        parts.append((counts, counts & (_mean(away, part) < _NEAR * _mean(apart, part))))
    (front, kept), (face, lost) = parts
    return Hidden(front, face, front & ~kept, lost)


def bare_share(raw: Pixels, output: Pixels, face: Mask) -> float:
    """0..1: how much of the ``face`` (h, w) is the camera's own picture, pixel for pixel, as if nothing had been swapped.

    Two skins of one colour differ by their pores and the sensor's noise: more than `_SAME` over a square of `_AROUND`.
    """
    apart = _apart(output[..., :3].astype(np.float32), raw[..., :3].astype(np.float32))
    return float((_mean(apart, face)[face] < _SAME).mean()) if face.any() else 0.0


def _apart(one: Floats, other: Floats) -> Floats:
    """(h, w) distance of the colours of two pictures (h, w, 3)."""
    return np.asarray(np.sqrt(((one - other) ** 2).sum(axis=2)), np.float32)


def _mean(values: Floats, part: Mask) -> Floats:
    """(h, w): the mean of ``values`` over that of each pixel's square which is of ``part``."""
    share = part.astype(np.float32)
    near = cv2.blur(values * share, (_AROUND, _AROUND)) / np.maximum(cv2.blur(share, (_AROUND, _AROUND)), 1e-3)
    return np.asarray(near, np.float32)
