"""A face with the canonical shape, for tests that need no picture of a real one."""

from __future__ import annotations

import math

import numpy as np

from obs_facelive.frame import Face, Floats
from obs_facelive.topology import LEFT_IRIS, RIGHT_IRIS, CanonicalFace

WIDTH, HEIGHT = 640, 480


def canonical_points(
    canonical: CanonicalFace,
    size: float = 12.0,
    x: float = 320.0,
    y: float = 240.0,
    yaw: float = 0.0,
    xyz: Floats | None = None,
) -> Floats:
    """(478, 3) float32: the face ``xyz`` (default: the canonical one), ``size`` pixels a centimetre, ``yaw`` in degrees."""
    angle = math.radians(yaw)
    turn = np.array([[math.cos(angle), 0, math.sin(angle)], [0, 1, 0], [-math.sin(angle), 0, math.cos(angle)]])
    points = np.zeros((478, 3), np.float32)
    points[:468] = (canonical.xyz if xyz is None else xyz) @ turn.T * [size, -size, -size] + [x, y, 0]
    # An iris is about 1.2 centimetres wide.
    edge = np.array([[0, 0, 0], [0.6, 0, 0], [0, -0.6, 0], [-0.6, 0, 0], [0, 0.6, 0]]) * size
    for iris, lids in ((RIGHT_IRIS, (159, 145)), (LEFT_IRIS, (386, 374))):
        points[iris] = points[list(lids)].mean(0) + edge
    return points


def live_face(points: Floats, track: int = 1) -> Face:
    """A tracked, resting face."""
    return Face(track, points.astype(np.float32), np.zeros(52, np.float32), 1.0)
