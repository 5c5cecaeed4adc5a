"""What a persona looks like by itself: its own skin on its own shape, from the front, worn by nobody."""

from __future__ import annotations

import numpy as np

from obs_facelive.frame import Floats, Pixels
from obs_facelive.personas.library import Persona
from obs_facelive.swap.raster import draw, empty_depth
from obs_facelive.topology import LEFT_EYE, LEFT_IRIS, RIGHT_EYE, RIGHT_IRIS, CanonicalFace

SIDE = 512
_SCALE = 21.0
"""Pixels a centimetre."""
_MIDDLE = (256.0, 262.0)
_GREY = 128


def likeness(persona: Persona, canonical: CanonicalFace, side: int = SIDE) -> tuple[Pixels, Floats]:
    """The picture (side, side, 3) uint8 BGR on grey, and where its face's (478, 3) points are."""
    scale = _SCALE * side / SIDE
    points = np.zeros((478, 3), np.float32)
    shape = persona.shape * np.array([scale, -scale, -scale], np.float32)
    points[: len(shape)] = shape + np.array([*_MIDDLE, 0], np.float32) * np.float32(side / SIDE)
    for iris, lids in ((RIGHT_IRIS, RIGHT_EYE), (LEFT_IRIS, LEFT_EYE)):
        # About 1.2 centimetres wide.
        edge = np.array([[0, 0, 0], [0.6, 0, 0], [0, -0.6, 0], [-0.6, 0, 0], [0, 0.6, 0]]) * scale
        points[iris] = points[lids].mean(0) + edge
    vertices = np.ones((len(shape), 6), np.float32)
    vertices[:, :2] = canonical.uv
    pixels, mask = np.full((side, side, 3), _GREY, np.uint8), np.zeros((side, side), np.uint8)
    plain = np.ones((2, 2), np.float32)
    surface = np.ascontiguousarray(points[: len(shape)])
    depth = empty_depth(side, side)
    draw(surface, canonical.triangles, vertices, persona.texture, plain, -0.5, 0.0, pixels, mask, depth)
    return pixels, points
