"""What all detectors do before and after their net."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from obs_facelive.catalog import ModelError
from obs_facelive.frame import Detections, Floats, Pixels
from obs_facelive.geometry import overlap
from obs_facelive.runtime.session import Session


def letterbox(pixels: Pixels, size: int, margin: float = 1.0) -> tuple[Pixels, Floats, Floats]:
    """``pixels`` as (size, size, 3) BGR, shrunk or grown to fit with its proportions kept, in the middle, black around it.

    Returns it with scale (2,) and offset (2,) of picture → square. ``margin`` 2 makes the picture half as large.
    """
    height, width = pixels.shape[:2]
    fit = size / (max(height, width) * margin)
    w, h = max(1, round(width * fit)), max(1, round(height * fit))
    if fit < 0.5:
        # Averaging a 720p picture down takes longer than the net; by way of twice the size it takes a fifteenth, and on
        # portraits in pictures up to 4K the detector's scores stay the same.
        pixels = np.asarray(cv2.resize(pixels, (2 * w, 2 * h), interpolation=cv2.INTER_LINEAR), np.uint8)
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


def square_input(session: Session, path: Path, kind: str, scores: int) -> tuple[str, int]:
    """Name and side of the one (1, 3, side, side) float32 input of a detector; 640 where the side is free.

    Raises `ModelError` where the model does not look like a ``kind``: for each of 3 or more strides, as many outputs with rows
    of 1 as it has ``scores``, one with rows of 4 (boxes) and one with rows of 10 (points).
    """
    inputs, widths = session.get_inputs(), Counter(tuple(output.shape[-1:]) for output in session.get_outputs())
    name, shape, strides = str(inputs[0].name), inputs[0].shape, widths[10,]
    fits = (
        len(inputs) == 1
        and strides >= 3
        and widths == {(1,): scores * strides, (4,): strides, (10,): strides}
        and inputs[0].type == "tensor(float)"
        and len(shape) == 4
        and shape[1] == 3
        and (shape[2] == shape[3] or not isinstance(shape[2], int))
    )
    if not fits:
        raise ModelError(f"{path.name} is not a {kind} face detector with key points")
    return name, shape[2] if isinstance(shape[2], int) else 640


def cells(side: int) -> Floats:
    """(side * side, 2): x, y of a square grid's cells, row by row."""
    steps = np.arange(side, dtype=np.float32)
    return np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)


def levels(outputs: list[Floats]) -> Iterator[tuple[int, dict[int, list[Floats]]]]:
    """A detector's outputs by stride (8, 16, 32 ...), each as row width → arrays (rows, width) in their order."""
    flat = [output.reshape(-1, output.shape[-1]) for output in outputs]
    for level, rows in enumerate(sorted({len(output) for output in flat}, reverse=True)):
        by_width: dict[int, list[Floats]] = {}
        for output in flat:
            if len(output) == rows:
                by_width.setdefault(output.shape[1], []).append(output)
        yield 8 << level, by_width
