"""Turning a face into a vector that says whose it is: SFace (embedded).

Y. Zhong, W. Deng, J. Hu, D. Zhao, X. Li, D. Wen, SFace: Sigmoid-constrained hypersphere loss for robust face recognition,
IEEE TIP 2021; the network of OpenCV Zoo.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from obs_facelive.catalog import model_file
from obs_facelive.frame import Floats, Pixels
from obs_facelive.geometry import for_warp, similarity
from obs_facelive.runtime.providers import Where
from obs_facelive.runtime.session import open_session
from obs_facelive.topology import LEFT_EYE_CORNERS, MOUTH_CORNERS, NOSE_TIP, RIGHT_EYE_CORNERS

RECOGNITION_FILE: Final = "face_recognition.onnx"
INPUT: Final = 112
EMBEDDING: Final = 128
"""Numbers of an embedding."""

_PLACES: Final = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32
) + np.float32(0.5)
"""Where ArcFace's template has the eyes, the nose's tip and the mouth's corners (getSimilarityTransformMatrix in OpenCV's
face_recognize.cpp), in our coordinates, in which the centre of a pixel is at one half."""


class Recogniser:
    """Says whose face it is. One thread at a time."""

    def __init__(self, models: Path, where: Where = "cpu") -> None:
        """Raises `obs_facelive.catalog.ModelError`, in words for people, where ``models`` has no such network."""
        self._session = open_session(model_file(models, RECOGNITION_FILE), where)

    def embed(self, pixels: Pixels, points: Floats) -> Floats:
        """Whose face lies at ``points`` of ``pixels``: (128,) float32 of length 1; the more alike two are, the nearer is their
        product to 1.

        Parameters
        ----------
        pixels : (h, w, 3) uint8 BGR or (h, w, 4) BGRA
        points : (478, 2) or (478, 3) float32 as in `obs_facelive.frame.Landmarks`
        """
        rgb = cv2.cvtColor(np.ascontiguousarray(aligned(pixels, points)[..., :3]), cv2.COLOR_BGR2RGB)
        image = rgb.transpose(2, 0, 1)[None].astype(np.float32)
        vector: Floats = np.asarray(self._session.run(["embedding"], {"image": image})[0][0], np.float32)
        return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-6), np.float32)


def mean_embedding(embeddings: Sequence[Floats]) -> Floats:
    """(128,) float32 of length 1: the middle of one person's ``embeddings``, at least one."""
    middle = np.mean(embeddings, axis=0)
    return np.asarray(middle / max(float(np.linalg.norm(middle)), 1e-6), np.float32)


def aligned(pixels: Pixels, points: Floats) -> Pixels:
    """The upright face of ``points`` as the network wants it: (112, 112) with the channels of ``pixels``, black outside."""
    matrix = similarity(five_points(points), _PLACES).astype(np.float32)
    # A large face is cut out larger, and averaged down: a warp alone would skip pixels.
    finer = int(np.clip(round(1 / float(np.hypot(matrix[0, 0], matrix[0, 1]))), 1, 4))
    side = INPUT * finer
    large = cv2.warpAffine(pixels, for_warp(matrix * np.float32(finer)), (side, side))
    return np.asarray(cv2.resize(large, (INPUT, INPUT), interpolation=cv2.INTER_AREA), np.uint8)


def five_points(points: Floats) -> Floats:
    """(5, 2): the person's right eye and left eye, the nose's tip, the mouth's right corner and left corner.

    An eye is the middle of its corners: unlike the iris it does not move with the look.
    """
    eyes = [points[list(corners), :2].mean(0) for corners in (RIGHT_EYE_CORNERS, LEFT_EYE_CORNERS)]
    return np.stack([*eyes, *points[[NOSE_TIP, *MOUTH_CORNERS], :2]]).astype(np.float32)
