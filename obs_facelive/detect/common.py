"""What all detectors do before and after their net."""

from __future__ import annotations

import cv2
import numpy as np

from obs_facelive.frame import Detections, Floats, Pixels
from obs_facelive.geometry import overlap


def letterbox(pixels: Pixels, size: int, margin: float = 1.0) -> tuple[Pixels, Floats, Floats]:
    """``pixels`` as (size, size, 3) BGR, shrunk or grown to fit with its proportions kept, in the middle, black around it.

    Returns it with scale (2,) and offset (2,) of picture → square. ``margin`` 2 makes the picture half as large.
    """
    height, width = pixels.shape[:2]
    fit = size / (max(height, width) * margin)
    w, h = max(1, round(width * fit)), max(1, round(height * fit))
    small = cv2.resize(pixels, (w, h), interpolation=cv2.INTER_AREA if fit < 1 else cv2.INTER_LINEAR)
    x, y = (size - w) // 2, (size - h) // 2
    square = np.zeros((size, size, 3), np.uint8)
    square[y : y + h, x : x + w] = small[..., :3]
    return square, np.array([w / width, h / height], np.float32), np.array([x, y], np.float32)


def suppress_weighted(boxes: Floats, scores: Floats, eyes: Floats, threshold: float = 0.3) -> Detections:
    """One detection per face: overlapping ones are averaged by their scores (MediaPipe's weighted non-maximum suppression).

    ``boxes`` (n, 4), ``scores`` (n,), ``eyes`` (n, 2, 2), in any order; boxes that overlap by more than ``threshold`` are one.
    """
    rest = np.argsort(-scores, kind="stable")
    found: list[tuple[Floats, float, Floats]] = []
    while len(rest):
        same = overlap(boxes[rest[0]], boxes[rest]) > threshold
        same[0] = True
        group, weights = rest[same], scores[rest[same]]
        found.append(
            (
                np.average(boxes[group], axis=0, weights=weights),
                float(scores[rest[0]]),
                np.average(eyes[group], axis=0, weights=weights),
            )
        )
        rest = rest[~same]
    return Detections(
        np.array([b for b, _, _ in found], np.float32).reshape(-1, 4),
        np.array([s for _, s, _ in found], np.float32),
        np.array([e for _, _, e in found], np.float32).reshape(-1, 2, 2),
    )
