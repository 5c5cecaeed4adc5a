"""A number drawn into a picture so that it survives video coding: two rows of black and white cells.

The upper row is one white cell, 16 bits (highest first, white is one) and one black cell; the lower row is its
complement. A cell's value is the sign of upper minus lower, so brightness, range and gamma do not matter, and a picture
without a code, or one blended from two codes, has cells without contrast and reads as nothing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from obs_facelive.frame import Pixels

BITS = 16
CELL_WIDTH = 20
CELL_HEIGHT = 40
WIDTH = (BITS + 2) * CELL_WIDTH
HEIGHT = 2 * CELL_HEIGHT
CONTRAST = 60.0
"""Least difference between a cell and its complement, of 255. Black against white keeps over 200 at any sane bitrate."""


def _fits(pixels: Pixels, x: int, y: int) -> bool:
    height, width = pixels.shape[:2]
    return x in range(width - WIDTH + 1) and y in range(height - HEIGHT + 1)


def draw(pixels: Pixels, number: int, x: int = 16, y: int = 16) -> None:
    """Draw ``number`` (0..65535) into ``pixels`` ((h, w, 3 or 4) uint8): `WIDTH` by `HEIGHT` pixels from x, y down and right.

    Raises
    ------
    ValueError
        The number has more than 16 bits, or the code does not fit into the picture.
    """
    if not 0 <= number < 1 << BITS:
        raise ValueError(f"a code holds 0..{(1 << BITS) - 1}, not {number}")
    if not _fits(pixels, x, y):
        raise ValueError(
            f"a code of {WIDTH}x{HEIGHT} at {x}, {y} does not fit into {pixels.shape[1]}x{pixels.shape[0]}"
        )
    cells = np.array([1, *(number >> bit & 1 for bit in reversed(range(BITS))), 0], np.uint8)
    rows = np.stack([cells, 1 - cells]) * np.uint8(255)
    code = rows.repeat(CELL_HEIGHT, axis=0).repeat(CELL_WIDTH, axis=1)
    area = pixels[y : y + HEIGHT, x : x + WIDTH]
    area[..., :3] = code[..., None]
    area[..., 3:] = 255


def read(pixels: Pixels, x: int = 16, y: int = 16) -> int | None:
    """The number drawn at x, y of ``pixels`` ((h, w, 3 or 4) uint8), or None where no code can be read."""
    if not _fits(pixels, x, y):
        return None
    area = pixels[y : y + HEIGHT, x : x + WIDTH, :3].mean(axis=2, dtype=np.float32)
    cells = area.reshape(2, CELL_HEIGHT, BITS + 2, CELL_WIDTH)
    inner = cells[:, CELL_HEIGHT // 4 : -CELL_HEIGHT // 4, :, CELL_WIDTH // 4 : -CELL_WIDTH // 4]
    level: npt.NDArray[np.float32] = inner.mean(axis=(1, 3))
    contrast = level[0] - level[1]
    if np.abs(contrast).min() < CONTRAST or contrast[0] < 0 or contrast[-1] > 0:
        return None
    return int("".join("1" if value > 0 else "0" for value in contrast[1:-1]), 2)
