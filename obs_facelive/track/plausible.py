"""Telling a landmarker's answer from garbage."""

from __future__ import annotations

import numpy as np

from obs_facelive.frame import Landmarks
from obs_facelive.geometry import box_of
from obs_facelive.topology import CHIN, FACE_OVAL, FOREHEAD, LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS

MIN_SCORE = 0.5
MIN_SIZE = 8


def plausible(answer: Landmarks) -> bool:
    """Whether ``answer`` can be a face: sure enough, finite, not tiny, not folded up, not mirrored."""
    points = answer.points
    if answer.score < MIN_SCORE or not np.isfinite(points).all():
        return False
    box = box_of(points)
    width, height = box[2:] - box[:2]
    if min(width, height) < MIN_SIZE or not 0.25 < width / height < 4:
        return False
    x, y = points[FACE_OVAL, 0], points[FACE_OVAL, 1]
    # The oval runs clockwise on the screen; the shoelace formula is positive for that, with y down.
    area = float(x @ np.roll(y, -1) - np.roll(x, -1) @ y) / 2
    across = points[LEFT_EYE_CORNERS[0], :2] - points[RIGHT_EYE_CORNERS[0], :2]
    down = points[CHIN, :2] - points[FOREHEAD, :2]
    return bool(area > 0.3 * width * height and across[0] * down[1] > across[1] * down[0])
