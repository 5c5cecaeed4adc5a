"""Each recorded picture beside the clip that was the camera: what is it, and is the bare face in it?

How near a bare face comes to the clip through OBS's scaling and coding is measured: on recordings of the bare camera, which
must be found out. See `tools.bare_face`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import cv2
import numpy as np

from obs_facelive.frame import Pixels
from obs_facelive.video import read_frames
from tools import barcode
from tools.bare_face import BLURRED, BareFace, grey, small
from tools.chaos.studio import BREAK_BGR

Kind = Literal["live", "held", "covered", "pause", "black", "other"]
"""Swapped and new; the same camera picture as the one before; blurred; the scene without a camera; nothing; none of these."""

_FLAT: Final = 12.0
_BLACK: Final = 24
_BATCH: Final = 64


@dataclass(frozen=True)
class Seen:
    """What was found in one recorded picture.

    Attributes
    ----------
    number : of the recorded picture
    code : the camera picture's number, where it can be read
    distance, alikeness, detail : see `tools.bare_face.Compared`
    """

    number: int
    code: int | None
    kind: Kind
    distance: float
    alikeness: float
    detail: float


def look(bare: BareFace, recording: Path) -> Iterator[Seen]:
    """Every picture of a recording, in order."""
    before: int | None = None
    for batch in _batches(recording):
        found = bare.compare(np.asarray([grey(picture) for _, picture, _ in batch]))
        for (number, picture, code), (distance, alike, detail) in zip(batch, found, strict=True):
            kind = _kind(picture, code, before, float(detail))
            before = code if code is not None else before
            values = (round(float(v), 3) for v in (distance, alike, detail))
            yield Seen(number, code, kind, *values)


def _batches(recording: Path) -> Iterator[Sequence[tuple[int, Pixels, int | None]]]:
    """(number, small picture, code) of each picture."""
    batch: list[tuple[int, Pixels, int | None]] = []
    for frame in read_frames(recording):
        batch.append((frame.id, small(frame.pixels), _code(frame.pixels)))
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _kind(picture: Pixels, code: int | None, before: int | None, detail: float) -> Kind:
    if code is not None:
        return "held" if code == before else "live"
    if np.abs(picture.astype(np.int16) - np.array(BREAK_BGR)).mean() < _FLAT:
        return "pause"
    if picture.max() < _BLACK:
        return "black"
    return "covered" if detail < BLURRED else "other"


def _code(picture: Pixels) -> int | None:
    """The code was drawn at twice the canvas's size."""
    part = np.ascontiguousarray(picture[: barcode.HEIGHT // 2 + 16, : barcode.WIDTH // 2 + 16, :3])
    double = cv2.resize(part, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    return barcode.read(np.asarray(double, np.uint8))
