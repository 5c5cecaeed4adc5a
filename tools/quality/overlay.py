"""Something in front of a face: its colour, how opaque it is, the shadow that it casts."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from obs_facelive.frame import Floats, Pixels
from obs_facelive.geometry import for_warp


@dataclass(frozen=True)
class Overlay:
    """A picture with a hole, as large as the frame that it is laid over.

    Attributes
    ----------
    colour : (h, w, 3) float32 BGR 0..255, multiplied by `alpha`
    alpha : (h, w) float32 0..1, what of the frame it hides
    shade : (h, w) float32 0..1, what its shadow leaves of the light on what is behind it
    """

    colour: Floats
    alpha: Floats
    shade: Floats

    def over(self, picture: Floats) -> Floats:
        """``picture`` (h, w, 3) float32 behind it."""
        return np.asarray(picture * (self.shade * (1 - self.alpha))[..., None] + self.colour, np.float32)

    def on(self, pixels: Pixels, noise: float = 2.0, seed: int = 0) -> Pixels:
        """``pixels`` (h, w, 3 or 4) uint8 behind it; it gets a sensor's ``noise`` (of 255), which they have already."""
        out = pixels.copy()
        touched = cv2.boundingRect(((self.alpha > 0) | (self.shade < 0.998)).astype(np.uint8))
        x, y, width, height = touched
        if not width:
            return out
        box = slice(y, y + height), slice(x, x + width)
        part = Overlay(self.colour[box], self.alpha[box], self.shade[box])
        grain = np.random.default_rng(seed).standard_normal((height, width, 3), np.float32) * np.float32(noise)
        shown = part.over(pixels[box][..., :3].astype(np.float32)) + grain * part.alpha[..., None]
        out[box][..., :3] = np.clip(shown + np.float32(0.5), 0, 255).astype(np.uint8)
        return out


def lay(canvas: Floats, matrix: Floats, width: int, height: int, shadow: Shadow | None = None) -> Overlay:
    """``canvas`` (h, w, 4), colour times alpha and alpha, brought onto the frame by the 2x3 ``matrix`` (continuous)."""
    placed = cv2.warpAffine(canvas, for_warp(matrix), (width, height), flags=cv2.INTER_LINEAR)
    alpha = np.asarray(np.clip(placed[..., 3], 0, 1), np.float32)
    shade = shadow.of(alpha) if shadow else np.ones_like(alpha)
    return Overlay(np.ascontiguousarray(placed[..., :3], np.float32), alpha, shade)


@dataclass(frozen=True)
class Shadow:
    """A soft shadow.

    Attributes
    ----------
    x, y : how far it falls beside the thing, pixels to the right and down
    blur : standard deviation of its edge in pixels
    depth : 0..1, what it takes of the light where it is darkest
    """

    x: float
    y: float
    blur: float
    depth: float

    def of(self, alpha: Floats) -> Floats:
        """(h, w) float32 0..1, what is left of the light behind something of ``alpha``."""
        height, width = alpha.shape
        move = np.array([[1, 0, self.x], [0, 1, self.y]], np.float32)
        moved = cv2.warpAffine(alpha, move, (width, height))
        # Box filters at a fourth of the size: a wide Gaussian costs too much.
        small = cv2.resize(moved, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
        soft = cv2.GaussianBlur(small, (0, 0), max(self.blur / 4, 0.3))
        return np.asarray(1 - self.depth * cv2.resize(soft, (width, height)), np.float32)
