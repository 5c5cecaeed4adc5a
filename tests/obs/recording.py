"""Reading what OBS recorded, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from obs_facelive.frame import Pixels, Plane
from tests.obs.driving import HEAD
from tools import barcode


def luma(clip: Path) -> Iterator[Plane]:
    """The clip's frames as brightness, (h, w) uint8."""
    with av.open(clip) as container:
        for frame in container.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="gray"), np.uint8)


def numbered(clip: Path) -> Iterator[Pixels]:
    """The clip's frames, (h, w, 3) uint8 BGR, each with its number drawn in."""
    with av.open(clip) as container:
        for number, frame in enumerate(container.decode(video=0)):
            picture = np.asarray(frame.to_ndarray(format="bgr24", src_colorspace="ITU709"), np.uint8)
            barcode.draw(picture, number)
            yield picture


def code(frame: Plane, x: int, y: int) -> int | None:
    """The number in the bar code at x, y; None where there is none that can be read."""
    return barcode.read(frame[..., None], x, y)


def heads(clip: Path) -> npt.NDArray[np.float32]:
    """The frames' head regions, at a quarter of their size, as rows of (n, pixels) float32, 0..255."""
    rows, columns = HEAD
    size = ((columns.stop - columns.start) // 4, (rows.stop - rows.start) // 4)
    small = [cv2.resize(frame[HEAD], size, interpolation=cv2.INTER_AREA).ravel() for frame in luma(clip)]
    return np.asarray(small, np.float32)


def distance_to_nearest(recorded: npt.NDArray[np.float32], source: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """For each recorded head the root mean square difference, in levels, to that source head that it is most like: (n,)."""
    squares = (recorded**2).sum(1)[:, None] + (source**2).sum(1)[None] - 2 * recorded @ source.T
    nearest: npt.NDArray[np.float32] = np.sqrt(np.maximum(squares.min(1), 0) / recorded.shape[1])
    return nearest
