"""The visible label: "AI face", or a sign, in a corner that no face is in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import cv2
import numpy as np

from obs_facelive.frame import Box, Face, Floats, Frame, Patch, Pixels
from obs_facelive.provenance.labels import LABELS
from obs_facelive.provenance.lettering import Contours, coverage, plate, sign, text
from obs_facelive.settings import Settings
from obs_facelive.view import compose

Corner = Literal["top-right", "top-left", "bottom-right", "bottom-left"]
Style = Literal["words", "icon", "both"]

LEAST = 16
"""Pixels that the badge is high at the least: smaller letters cannot be read. In a smaller picture it fills what there is."""
GROUND, RIM, INK = (26, 20, 18), (200, 200, 200), (255, 255, 255)
"""Blue, green and red of the plate, of its rim, of the letters."""
DENSE = 0.82
"""How far the plate covers what is under it. White on it has a contrast of 10 on white, where it is least."""
AIR, FAR = 0.06, 0.3
"""A face's box grows by so much of its size at each side: before the badge leaves its corner, and before it comes back."""
STAY = 1.5
"""Seconds for which the wanted corner must have been free before the badge comes back to it."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A badge, ready to be laid on pixels.

    Attributes
    ----------
    ink : (h, w, 4) uint8 BGRA, already weighted by how much of each pixel the badge covers
    rest : (h, w, 4) uint8, 255 where nothing is covered: the weight of what is under it
    """

    ink: Pixels
    rest: Pixels

    def on(self, pixels: Pixels) -> Pixels:
        """The badge on ``pixels``, (h, w, 4) BGRA."""
        return np.asarray(cv2.add(cv2.multiply(pixels, self.rest, scale=1 / 255), self.ink), np.uint8)


def draw(style: Style, language: str, high: int, most: tuple[int, int]) -> Drawn:
    """The badge, ``high`` pixels high: or less, so that it is no wider and higher than ``most``."""
    high = min(high, most[1])
    contours, wide = _marks(style, language, high)
    if wide > most[0]:
        high = max(1, high * most[0] // wide)
        contours, wide = _marks(style, language, high)
        wide = min(wide, most[0])
    line = max(1.0, high / 28)
    whole = coverage(plate(0, 0, wide, high, 0.3 * high), wide, high)
    inner = coverage(plate(line, line, wide - 2 * line, high - 2 * line, max(0.0, 0.3 * high - line)), wide, high)
    solid, colour = np.zeros((high, wide, 1), np.float32), np.zeros((high, wide, 3), np.float32)
    rim = np.maximum(whole - inner, 0)
    for paint, cover in ((GROUND, whole * DENSE), (RIM, rim / 2), (INK, coverage(contours, wide, high))):
        colour += cover[..., None] * (np.array(paint, np.float32) - colour)
        solid += cover[..., None] * (1 - solid)
    ink = np.concatenate((colour, solid * 255), axis=2)
    rest = np.repeat((1 - solid) * 255, 4, axis=2)
    return Drawn(np.round(ink).astype(np.uint8), np.round(rest).astype(np.uint8))


def _marks(style: Style, language: str, high: int) -> tuple[Contours, int]:
    """What is written on a badge of that height, and the badge's width."""
    label = LABELS[language]
    cap, pad = max(1, round(0.44 * high)), round(0.3 * high)
    marks, x = Contours(), float(pad)
    if style != "words":
        marks, wide = sign(pad, 0.14 * high, 0.7 * high)
        x += wide + 0.22 * high
    # The letters stand on whole pixels: their bars stay sharp in a small badge.
    letters, end = text(label.short if style == "icon" else label.words, round(x), (high + cap) // 2, cap)
    return marks + letters, int(end) + 1 + pad


class Badge:
    """The label of one camera's pictures: remembers how it looks and which corner it is in. For one thread."""

    def __init__(self) -> None:
        self._drawn: Drawn | None = None
        self._look: tuple[Style, str, int, tuple[int, int]] | None = None
        self._wanted: Corner | None = None
        self._corner: Corner = "top-right"
        self._touched = -np.inf

    def __call__(self, frame: Frame, faces: Sequence[Face], patches: list[Patch], settings: Settings) -> Patch:
        """The label on ``frame``, as one more patch; where it lies over one of ``patches`` it keeps their pixels.

        In the corner that ``settings`` want (top right if they want none), or in another one while a face is there.
        """
        least = min(frame.width, frame.height)
        gap = max(1, least // 48)
        look = (
            settings.badge_style,
            settings.badge_language,
            max(LEAST, round(least * settings.badge_size / 100)),
            (max(1, frame.width - 2 * gap), max(1, frame.height - 2 * gap)),
        )
        if self._drawn is None or look != self._look:
            self._drawn, self._look = draw(*look), look
        high, wide = self._drawn.ink.shape[:2]
        wanted: Corner = "top-right" if settings.badge == "off" else settings.badge
        corner = self._choose(wanted, frame, faces, (wide, high), gap)
        x, y = _place(corner, frame, (wide, high), gap)
        under = Frame(frame.pixels[y : y + high, x : x + wide], frame.id, frame.time)
        pixels = compose(under, [cut for patch in patches if (cut := _cut(patch, x, y, wide, high)) is not None])
        return Patch(x, y, self._drawn.on(pixels))

    def _choose(self, wanted: Corner, frame: Frame, faces: Sequence[Face], size: tuple[int, int], gap: int) -> Corner:
        near, far = ([_box(face, air) for face in faces] for air in (AIR, FAR))

        def overlap(corner: Corner, boxes: list[Floats]) -> float:
            x, y = _place(corner, frame, size, gap)
            return sum(_common((x, y, x + size[0], y + size[1]), box) for box in boxes)

        if wanted != self._wanted:
            self._wanted = self._corner = wanted
            self._touched = -np.inf
        if overlap(wanted, far):
            self._touched = frame.time
        if self._corner != wanted and frame.time - self._touched >= STAY:
            self._corner = wanted
        if overlap(self._corner, near):
            best = min(_others(wanted), key=lambda corner: (overlap(corner, near) > 0, overlap(corner, far) > 0))
            # Where a face is in every corner, going from one to the next would help nobody.
            if not overlap(best, near):
                self._corner = best
        return self._corner


def _others(corner: Corner) -> list[Corner]:
    """All corners: this one, across, below or above, opposite."""
    first, second = corner.split("-")
    rows, columns = sorted(("top", "bottom"), key=first.__ne__), sorted(("left", "right"), key=second.__ne__)
    return [f"{row}-{column}" for row, column in product(rows, columns)]  # type: ignore[misc]


def _place(corner: Corner, frame: Frame, size: tuple[int, int], gap: int) -> tuple[int, int]:
    """Where the badge's top left pixel is, inside the frame."""
    across, down = frame.width - size[0], frame.height - size[1]
    x = across - gap if corner.endswith("right") else gap
    y = down - gap if corner.startswith("bottom") else gap
    return max(0, min(x, across)), max(0, min(y, down))


def _box(face: Face, air: float) -> Floats:
    """Left, top, right, bottom of a face with its forehead, grown by ``air``."""
    low, high = face.points[:, :2].min(0), face.points[:, :2].max(0)
    size = high - low
    low = low - (0, 0.2 * size[1])  # the points end below the hair
    return np.concatenate((low - air * size, high + air * size)).astype(np.float32)


def _common(a: Box, b: Floats) -> float:
    """Pixels that two boxes share."""
    wide = min(a[2], float(b[2])) - max(a[0], float(b[0]))
    high = min(a[3], float(b[3])) - max(a[1], float(b[1]))
    return max(0.0, wide) * max(0.0, high)


def _cut(patch: Patch, x: int, y: int, wide: int, high: int) -> Patch | None:
    """The part of ``patch`` inside a rectangle, in the rectangle's own coordinates."""
    left, top = max(patch.x, x), max(patch.y, y)
    right = min(patch.x + patch.pixels.shape[1], x + wide)
    bottom = min(patch.y + patch.pixels.shape[0], y + high)
    if left >= right or top >= bottom:
        return None
    pixels = patch.pixels[top - patch.y : bottom - patch.y, left - patch.x : right - patch.x]
    return Patch(left - x, top - y, pixels)
