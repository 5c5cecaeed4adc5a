"""SCRFD and RetinaFace as InsightFace exports them (files the person brings): J. Guo et al., arXiv 2105.04714."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from obs_facelive.detect.common import cells, levels, square_input
from obs_facelive.frame import Detections, Floats, Pixels
from obs_facelive.geometry import overlap
from obs_facelive.runtime.providers import Where
from obs_facelive.runtime.session import open_session

SAME: Final = 0.4
"""Boxes that overlap by more are one face (insightface: nms_thresh)."""


class SCRFD:
    """Finds faces with a file whose graph has one picture as its input, and scores, boxes and 5 points for each stride.

    The contract (insightface/model_zoo/scrfd.py, 2.1): the picture in the upper left of a black square, (x - 127.5) / 128 RGB;
    scores 0..1; distances from the cell's corner to the box's four sides, and to five points (eyes first), in strides; of boxes
    that overlap the best stays. Outputs are told apart by shape, because their names differ from export to export. Raises
    `ModelError` for any other graph.
    """

    def __init__(self, path: Path, where: Where = "auto", threshold: float = 0.5) -> None:
        self._session = open_session(path, where)
        self._input, self._size = square_input(self._session, path, kind="SCRFD", scores=1)
        self._threshold = threshold

    def detect(self, pixels: Pixels) -> Detections:
        """All faces in ``pixels`` ((h, w, 4) or (h, w, 3) uint8), best first."""
        square, scale = _square(pixels, self._size)
        blob = cv2.dnn.blobFromImage(square, 1 / 128, mean=(127.5, 127.5, 127.5), swapRB=True)
        corners, scores = [], []
        for stride, level in levels(self._session.run(None, {self._input: blob})):
            score, box, points = level[1][0][:, 0], level[4][0], level[10][0]
            likely = np.flatnonzero(score >= self._threshold)
            side = self._size // stride
            anchor = np.repeat(cells(side), len(score) // side**2, axis=0)[likely]
            # Distances to left, top, right, bottom; then the points.
            ahead = np.concatenate([box[likely] * [-1, -1, 1, 1], points[likely, :4]], axis=1).reshape(-1, 4, 2)
            corners.append((anchor[:, None] + ahead) * stride)
            scores.append(score[likely])
        return _best(np.asarray(np.concatenate(corners) / scale, np.float32), np.concatenate(scores))


def _square(pixels: Pixels, size: int) -> tuple[Pixels, float]:
    """``pixels`` in a (size, size, 3) BGR square, its proportions kept, and the scale of that."""
    height, width = pixels.shape[:2]
    fit = size / max(height, width)
    w, h = max(1, int(width * fit)), max(1, int(height * fit))
    square = np.zeros((size, size, 3), np.uint8)
    square[:h, :w] = cv2.resize(pixels, (w, h), interpolation=cv2.INTER_LINEAR)[..., :3]
    return square, h / height


def _best(placed: Floats, scores: Floats) -> Detections:
    """The best of each face, ``placed`` (n, 4, 2): two corners of its box, its eyes."""
    boxes = placed[:, :2].reshape(-1, 4)
    whole = boxes + np.array([0, 0, 1, 1], np.float32)  # theirs count the last pixel, too
    rest, kept = np.argsort(-scores, kind="stable"), list[int]()
    while len(rest):
        kept.append(int(rest[0]))
        rest = rest[1:][overlap(whole[rest[0]], whole[rest[1:]]) <= SAME]
    return Detections(boxes[kept], np.asarray(scores[kept], np.float32), placed[kept, 2:])
