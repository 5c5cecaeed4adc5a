"""Contact sheets: cells in rows, labelled."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from obs_facelive.frame import Pixels

CELL = 224
"""Pixels of a cell's side."""
_BAR = 18


def cell(pixels: Pixels, box: tuple[slice, slice], side: int = CELL) -> Pixels:
    """The part ``box`` (rows, columns) of ``pixels`` in a square of ``side``, black around it: (side, side, 3)."""
    part = pixels[box][..., :3]
    high, wide = part.shape[:2]
    scale = side / max(high, wide)
    size = max(1, round(wide * scale)), max(1, round(high * scale))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    square = np.zeros((side, side, 3), np.uint8)
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = small
    return square


def sheet(rows: Sequence[Sequence[Pixels]], columns: Sequence[str], labels: Sequence[str]) -> Pixels:
    """Cells of one size under each other, the names of the ``columns`` above and the ``labels`` of the rows on their left."""
    side = rows[0][0].shape[0]
    across = max(len(row) for row in rows)
    picture = np.full((_BAR + (side + 2) * len(rows), 96 + (side + 2) * across, 3), 24, np.uint8)
    for column, name in enumerate(columns):
        _write(picture, name, 96 + column * (side + 2) + 4, 13)
    for number, (row, label) in enumerate(zip(rows, labels, strict=True)):
        top = _BAR + number * (side + 2)
        for line, words in enumerate(label.split("\n")):
            _write(picture, words, 4, top + 16 + 15 * line)
        for column, pixels in enumerate(row):
            left = 96 + column * (side + 2)
            picture[top : top + side, left : left + side] = pixels
    return picture


def save(picture: Pixels, file: Path) -> None:
    """Writes a JPEG, replacing ``file`` in one step. Raises `OSError`."""
    good, content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])
    if not good:
        raise OSError(f"{file} cannot be made")
    fresh = file.with_name(f".{os.getpid()}-{file.name}")
    fresh.write_bytes(content.tobytes())
    fresh.replace(file)


def _write(picture: Pixels, words: str, x: int, y: int) -> None:
    cv2.putText(picture, words, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (230, 230, 230), 1, cv2.LINE_AA)
