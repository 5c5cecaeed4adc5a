"""Where networks that swap or recognise faces want the face in their square picture, and how it gets there.

Points and matrices of this file are OpenCV's, as in the code that the networks were trained with: the centre of pixel (0, 0) is
at (0, 0). `five_points` is the way in from the pipeline's own coordinates.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from obs_facelive.frame import Floats, Pixels
from obs_facelive.geometry import similarity
from obs_facelive.topology import LEFT_EYE, MOUTH_CORNERS, NOSE_TIP, RIGHT_EYE

Matrix: TypeAlias = npt.NDArray[np.float64]
"""(2, 3), maps pixels of a frame to pixels of a crop."""


def _template(*values: float) -> Floats:
    points = np.array(values, np.float32).reshape(5, 2)
    points.flags.writeable = False
    return points


_ARCFACE = _template(38.2946, 51.6963, 73.5318, 51.5014, 56.0252, 71.7366, 41.5493, 92.3655, 70.7299, 92.2041)

TEMPLATES: Final[dict[str, Floats]] = {
    "arcface_112_v1": _template(
        *(0.35473214, 0.45658929, 0.64526786, 0.45658929, 0.5, 0.61154464),
        *(0.37913393, 0.776875, 0.62086607, 0.776875),
    ),
    "arcface_112_v2": np.asarray(_ARCFACE / 112, np.float32),
    "arcface_128": np.asarray((_ARCFACE + np.array([8, 0], np.float32)) / 128, np.float32),
    "dfl_whole_face": _template(
        *(0.35342266, 0.39285716, 0.62797622, 0.39285716, 0.48660713, 0.5401786),
        *(0.38839287, 0.68750011, 0.59821427, 0.68750011),
    ),
    "ffhq_512": _template(
        *(0.37691676, 0.46864664, 0.62285697, 0.46912813, 0.50123859, 0.61331904),
        *(0.39308822, 0.725411, 0.61150205, 0.72490465),
    ),
    "mtcnn_512": _template(
        *(0.36562865, 0.46733799, 0.63305391, 0.46585885, 0.50019127, 0.61942959),
        *(0.39032951, 0.77598822, 0.61178945, 0.77476328),
    ),
}
"""Name → (5, 2) float32 in sides of the crop: eye on the picture's left, the other eye, nose, mouth's corners.

arcface_112_v2 and arcface_128 are `insightface.utils.face_align.arcface_dst` for sizes divisible by 112 and by 128; the others
FaceFusion's (``facefusion/face_helper.py``), whose models were trained with them.
"""


def five_points(points: Floats) -> Floats:
    """(5, 2) float32: the points of `TEMPLATES`, in OpenCV's coordinates, of 478 ``points`` in the pipeline's.

    Eyes are the middles of their outlines: irises move with the gaze, the points that the networks know do not.
    """
    eyes = [(points[ring, :2].min(0) + points[ring, :2].max(0)) / 2 for ring in (RIGHT_EYE, LEFT_EYE)]
    return np.asarray(np.stack([*eyes, points[NOSE_TIP, :2], *points[list(MOUTH_CORNERS), :2]]) - 0.5, np.float32)


def placement(five: Floats, template: str, size: int) -> Matrix:
    """The matrix that lays the face with those ``five`` points onto ``template`` in a crop of ``size`` pixels a side.

    Least squares, as `insightface.utils.face_align.estimate_norm` (2.1). Raises `ValueError` where all points are one.
    """
    return similarity(five, TEMPLATES[template] * np.float32(size))


def crop(pixels: Pixels, matrix: Matrix, size: int) -> Pixels:
    """(size, size, 3) uint8 BGR out of ``pixels`` (h, w, 3 or 4); what lies beyond the frame repeats its edge."""
    placed = cv2.warpAffine(pixels, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(placed if placed.shape[2] == 3 else cv2.cvtColor(placed, cv2.COLOR_BGRA2BGR), np.uint8)


def as_input(picture: Pixels, mean: npt.ArrayLike, std: npt.ArrayLike) -> Floats:
    """(1, 3, s, s) float32 RGB, (x / 255 - mean) / std, of a (s, s, 3) uint8 BGR picture; ``mean``, ``std``: 1 or 3 numbers."""
    scale, shift = 1 / (255 * np.broadcast_to(std, 3)), np.broadcast_to(mean, 3) / np.broadcast_to(std, 3)
    planes = np.empty((1, 3, *picture.shape[:2]), np.float32)
    for channel in range(3):
        np.multiply(picture[..., 2 - channel], np.float32(scale[channel]), out=planes[0, channel])
        if shift[channel]:
            planes[0, channel] -= np.float32(shift[channel])
    return planes


def as_picture(planes: Floats) -> Pixels:
    """(s, s, 3) uint8 BGR of (3, s, s) RGB 0..1; cut off, also to whole levels, as insightface does."""
    levels = cv2.merge([np.ascontiguousarray(plane) for plane in planes[::-1]])
    return np.clip(np.multiply(levels, 255, out=levels), 0, 255, out=levels).astype(np.uint8)
