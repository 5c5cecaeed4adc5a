"""Expression kept: the same face, found again in the output, does what the live one does."""

from __future__ import annotations

from typing import Final

import numpy as np

from obs_facelive.frame import Floats
from obs_facelive.topology import LEFT_BROW, LEFT_EYE_CORNERS, RIGHT_BROW, RIGHT_EYE_CORNERS
from tools.quality.areas import eye_distance

SIGNALS: Final = ("mouth", "right_eye", "left_eye", "brows")
LIVELY: Final = 0.02
"""A signal whose standard deviation is below this share of the distance of the eyes is mostly the landmarker's noise."""
_LIDS = ((13, 14), (159, 145), (386, 374))
"""Middle of the upper and of the lower lip's inner edge, and of the lids of the right and of the left eye."""


def landmark_error(live: Floats, worn: Floats) -> float:
    """Median distance on the screen between the points (478, 3) of two faces, in distances of the ``live`` one's eyes."""
    return float(np.median(np.linalg.norm(live[:, :2] - worn[:, :2], axis=1))) / eye_distance(live)


def signals(points: Floats) -> Floats:
    """(4,) float32: how far mouth, right and left eye are open, how high the brows are; in distances of the eyes."""
    gaps = [float(np.linalg.norm(points[a] - points[b])) for a, b in _LIDS]
    lifts = [
        float(np.linalg.norm(points[brow].mean(axis=0) - points[list(corners)].mean(axis=0)))
        for brow, corners in ((RIGHT_BROW, RIGHT_EYE_CORNERS), (LEFT_BROW, LEFT_EYE_CORNERS))
    ]
    return np.array([*gaps, sum(lifts) / 2], np.float32) / np.float32(eye_distance(points))


def followed(live: Floats, worn: Floats) -> dict[str, float]:
    """Pearson's correlation over time of each of `SIGNALS`, both (n, 4); only those that are `LIVELY` in the live face."""
    found: dict[str, float] = {}
    for name, before, after in zip(SIGNALS, live.T, worn.T, strict=True):
        if len(before) > 2 and float(before.std()) > LIVELY:
            flat = float(after.std()) < 1e-4
            found[name] = 0.0 if flat else float(np.corrcoef(before, after)[0, 1])
    return found
