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
    bare = _apart(shown, there) < _NEAR * apart
    swaps = _apart(usual, raw[..., :3].astype(np.float32)) > VISIBLE
    front = zone & (alpha > _OPAQUE) & (apart > VISIBLE)
    face = zone & (alpha < _FREE) & (apart > VISIBLE) & swaps
    return Hidden(front, face, front & ~bare, face & bare)


def _apart(one: Floats, other: Floats) -> Floats:
    """(h, w) distance of the colours of two pictures (h, w, 3)."""
    return np.asarray(cv2.blur(np.sqrt(((one - other) ** 2).sum(axis=2)), (_AROUND, _AROUND)), np.float32)
