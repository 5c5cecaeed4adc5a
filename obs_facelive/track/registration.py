"""Points that stick to the skin: what is left of their tremble and lag is read off the picture and taken back.

Laid out flat by its points, a face shows the same skin in the same place in every frame, if the points are right. Where it
does not, they slid by just as much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from obs_facelive.frame import Floats, Frame, Plane
from obs_facelive.surface import Unwrapper
from obs_facelive.swap.raster import facing
from obs_facelive.topology import LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS, CanonicalFace

SIZE = 128
"""Texels of a side of the face laid out flat."""
COARSE = 32
"""Places of a side at which the slide is estimated."""
_STEP = SIZE // COARSE
_REACH = 1.5
"""Standard deviation, in places, of the patch of skin that an estimate is made of: it moves as one."""
_LIGHT = 2.0
"""The same of the light: it changes although nothing moves, and is taken out first."""
_USUAL = 0.5
"""Texels: a slide that is to be expected; what texture says of it weighs against this."""
_ALIKE = 12.0
"""Texels that count as one measurement: neighbours show the same."""
_OUTLIER = 2.5
"""Standard deviations from which on a difference is of something else than a slide, and counts less."""
_ROUNDS = 2
_FAR = 2.5
"""Texels, about 2 % of a face's width, by which points are moved at the most."""
_TRUST = 0.2
"""Seconds in which the points go back to where the landmarks are (time constant): small errors must not add up."""
FORGET = 0.3
"""Seconds after which the skin seen last is of no use."""


@dataclass(frozen=True, slots=True)
class Skin:
    """A face as it was seen last.

    Attributes
    ----------
    time : seconds
    flat : (SIZE, SIZE) float32, its brightness laid out flat without the light
    seen : (SIZE, SIZE) float32 0..1, how far it looks into the camera
    moved : (COARSE, COARSE, 2) float32 texels, by how much its points were moved
    """

    time: float
    flat: Floats
    seen: Floats
    moved: Floats


class Registration:
    """Moves a face's points so that they stay where they were on the skin; what it must remember of a face is a `Skin`.

    There is no look ahead. The landmarks say where the points are in the long run, the skin how they get from frame to frame.
    """

    def __init__(self, canonical: CanonicalFace) -> None:
        self._triangles = canonical.triangles
        self._unwrapper = Unwrapper(canonical, SIZE)
        self._inside = self._unwrapper.inside.astype(np.float32)
        self._share = _blurred(_coarse(self._inside), _LIGHT) + np.float32(1e-3)
        self._slopes = _slopes(canonical)
        self._texels = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)[::-1]
        self._places = np.ascontiguousarray(canonical.uv.T[:, None] * COARSE - 0.5, np.float32)

    def __call__(
        self, frame: Frame, points: Floats, skin: Skin | None, hidden: Plane | None = None
    ) -> tuple[Floats, Skin]:
        """``points`` (478, 3) of a face in ``frame``, moved, and its skin; ``skin`` is that of the frame before.

        What lay in front of the face before (``hidden``, see `obs_facelive.frame.Surface`) must not take the points along.
        """
        count = self._places.shape[2]
        # Towards the outline of a turned head, the picture of the skin is too squeezed to say anything.
        visible = facing(np.ascontiguousarray(points[:count]), self._triangles)
        seen = self._unwrapper.spread(np.clip(2 * visible - 0.3, 0, 1))
        if hidden is not None and hidden.any():
            # It may have moved since.
            wide = cv2.dilate(cv2.resize(hidden, (SIZE, SIZE)), np.ones((11, 11), np.uint8))
            seen *= 1 - wide * np.float32(1 / 255)
        elapsed = frame.time - skin.time if skin else FORGET
        if skin is None or not 0 < elapsed < FORGET:
            still = np.zeros((COARSE, COARSE, 2), np.float32)
            return points, Skin(frame.time, self._flat(frame, points), seen, still)
        slopes = self._slopes @ points[:count, :2]
        flat = self._flat(frame, self._put(points, slopes, skin.moved))
        slid = self._slide(flat, skin.flat, np.minimum(seen, skin.seen))
        moved = np.clip(skin.moved + slid, -_FAR, _FAR) * np.float32(math.exp(-elapsed / _TRUST))
        there = self._warped(flat, moved - skin.moved)
        return self._put(points, slopes, moved), Skin(frame.time, there, seen, moved)

    def _flat(self, frame: Frame, points: Floats) -> Floats:
        gray = self._unwrapper.brightness(frame.pixels, points)
        light = _blurred(_coarse(gray), _LIGHT) / self._share
        return np.asarray(cv2.GaussianBlur(gray, (0, 0), 1.0) - _fine(light), np.float32) * self._inside

    def _slide(self, now: Floats, before: Floats, seen: Floats) -> Floats:
        """(COARSE, COARSE, 2) texels: what was at a place ``before`` is now at that place plus this.

        B. Lucas, T. Kanade, An iterative image registration technique, IJCAI 1981. Each step has a Gaussian prior around 0, and
        the noise is the frame's own: where there is no texture, or more noise than texture, nothing is moved.
        """
        slid = np.zeros((COARSE, COARSE, 2), np.float32)
        across, down = (cv2.Sobel(now + before, cv2.CV_32F, *d, ksize=3, scale=1 / 16) for d in ((1, 0), (0, 1)))
        rest = now - before
        for number in range(_ROUNDS):
            if number:
                rest = self._warped(now, slid) - before
            known = rest[::3, ::3][seen[::3, ::3] > 0.5]
            noise = 1.48 * float(np.median(np.abs(known))) + 0.3 if len(known) else 1.0
            weight = seen / (1 + (rest * np.float32(1 / (_OUTLIER * noise))) ** 2)
            prior = np.float32(noise**2 * _ALIKE / (_USUAL**2 * 2 * math.pi * (_REACH * _STEP) ** 2))
            a, b = weight * across, weight * down
            products = a * across, a * down, b * down, a * rest, b * rest
            xx, xy, yy, x, y = (_blurred(_coarse(product), _REACH) for product in products)
            xx, yy = xx + prior, yy + prior
            step = np.dstack([yy * x - xy * y, xx * y - xy * x]) / (xx * yy - xy * xy)[..., None]
            slid -= np.asarray(step, np.float32)
        return slid

    def _warped(self, flat: Floats, shift: Floats) -> Floats:
        x, y = (self._texels[k] + _fine(np.ascontiguousarray(shift[..., k])) for k in range(2))
        return np.asarray(cv2.remap(flat, x, y, cv2.INTER_LINEAR), np.float32)

    def _put(self, points: Floats, slopes: Floats, moved: Floats) -> Floats:
        """``points`` moved by ``moved`` (COARSE, COARSE, 2) texels; ``slopes``: see `_slopes`."""
        count = self._places.shape[2]
        x, y = self._places
        texels = cv2.remap(moved, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]
        shift = slopes[0] * texels[:, :1] + slopes[1] * texels[:, 1:]
        out = points.copy()
        out[:count, :2] += shift
        # The irises have no place in the texture: each goes with its eye's corners.
        out[count : count + 5, :2] += shift[list(RIGHT_EYE_CORNERS)].mean(0)
        out[count + 5 :, :2] += shift[list(LEFT_EYE_CORNERS)].mean(0)
        return out


def _slopes(canonical: CanonicalFace) -> Floats:
    """(2, 468, 468) float32: times the points, how far they go by for one texel to the right, and for one down.

    The least squares fit of a plane to each point and its neighbours.
    """
    uv = canonical.uv.astype(np.float64) * SIZE
    slopes = np.zeros((2, len(uv), len(uv)))
    for point in range(len(uv)):
        around = np.setdiff1d(canonical.triangles[(canonical.triangles == point).any(axis=1)], [point])
        fit = np.linalg.pinv(uv[around] - uv[point])
        slopes[:, point, around] = fit
        slopes[:, point, point] = -fit.sum(axis=1)
    return slopes.astype(np.float32)


def _coarse(values: Floats) -> Floats:
    return np.asarray(cv2.resize(values, (COARSE, COARSE), interpolation=cv2.INTER_AREA), np.float32)


def _fine(values: Floats) -> Floats:
    return np.asarray(cv2.resize(values, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR), np.float32)


def _blurred(values: Floats, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), np.float32)
