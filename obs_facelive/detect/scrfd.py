"""SCRFD and RetinaFace as InsightFace exports them (files the person brings): J. Guo et al., arXiv 2105.04714."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from obs_facelive.detect.common import cells, letterbox, levels, square_input, suppress_weighted
from obs_facelive.frame import Detections, Pixels
from obs_facelive.runtime.providers import Where
from obs_facelive.runtime.session import open_session


class SCRFD:
    """Finds faces with a file whose graph has one picture as its input, and scores, boxes and 5 points for each stride.

    The contract (insightface/model_zoo/retinaface.py): (x - 127.5) / 128 RGB in; scores 0..1; distances from the cell's corner
    to the box's four sides, and to five points (eyes first), in strides. Outputs are told apart by shape, because their
    names differ from export to export. Raises `ModelError` for any other graph.
    """

    def __init__(self, path: Path, where: Where = "auto", threshold: float = 0.5) -> None:
        self._session = open_session(path, where)
        self._input, self._size = square_input(self._session, path, kind="SCRFD", scores=1)
        self._threshold = threshold

    def detect(self, pixels: Pixels) -> Detections:
        """All faces in ``pixels`` ((h, w, 4) or (h, w, 3) uint8), best first."""
        square, scale, offset = letterbox(pixels, self._size)
        blob = cv2.dnn.blobFromImage(square, 1 / 128, mean=(127.5, 127.5, 127.5), swapRB=True)
        corners, scores = [], []
        for stride, level in levels(self._session.run(None, {self._input: blob})):
            score, box, points = level[1][0][:, 0], level[4][0], level[10][0]
            likely = np.flatnonzero(score > self._threshold)
            side = self._size // stride
            anchor = np.repeat(cells(side), len(score) // side**2, axis=0)[likely]
            # Distances to left, top, right, bottom; then the points.
            ahead = np.concatenate([box[likely] * [-1, -1, 1, 1], points[likely, :4]], axis=1).reshape(-1, 4, 2)
            corners.append((anchor[:, None] + ahead) * stride)
            scores.append(score[likely])
        placed = ((np.concatenate(corners) - offset) / scale).astype(np.float32)
        return suppress_weighted(placed[:, :2].reshape(-1, 4), np.concatenate(scores), placed[:, 2:])
