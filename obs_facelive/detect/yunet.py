"""YuNet (files the person brings): W. Wu et al., YuNet, Machine Intelligence Research 2023."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from obs_facelive.detect.common import cells, letterbox, levels, square_input, suppress_weighted
from obs_facelive.frame import Detections, Pixels
from obs_facelive.runtime.providers import Where
from obs_facelive.runtime.session import open_session


class YuNet:
    """Finds faces with a file whose graph has one picture as its input, and two scores, boxes and 5 points for each stride.

    The contract (opencv/modules/objdetect/src/face_detect.cpp): 0..255 BGR in; class and objectness 0..1; the box's centre from
    the cell, and the logarithm of its size, in strides; five points from the cell (eyes first), in strides. Outputs are told
    apart by shape. Raises `ModelError` for any other graph.
    """

    def __init__(self, path: Path, where: Where = "auto", threshold: float = 0.7) -> None:
        self._session = open_session(path, where)
        self._input, self._size = square_input(self._session, path, kind="YuNet", scores=2)
        self._threshold = threshold

    def detect(self, pixels: Pixels) -> Detections:
        """All faces in ``pixels`` ((h, w, 4) or (h, w, 3) uint8), best first."""
        square, scale, offset = letterbox(pixels, self._size)
        corners, scores = [], []
        for stride, level in levels(self._session.run(None, {self._input: cv2.dnn.blobFromImage(square)})):
            # Class and objectness count alike, so it does not matter which is which.
            score = np.sqrt(np.clip(level[1][0] * level[1][1], 0, 1))[:, 0]
            likely = np.flatnonzero(score > self._threshold)
            anchor = cells(self._size // stride)[likely]
            box, eyes = level[4][0][likely], level[10][0][likely, :4].reshape(-1, 2, 2)
            centre, half = anchor + box[:, :2], np.exp(box[:, 2:]) / 2
            corners.append(np.stack([centre - half, centre + half, *(anchor + eyes[:, i] for i in (0, 1))], 1) * stride)
            scores.append(score[likely])
        placed = ((np.concatenate(corners) - offset) / scale).astype(np.float32)
        return suppress_weighted(placed[:, :2].reshape(-1, 4), np.concatenate(scores), placed[:, 2:])
