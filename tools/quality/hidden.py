"""Occlusion: what is in front of the face stays in front, and the face beside it stays swapped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from obs_facelive.frame import Floats, Pixels
from tools.quality.areas import Mask

VISIBLE = 24.0
"""Distance of two colours, of 255, from which on a pixel says anything."""
_NEAR = 0.35
"""Share of the way from what should be there to what should not, up to which a pixel counts as right."""
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
    front_picture, shown = occluded[..., :3].astype(np.float32), output[..., :3].astype(np.float32)
    light = shade[..., None].astype(np.float32)
    swapped = worn[..., :3].astype(np.float32) * light
    # The thing against the face that would hide it.
    apart = np.linalg.norm(swapped - front_picture, axis=2)
    front = zone & (alpha > _OPAQUE) & (apart > VISIBLE)
    spoiled = front & (np.linalg.norm(shown - front_picture, axis=2) > _NEAR * apart)
    # The persona's skin against the live one's: how far the output has gone from one to the other.
    step = swapped - front_picture
    gone = ((shown - front_picture) * step).sum(axis=2) / np.maximum((step * step).sum(axis=2), 1)
    swaps = np.linalg.norm(worn[..., :3].astype(np.float32) - raw[..., :3], axis=2) > VISIBLE
    face = zone & (alpha < _FREE) & swaps & (apart > VISIBLE)
    return Hidden(front, face, spoiled, face & (gone < _NEAR))
