"""Light: the persona brightens, darkens and colours as the live face does when the room's light changes."""

from __future__ import annotations

import cv2
import numpy as np

from obs_facelive.frame import Floats, Pixels
from tools.quality.areas import Mask

_BLUR = 0.06
"""Standard deviation of the low pass, in widths of the picture that is given: the face's surroundings."""


def change(lit: Pixels, plain: Pixels, face: Mask) -> Floats:
    """(n, 3) float32: natural logarithm of what the light did to blue, green, red of the face's places.

    The same picture under two lights: whatever the skin's own colour is drops out. Both (h, w, 3 or 4) uint8, cut around the
    face; low-passed inside ``face`` alone (normalised convolution: H. Knutsson and C.-F. Westin, CVPR 1993).
    """
    weight = face.astype(np.float32)
    sigma = _BLUR * face.shape[1]
    around = cv2.GaussianBlur(weight, (0, 0), sigma)
    smooth = [
        cv2.GaussianBlur((p[..., :3].astype(np.float32) + 1) * weight[..., None], (0, 0), sigma) for p in (lit, plain)
    ]
    step = max(1, round(sigma / 2))
    there = face[::step, ::step] & (around[::step, ::step] > 0.2)
    before, after = (s[::step, ::step][there] / around[::step, ::step][there][:, None] for s in (smooth[1], smooth[0]))
    return np.asarray(np.log(np.maximum(after, 1e-3) / np.maximum(before, 1e-3)), np.float32)


def follows(live: Floats, worn: Floats) -> tuple[float, float]:
    """Correlation, and slope (least squares) of ``worn`` (n,) over ``live`` (n,): 1 and 1 where the light is followed."""
    a, b = live - live.mean(), worn - worn.mean()
    power = float(a @ a)
    if power < 1e-9 or float(b @ b) < 1e-12:
        return 0.0, 0.0
    return float(a @ b / np.sqrt(power * float(b @ b))), float(a @ b) / power


def balance(pixels: Pixels, face: Mask) -> float:
    """Natural logarithm of how much brighter the left half of the ``face`` (h, w) in the picture is than the right one."""
    columns = np.flatnonzero(face.any(axis=0))
    if len(columns) < 2:
        return 0.0
    middle = int(columns[0] + columns[-1]) // 2
    light = pixels[..., :3].mean(axis=2)
    halves = [light[:, part][face[:, part]] for part in (slice(None, middle), slice(middle, None))]
    return float(np.log((halves[0].mean() + 1) / (halves[1].mean() + 1)))


def shared(live: Floats, worn: Floats) -> float:
    """How much of a change that is the same all over the face goes over: 1 all of it. Both (n,), the live mean not 0."""
    return float(worn.mean() / live.mean())
