"""A contact sheet of pictures that come one by one, nobody knows how many: some evenly over all, and the wrong ones."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from obs_facelive.frame import Pixels

CELL: Final = (400, 225)
_COLUMNS: Final = 4
_EVEN, _WRONG = 8, 8
_LINE: Final = 22


class Sheet:
    """Collects pictures, each with its line of text."""

    def __init__(self) -> None:
        self._even: list[Pixels] = []
        self._wrong: list[Pixels] = []
        self._every, self._count = 1, 0

    def add(self, picture: Pixels, words: str, wrong: bool) -> None:
        """One more picture, (h, w, 3 or 4) BGR(A); ``wrong`` ones are shown, too, the first `_WRONG` of them."""
        if self._count % self._every == 0:
            self._even.append(_cell(picture, words))
            if len(self._even) == 2 * _EVEN:
                self._even, self._every = self._even[::2], 2 * self._every
        if wrong and len(self._wrong) < _WRONG:
            self._wrong.append(_cell(picture, f"WRONG {words}"))
        self._count += 1

    def pixels(self) -> Pixels:
        """The sheet, (h, w, 3) uint8 BGR: the even ones in whole rows, then the wrong ones."""
        even = self._even[: len(self._even) // _COLUMNS * _COLUMNS or None]
        cells = even + self._wrong
        blank = np.zeros((CELL[1] + _LINE, CELL[0], 3), np.uint8)
        cells += [blank] * (-len(cells) % _COLUMNS)
        rows = [np.hstack(cells[i : i + _COLUMNS]) for i in range(0, len(cells), _COLUMNS)]
        return np.asarray(np.vstack(rows) if rows else blank, np.uint8)


def _cell(picture: Pixels, words: str) -> Pixels:
    cell = np.zeros((CELL[1] + _LINE, CELL[0], 3), np.uint8)
    cell[: CELL[1]] = cv2.resize(picture, CELL, interpolation=cv2.INTER_AREA)[..., :3]
    at = (6, CELL[1] + _LINE - 6)
    cv2.putText(cell, words, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return cell
