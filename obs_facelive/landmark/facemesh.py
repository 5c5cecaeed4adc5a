"""MediaPipe Face Mesh v2 with blendshapes (embedded)."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from obs_facelive.catalog import model_file
from obs_facelive.frame import LANDMARKS, Floats, Landmarks, Pixels, Roi
from obs_facelive.geometry import apply_affine, for_warp, invert_affine, roi_to_crop
from obs_facelive.runtime.providers import Where
from obs_facelive.runtime.session import open_session

LANDMARKS_FILE = "face_landmarks_v2_478.onnx"
BLENDSHAPES_FILE = "face_blendshapes_v2.onnx"
INPUT = 256


class FaceMesh:
    """478 points and 52 expression weights."""

    def __init__(self, models: Path, where: Where = "cpu") -> None:
        self._points = open_session(model_file(models, LANDMARKS_FILE), where)
        self._blendshapes = open_session(model_file(models, BLENDSHAPES_FILE), where)

    def landmarks(self, pixels: Pixels, roi: Roi) -> Landmarks:
        """The points of the face in ``roi`` of ``pixels`` ((h, w, 4) or (h, w, 3) uint8)."""
        matrix = roi_to_crop(roi, INPUT)
        crop = cv2.warpAffine(pixels, for_warp(matrix), (INPUT, INPUT), borderMode=cv2.BORDER_REPLICATE)
        rgb = cv2.cvtColor(crop, cv2.COLOR_BGRA2RGB if crop.shape[2] == 4 else cv2.COLOR_BGR2RGB)
        image = np.multiply(rgb, np.float32(1 / 255), dtype=np.float32)
        raw, logit = self._points.run(["landmarks", "logit"], {"image": image[None]})
        points = raw.reshape(LANDMARKS, 3)
        points[:, :2] = apply_affine(invert_affine(matrix), points[:, :2])
        points[:, 2] *= roi.size / INPUT
        return Landmarks(points, float(1 / (1 + np.exp(-logit[0, 0, 0, 0]))))

    def blendshapes(self, points: Floats) -> Floats:
        """(52,) float32 0..1, in the order of `obs_facelive.landmark.BLENDSHAPES`, of (478, 3) points in pixels."""
        (weights,) = self._blendshapes.run(["blendshapes"], {"points": points[None, BLENDSHAPE_POINTS, :2]})
        return np.asarray(weights, np.float32)


# kLandmarksSubsetIdxs of mediapipe/tasks/cc/vision/face_landmarker/face_blendshapes_graph.cc
BLENDSHAPE_POINTS = np.array(
    [
        *(0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78),
        *(80, 81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150),
        *(152, 153, 154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197),
        *(234, 246, 249, 251, 263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308),
        *(310, 311, 312, 314, 317, 318, 321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377),
        *(378, 379, 380, 381, 382, 384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466),
        *(468, 469, 470, 471, 472, 473, 474, 475, 476, 477),
    ]
)
