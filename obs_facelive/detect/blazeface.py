"""BlazeFace, full range (embedded): V. Bazarevsky et al., BlazeFace, arXiv 1907.05047."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from obs_facelive.catalog import model_file
from obs_facelive.detect.common import cells, letterbox, suppress_weighted
from obs_facelive.frame import Detections, Floats, Pixels
from obs_facelive.runtime.providers import Where
from obs_facelive.runtime.session import open_session

FILE = "face_detection_full_range.onnx"
INPUT = 192
GRID = 48
FAR = 3.0
"""How much smaller the picture is made in the second try: faces from 0.9 of the picture's side are found only then."""


class BlazeFace:
    """Finds faces of about 5 % of the picture's longer side and more."""

    def __init__(self, models: Path, where: Where = "cpu", threshold: float = 0.6) -> None:
        self._session = open_session(model_file(models, FILE), where)
        self._threshold = threshold
        # One anchor in the middle of each cell (MediaPipe's SsdAnchorsCalculator, options of face_detection_full_range).
        self._anchors = (cells(GRID) + np.float32(0.5)) * (INPUT / GRID)

    def detect(self, pixels: Pixels) -> Detections:
        """All faces in ``pixels`` ((h, w, 4) or (h, w, 3) uint8), best first."""
        found = self._detect(pixels, margin=1.0)
        return found if len(found) else self._detect(pixels, margin=FAR)

    def _detect(self, pixels: Pixels, margin: float) -> Detections:
        square, scale, offset = letterbox(pixels, INPUT, margin)
        image = cv2.cvtColor(square, cv2.COLOR_BGR2RGB)
        image = np.multiply(image, np.float32(1 / 127.5), dtype=np.float32) - 1
        boxes, logits = self._session.run(["boxes", "logits"], {"image": image[None]})
        scores: Floats = 1 / (1 + np.exp(-np.clip(logits[0, :, 0], -80, 80)))
        likely = np.flatnonzero(scores > self._threshold)
        raw = boxes[0, likely]
        centre = raw[:, 0:2] + self._anchors[likely]
        half = raw[:, 2:4] / 2
        eyes = raw[:, 4:8].reshape(-1, 2, 2) + self._anchors[likely, None]
        corners = np.stack([centre - half, centre + half, eyes[:, 0], eyes[:, 1]], axis=1)
        corners = (corners - offset) / scale
        return suppress_weighted(corners[:, :2].reshape(-1, 4), scores[likely], corners[:, 2:])
