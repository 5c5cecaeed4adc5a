"""A hand with a forearm, modelled from tapered capsules and lit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from obs_facelive.frame import Floats

SIDE = 300
"""Pixels of the canvas that a hand's length takes; the canvas is `SIDE` wide and `LENGTH` high, fingers up."""
LENGTH = 700
_FINGERS = (
    ((0.36, 0.60), (0.29, 0.17), 0.056, 0.042),
    ((0.47, 0.57), (0.46, 0.07), 0.058, 0.043),
    ((0.58, 0.58), (0.63, 0.13), 0.056, 0.041),
    ((0.68, 0.64), (0.79, 0.28), 0.047, 0.034),
    ((0.33, 0.86), (0.10, 0.52), 0.066, 0.048),
)
"""Knuckle, tip, and the radii there, in lengths of the hand; the thumb last."""
_PALM = (
    ((0.41, 0.62), (0.43, 0.88), 0.105, 0.115),
    ((0.50, 0.60), (0.50, 0.90), 0.105, 0.120),
    ((0.62, 0.65), (0.57, 0.90), 0.100, 0.110),
    ((0.50, 0.95), (0.50, 2.60), 0.115, 0.170),
)
_JOINTS = (0.36, 0.68)
"""Where along a finger its joints are."""
_LAMP = np.array([-0.45, -0.45, 0.77], np.float32)
_GLOSS = np.array([-0.24, -0.24, 0.94], np.float32)
"""Half-way between the lamp and the viewer."""


@dataclass(frozen=True)
class _Shape:
    """The hand without its skin, (LENGTH, SIDE) float32 each but for `normal`.

    Attributes
    ----------
    alpha : 0..1
    warmth : 0..1, where blood shows: joints and tips
    nails : 0..1
    normal : (LENGTH, SIDE, 3), of length 1; right, down, to the viewer
    grain : about 0, what the skin's texture adds to its brightness, in shares
    """

    alpha: Floats
    warmth: Floats
    nails: Floats
    normal: Floats
    grain: Floats


def draw_hand(skin: Floats) -> Floats:
    """The back of a hand in ``skin`` (3,) BGR 0..255: (LENGTH, SIDE, 4) float32, colour times alpha and alpha."""
    return _lit(_shape(), skin)


@lru_cache(maxsize=1)
def _shape() -> _Shape:
    y, x = (np.mgrid[0:LENGTH, 0:SIDE].astype(np.float32) + np.float32(0.5)) / np.float32(SIDE)
    height, alpha, warmth = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x)
    nails: Floats = np.zeros_like(x)
    for start, end, wide, narrow in _PALM:
        _, near, radius = _along(x, y, start, end, wide, narrow)
        # A palm is flat: the square root of a square root.
        height = np.maximum(height, 0.45 * radius * np.clip(1 - (near / radius) ** 2, 0, 1) ** 0.3)
        alpha = np.maximum(alpha, _cover(near, radius))
    for number, (start, end, wide, narrow) in enumerate(_FINGERS):
        t, near, radius = _along(x, y, start, end, wide, narrow)
        finger = 0.85 * np.sqrt(np.clip(radius**2 - near**2, 0, None))
        for joint in _JOINTS if number < 4 else (0.62,):
            around = np.exp(-(((t - joint) / 0.05) ** 2))
            finger *= 1 - 0.12 * np.exp(-(((t - joint) / 0.012) ** 2)) + 0.05 * around
            warmth = np.maximum(warmth, around * (near < radius))
        height = np.maximum(height, finger)
        alpha = np.maximum(alpha, _cover(near, radius))
        warmth = np.maximum(warmth, np.clip((t - 0.8) / 0.2, 0, 1) * (near < radius))
        nails = np.maximum(nails, _nail(x, y, np.array(start), np.array(end), narrow))
    height = np.asarray(cv2.GaussianBlur(height, (0, 0), 2.2), np.float32)
    slope_x, slope_y = (cv2.Sobel(height, cv2.CV_32F, *d, ksize=3, scale=SIDE / 8) for d in ((1, 0), (0, 1)))
    normal = np.stack([-slope_x, -slope_y, np.ones_like(height)], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    random, grain = np.random.default_rng(5), np.zeros_like(height)
    for size, strength in ((1.0, 0.025), (3.0, 0.03), (16.0, 0.05)):
        noise = cv2.GaussianBlur(random.normal(0, 1, height.shape).astype(np.float32), (0, 0), size)
        grain += noise / noise.std() * np.float32(strength)
    return _Shape(alpha, warmth, nails, normal, grain)


def _along(
    x: Floats, y: Floats, start: tuple[float, float], end: tuple[float, float], wide: float, narrow: float
) -> tuple[Floats, Floats, Floats]:
    """Place along a capsule's axis 0..1, distance from it, the radius there."""
    ax, ay = end[0] - start[0], end[1] - start[1]
    t = np.clip(((x - start[0]) * ax + (y - start[1]) * ay) / np.float32(ax * ax + ay * ay), 0, 1)
    near = np.hypot(x - start[0] - t * ax, y - start[1] - t * ay)
    return np.asarray(t, np.float32), near, np.asarray(wide + (narrow - wide) * t, np.float32)


def _cover(near: Floats, radius: Floats) -> Floats:
    return np.asarray(np.clip((radius - near) * SIDE + 0.5, 0, 1), np.float32)


def _nail(x: Floats, y: Floats, start: Floats, end: Floats, radius: float) -> Floats:
    along = (end - start) / np.linalg.norm(end - start)
    centre = end + along * radius * 0.25
    u = (x - centre[0]) * along[0] + (y - centre[1]) * along[1]
    v = (x - centre[0]) * -along[1] + (y - centre[1]) * along[0]
    inside = 1 - (np.abs(u) / (0.72 * radius)) ** 3 - (np.abs(v) / (0.62 * radius)) ** 3
    return np.asarray(np.clip(inside * radius * SIDE / 3, 0, 1), np.float32)


def _lit(shape: _Shape, skin: Floats) -> Floats:
    light = np.clip(shape.normal @ _LAMP, 0, 1)[..., None]
    # Light that comes out of skin again makes the dark side warm and never black.
    shade = 0.46 + 0.66 * light * np.array([0.98, 1.0, 1.0], np.float32)
    shade += (1 - light) * np.array([-0.05, -0.03, 0.03], np.float32)
    tint = 1 + shape.warmth[..., None] * np.array([-0.08, -0.07, 0.02], np.float32)
    colour = skin * shade * tint * (1 + shape.grain[..., None])
    nails = shape.nails[..., None]
    pale = np.array([98, 96, 118], np.float32) * float(skin.mean()) / 150
    colour = colour * (1 - 0.75 * nails) + (skin * 0.55 + pale) * (0.75 + 0.4 * light) * 0.75 * nails
    colour += np.clip(shape.normal @ _GLOSS, 0, 1)[..., None] ** 24 * (10 + 26 * nails)
    rim = np.clip(cv2.GaussianBlur(shape.alpha, (0, 0), 4) * 2 - 1, 0, 1)[..., None]
    colour *= 0.80 + 0.20 * rim
    alpha = shape.alpha[..., None]
    return np.concatenate([np.clip(colour, 0, 255) * alpha, alpha], axis=-1).astype(np.float32)
