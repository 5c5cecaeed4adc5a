"""A clock in the picture, and what it says about delay.

How late is the far end? The camera is a clip, and nobody knows at which moment OBS shows its picture n. So OBS's picture
carries three bar codes:

- the camera's own, as the filter shows it (top left): n, late by the filter's delay;
- the camera's again, cut out of the bare source in the same picture (bottom left): the number that OBS shows at this moment;
- a clock (bottom right): a script in OBS (`tools.far_end.clock_script`) moves a sheet of bar codes on before each picture that
  OBS draws, and writes down the moment by the wall clock.

A picture that arrives at r by the wall clock, drawn at t, is r - t late: that is the stream's delay (coding, server, network,
decoding). The camera's picture that is seen in it was first shown bare at s, which the bare code and the clock of an earlier
picture say: t - s is the filter's own delay, r - s what the viewer has. With the filter switched off the same is measured
once more. Nothing rests on clocks of clips, and both delays come out of the same pictures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from obs_facelive.frame import Pixels
from tools import barcode

COLUMNS, ROWS = 8, 32
TICKS: Final = COLUMNS * ROWS
"""Codes on the sheet; they come round again: 8.5 seconds at 30 pictures a second, longer than any delay here."""


def sheet() -> Pixels:
    """All codes, (h, w, 3) uint8: row by row."""
    pixels = np.zeros((ROWS * barcode.HEIGHT, COLUMNS * barcode.WIDTH, 3), np.uint8)
    for tick in range(TICKS):
        row, column = divmod(tick, COLUMNS)
        barcode.draw(pixels, tick, column * barcode.WIDTH, row * barcode.HEIGHT)
    return pixels


def write_sheet(path: Path) -> None:
    """The sheet as a PNG."""
    cv2.imwrite(str(path), sheet())


def read_ticks(log: Path) -> list[float]:
    """When each picture was drawn, seconds by the wall clock: what the script wrote; the n-th has the code n modulo `TICKS`."""
    return [int(line) / 1e9 for line in log.read_text().split()]


@dataclass(frozen=True)
class Arrived:
    """A picture at the far end.

    Attributes
    ----------
    at : seconds by the wall clock
    tick, shown, seen : the clock's code, the camera's that OBS shows bare, the camera's behind the filter; None: not read
    """

    at: float
    tick: int | None
    shown: int | None
    seen: int | None


@dataclass(frozen=True)
class Late:
    """How late one picture is, in seconds.

    Attributes
    ----------
    at : when it arrived, by the wall clock
    drawn : when OBS drew it
    filter : from the moment when OBS showed its camera picture bare, until it was drawn; None: that moment is not known
    """

    at: float
    drawn: float
    filter: float | None

    @property
    def stream(self) -> float:
        """From OBS's drawing to the arrival."""
        return self.at - self.drawn

    @property
    def whole(self) -> float | None:
        """From OBS's first showing of the camera's picture to its arrival."""
        return None if self.filter is None else self.stream + self.filter


def lateness(arrived: Iterable[Arrived], ticks: Sequence[float]) -> list[Late]:
    """Of each picture that OBS drew and whose clock can be read; ``ticks``: see `read_ticks`.

    A picture was drawn at the last tick with its code before it arrived. One that OBS sends again has the code of the one
    before, and is left out.
    """
    times = np.asarray(ticks)
    shown: dict[int, float] = {}
    found = []
    before: int | None = None
    for picture in arrived:
        if picture.tick is None or picture.tick == before:
            continue
        before = picture.tick
        last = int(np.searchsorted(times, picture.at)) - 1
        index = last - (last - picture.tick) % TICKS
        if index < 0:
            continue
        drawn = float(times[index])
        if picture.shown is not None and drawn - shown.get(picture.shown, -np.inf) > _AGAIN:
            shown[picture.shown] = drawn
        found.append(Late(picture.at, drawn, _since(shown, picture.seen, drawn)))
    return found


_AGAIN: Final = 3.0
"""Seconds after which a camera's number is a new one of the next loop: no filter is that late, no loop that short."""


def _since(shown: Mapping[int, float], seen: int | None, drawn: float) -> float | None:
    if seen is None or seen not in shown:
        return None
    since = drawn - shown[seen]
    return since if since < _AGAIN else None
