"""The light on a face, as a smooth field of odds gains over the canonical face's points.

A picture's brightness x (0..1, sRGB) is seen as log-odds log(x / (1 - x)). There, light adds a smooth field, and moving a dark
skin into bright light (or the other way round) keeps its contrast, its black and its white: see `draw` in `raster`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from obs_facelive.frame import Floats, Pixels
from obs_facelive.topology import (
    FACE_OVAL,
    LEFT_BROW,
    LEFT_EYE,
    LIPS_INNER,
    LIPS_OUTER,
    RIGHT_BROW,
    RIGHT_EYE,
    CanonicalFace,
    Indices,
)

NOSTRILS = (2, 97, 326, 98, 327, 60, 290, 75, 305, 79, 309, 166, 392, 59, 289, 20, 250, 242, 462, 94, 370, 141)
LUMA = np.array([0.114, 0.587, 0.299], np.float32)
"""Weights of blue, green, red (ITU-R BT.601)."""
NODES = 48
"""Points at which the smooth field is known."""
_ROUNDS = 4
_DARKER = 0.6
"""Log-odds that skin may be darker than the light's slope says; hair and beards are more."""
SAMPLES = 40
"""Width of a face in the small picture that its light is read from."""


def log_odds(values: Floats) -> Floats:
    """Log-odds of brightness 0..255, kept away from the ends."""
    x = np.clip(values, 6.0, 249.0)
    return np.asarray(np.log(x / (255 - x)), np.float32)


def skin_points(canonical: CanonicalFace) -> Floats:
    """(468,) float32: 1 at points of bare skin, 0 at brows, eyes, lips and nostrils, little at the outline (hair)."""
    weights = np.ones(len(canonical.uv), np.float32)
    for group in (RIGHT_EYE, LEFT_EYE, RIGHT_BROW, LEFT_BROW, LIPS_OUTER, LIPS_INNER):
        centre = canonical.uv[group].mean(0)
        ring = ((canonical.uv[group] - centre) * 1.25 + centre) * 1024
        hull = cv2.convexHull(ring.astype(np.float32))
        inside = [cv2.pointPolygonTest(hull, (float(u * 1024), float(v * 1024)), False) >= 0 for u, v in canonical.uv]
        weights[np.array(inside)] = 0
    weights[list(NOSTRILS)] = 0
    weights[FACE_OVAL] = 0.3
    return weights


def areas(canonical: CanonicalFace) -> Floats:
    """(468,) float32: the texture's area around each point, 1 on average, at the most 4."""
    corners = canonical.uv[canonical.triangles]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])
    around = np.zeros(len(canonical.uv), np.float32)
    np.add.at(around, canonical.triangles, area[:, None])
    return np.asarray(np.clip(around / around.mean(), 0, 4), np.float32)


def nearness(canonical: CanonicalFace, chosen: Indices, width: float) -> Floats:
    """(k, 468) float32 Gaussian weights of all points around the ``chosen`` ones, ``width`` in texture coordinates."""
    apart = canonical.uv[chosen, None] - canonical.uv[None]
    return np.asarray(np.exp(-(apart**2).sum(2) / (2 * width**2)), np.float32)


def spread_out(canonical: CanonicalFace, count: int) -> Indices:
    """``count`` points far from each other, all over the face (farthest-point sampling)."""
    chosen = [1]
    apart = np.linalg.norm(canonical.uv - canonical.uv[1], axis=1)
    while len(chosen) < count:
        chosen.append(int(apart.argmax()))
        apart = np.minimum(apart, np.linalg.norm(canonical.uv - canonical.uv[chosen[-1]], axis=1))
    return np.array(chosen, np.int32)


@dataclass(frozen=True, slots=True)
class Light:
    """What a face's skin looks like without its details.

    Attributes
    ----------
    mean : (3,) float32 log-odds of blue, green, red of the skin
    field : (468, 3) float32, what each point differs from ``mean``, smooth
    """

    mean: Floats
    field: Floats


class LightReader:
    """Reads the smooth light from a picture of a face, from its bare skin only."""

    def __init__(self, canonical: CanonicalFace, width: float = 0.11) -> None:
        # The points lie dense around eyes and mouth, thin on the cheeks: each counts by the area that it stands for.
        self._skin = skin_points(canonical) * areas(canonical)
        nodes = spread_out(canonical, NODES)
        self._near = nearness(canonical, nodes, width)
        self._far = nearness(canonical, nodes, 0.5)
        # A lamp at one side is a slope over the whole face, and no reason to take half of it for hair.
        x, y = (canonical.uv - 0.5).T * 2
        self._slopes = np.column_stack([np.ones_like(x), x, y, x * x]).astype(np.float32)
        # Between the nodes the field is a smooth mean of theirs.
        between = nearness(canonical, nodes, 0.08).T
        self._between = np.ascontiguousarray(between / between.sum(1, keepdims=True))

    def sample(self, pixels: Pixels, points: Floats, haze: float = 0.0) -> Floats:
        """(468, 3) float32 log-odds of the surroundings of each of ``points`` (>= 468, 2 or more) in ``pixels``.

        ``haze`` is the brightness that black has in ``pixels``; the result is without it.
        """
        xy = points[: len(self._skin), :2]
        height, width = pixels.shape[:2]
        low = np.clip(np.floor(xy.min(0)), 0, [width - 1, height - 1]).astype(int)
        high = np.clip(np.ceil(xy.max(0)), low + 1, [width, height]).astype(int)
        part = pixels[low[1] : high[1], low[0] : high[0]]
        scale = min(1.0, SAMPLES / max(1.0, float(np.ptp(xy[:, 0]))))
        size = (max(1, math.ceil(part.shape[1] * scale)), max(1, math.ceil(part.shape[0] * scale)))
        small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        at = (xy - low) * (np.array(size) / [part.shape[1], part.shape[0]])
        column = np.clip(at[:, 0].astype(int), 0, size[0] - 1)
        row = np.clip(at[:, 1].astype(int), 0, size[1] - 1)
        return log_odds((small[row, column, :3].astype(np.float32) - haze) / (1 - haze / 255))

    def read(self, colours: Floats, visible: Floats) -> Light:
        """The light in ``colours`` (468, 3) log-odds.

        Each point is trusted by ``visible`` (468,) 0..1 and by its likeness to skin.
        """
        trust = self._skin * np.clip(visible, 0.02, 1)
        luma = colours @ LUMA
        good = trust > 0.1
        if np.count_nonzero(good) < 20:
            good = trust >= np.sort(trust)[-20]
        middle = np.median(colours[good], axis=0)
        # Hair, beards and glasses differ from skin by more than light does; red lips and blue lenses by their hue.
        hue = (colours - luma[:, None]) - (middle - middle @ LUMA)
        skin = trust * np.exp(-((hue / 0.35) ** 2).sum(1)) + 1e-5
        trust = skin
        for _ in range(_ROUNDS):
            darker = np.clip(self._slope(luma[:, None], trust)[:, 0] - luma, 0, None)
            trust = skin * np.exp(-((darker / _DARKER) ** 2)) + 1e-5
        slope = self._slope(colours, trust)
        mean = (trust @ colours) / trust.sum()
        rest = (colours - slope) * trust[:, None]
        weighted = np.column_stack([rest, trust])
        near, far = self._near @ weighted, self._far @ weighted
        # Where no skin is near, the wider surroundings and in the end the mean speak.
        pull = 0.3
        field = (near[:, :3] + pull * far[:, :3] / far[:, 3:]) / (near[:, 3:] + pull)
        return Light(mean.astype(np.float32), (slope - mean + self._between @ field).astype(np.float32))

    def _slope(self, values: Floats, trust: Floats) -> Floats:
        """(468, k): ``values`` (468, k) as a slope over the whole face, weighted least squares."""
        weighted = self._slopes * trust[:, None]
        steady = np.diag([1e-6, *[0.01 * float(trust.sum())] * 3]).astype(np.float32)
        return np.asarray(
            self._slopes @ np.linalg.solve(weighted.T @ self._slopes + steady, weighted.T @ values), np.float32
        )


def texture_light(texture: Pixels, canonical: CanonicalFace, reader: LightReader) -> Light:
    """The light in a ``texture`` (s, s, 3) of the ``canonical`` face."""
    points = (canonical.uv * texture.shape[0]).astype(np.float32)
    return reader.read(reader.sample(texture, points), np.ones(len(points), np.float32))
