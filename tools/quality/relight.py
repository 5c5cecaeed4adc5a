"""Other light on a clip: what a lamp, a warm bulb, a dark room, a passing shadow do to its pictures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from obs_facelive.frame import Floats, Pixels

_GAMMA = 2.2
"""Of sRGB, about: light is multiplied where values are proportional to light."""


def side(points: Floats, height: int, width: int, progress: float) -> Floats:
    """A lamp on the picture's left: 1.5 times the light there, a third of it on the right."""
    x, _ = _around(points, height, width)
    return _grey(np.exp(-0.75 * np.tanh(1.6 * x) - 0.25))


def warm(points: Floats, height: int, width: int, progress: float) -> Floats:
    """A light bulb: less blue."""
    return np.broadcast_to(np.array([0.45, 0.85, 1.15], np.float32), (height, width, 3))


def dim(points: Floats, height: int, width: int, progress: float) -> Floats:
    """A third of the light."""
    return np.full((height, width, 3), 0.33, np.float32)


def shadow(points: Floats, height: int, width: int, progress: float) -> Floats:
    """The soft edge of a shadow that goes over the face from left to right."""
    x, y = _around(points, height, width)
    edge: Floats = x + np.float32(0.25) * y - np.float32(2.2 * progress - 1.1)
    return _grey(1 - np.float32(0.6) / (1 + np.exp(np.clip(edge / np.float32(0.10), -30, 30))))


LIGHTS: dict[str, Callable[[Floats, int, int, float], Floats]] = {
    "side": side,
    "warm": warm,
    "dim": dim,
    "shadow": shadow,
}
"""From the face's points (478, 3), the picture's height and width and the progress 0..1 to factors of light, (h, w, 3)."""


def relit(pixels: Pixels, factors: Floats) -> Pixels:
    """``pixels`` (h, w, 3 or 4) uint8 with ``factors`` (h, w, 3) times the light."""
    out = pixels.copy()
    # (v^g f)^(1/g) = v f^(1/g)
    out[..., :3] = np.clip(pixels[..., :3] * factors ** np.float32(1 / _GAMMA) + np.float32(0.5), 0, 255).astype(
        np.uint8
    )
    return out


def _grey(factor: Floats) -> Floats:
    """(h, w, 3), the same for all colours."""
    return np.asarray(np.repeat(factor[..., None], 3, axis=2), np.float32)


def _around(points: Floats, height: int, width: int) -> tuple[Floats, Floats]:
    """x and y (h, w) from the face's middle, in half widths of the face."""
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    middle, half = (low + high) / 2, float(high[0] - low[0]) / 2
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return (x - middle[0]) / np.float32(half), (y - middle[1]) / np.float32(half)
