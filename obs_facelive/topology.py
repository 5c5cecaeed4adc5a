"""The face mesh's topology: which of the 478 points make what, and the canonical face's triangles.

Index groups are MediaPipe's (mediapipe/python/solutions/face_mesh_connections.py), as closed rings in drawing order.
"Right" and "left" are the person's own: the right eye is on the left of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from obs_facelive.catalog import model_file
from obs_facelive.frame import Floats

Indices = npt.NDArray[np.int32]


def _ring(*points: int) -> Indices:
    ring = np.array(points, np.int32)
    ring.flags.writeable = False
    return ring


FACE_OVAL = _ring(
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
RIGHT_EYE = _ring(33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
LEFT_EYE = _ring(263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249)
RIGHT_BROW = _ring(70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
LEFT_BROW = _ring(300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
LIPS_OUTER = _ring(61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
LIPS_INNER = _ring(78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
RIGHT_IRIS = _ring(468, 469, 470, 471, 472)
"""The iris's centre first, then four points on its edge."""
LEFT_IRIS = _ring(473, 474, 475, 476, 477)
RIGID = _ring(
    *(10, 109, 338, 67, 297, 103, 332, 54, 284, 21, 251, 151, 108, 337, 9, 8, 162, 389, 127, 356, 234, 454, 93, 323),
    *(168, 6, 197, 195, 5, 4, 1, 122, 351, 196, 419, 198, 420, 131, 360),
    *(116, 345, 117, 346, 118, 347, 123, 352, 50, 280, 101, 330, 111, 340, 143, 372),
)
"""Points on bone (forehead, temples, nose, cheekbones): they move with the head, hardly with the expression."""

RIGHT_EYE_CORNERS = (33, 133)
"""Outer, inner."""
LEFT_EYE_CORNERS = (263, 362)
MOUTH_CORNERS = (61, 291)
"""The person's right, left."""
NOSE_TIP = 1
FOREHEAD = 10
CHIN = 152


@dataclass(frozen=True, slots=True)
class CanonicalFace:
    """MediaPipe's canonical face.

    Attributes
    ----------
    xyz : (468, 3) float32, centimetres; x to the person's left, y up, z towards the camera
    uv : (468, 2) float32 0..1, v down, its texture coordinates
    triangles : (898, 3) int32, counter-clockwise seen from outside with y up; eyes and mouth are closed
    """

    xyz: Floats
    uv: Floats
    triangles: Indices


def load_canonical_face(models: Path) -> CanonicalFace:
    """The canonical face from the models folder. Raises `obs_facelive.catalog.ModelError` where it is missing."""
    with np.load(model_file(models, "canonical_face.npz"), allow_pickle=False) as file:
        face = CanonicalFace(file["xyz"], file["uv"], file["triangles"])
    for array in (face.xyz, face.uv, face.triangles):
        array.flags.writeable = False
    return face
