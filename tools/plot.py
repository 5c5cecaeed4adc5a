"""Plots over time, drawn with Pillow: panels one above the other on one time axis."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

BLUE, ORANGE, GREEN, RED, GREY = (31, 105, 190), (226, 120, 20), (30, 140, 70), (200, 40, 40), (120, 120, 120)
Colour = tuple[int, int, int]
_FINE: Final = 2
"""Everything is drawn so many times as large, then made smaller: smooth lines."""
_LEFT, _RIGHT, _TOP, _GAP = 150, 24, 64, 52


@dataclass(frozen=True)
class Line:
    """One curve: its name, (time, value) points, how it is drawn."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: Colour
    stairs: bool = False


@dataclass(frozen=True)
class Panel:
    """One field of the plot.

    Attributes
    ----------
    top : the value at its upper edge; 0 is at the lower one
    limits : (name, value) of lines from one end to the other
    ticks : (value, label); made from ``top`` if there are none
    """

    title: str
    top: float
    lines: Sequence[Line]
    limits: Sequence[tuple[str, float]] = ()
    ticks: Sequence[tuple[float, str]] = ()
    height: int = 170


@dataclass(frozen=True)
class Plot:
    """A picture of panels; ``spans`` are shaded times: (from, to, name). ``unit`` is that of the times."""

    title: str
    seconds: float
    panels: Sequence[Panel]
    spans: Sequence[tuple[float, float, str]] = field(default_factory=tuple)
    width: int = 1200
    unit: str = "s"

    def save(self, path: Path) -> None:
        """Writes a PNG."""
        height = _TOP + sum(panel.height + _GAP for panel in self.panels)
        picture = Image.new("RGB", (self.width * _FINE, height * _FINE), "white")
        draw = ImageDraw.Draw(picture)
        _text(draw, (_LEFT, 14), self.title, 20, (20, 20, 20))
        y = _TOP
        for panel in self.panels:
            self._panel(draw, panel, y)
            y += panel.height + _GAP
        for second in range(0, int(self.seconds) + 1, 10):
            _text(draw, (self._x(second), height - _GAP + 6), f"{second} {self.unit}", 13, GREY, "ma")
        picture.resize((self.width, height), Image.Resampling.LANCZOS).save(path, optimize=True)

    def _x(self, time: float) -> float:
        return _LEFT + (self.width - _LEFT - _RIGHT) * time / self.seconds

    def _panel(self, draw: ImageDraw.ImageDraw, panel: Panel, y: int) -> None:
        low, high = y + panel.height, y

        def at(time: float, value: float) -> tuple[float, float]:
            level = low - (low - high) * min(max(value / panel.top, 0.0), 1.0)
            return self._x(time) * _FINE, level * _FINE

        for start, end, name in self.spans:
            draw.rectangle([at(start, panel.top), at(end, 0)], fill=(255, 240, 218))
            if panel is self.panels[0]:
                _text(draw, (self._x((start + end) / 2), high + 4), name, 13, (150, 100, 20), "ma")
        ticks = panel.ticks or [(panel.top * n / 4, f"{panel.top * n / 4:g}") for n in range(5)]
        for value, label in ticks:
            draw.line([at(0, value), at(self.seconds, value)], fill=(226, 226, 226), width=_FINE)
            _text(draw, (_LEFT - 8, at(0, value)[1] / _FINE), label, 13, GREY, "rm")
        for name, value in panel.limits:
            draw.line([at(0, value), at(self.seconds, value)], fill=RED, width=2 * _FINE)
            _text(draw, (self.width - _RIGHT - 4, at(0, value)[1] / _FINE - 3), name, 13, RED, "rd")
        for line in panel.lines:
            points = [at(*point) for point in line.points]
            if line.stairs:
                points = [p for a, b in itertools.pairwise(points) for p in (a, (b[0], a[1]))] + points[-1:]
            draw.line(points, fill=line.colour, width=2 * _FINE, joint="curve")
        draw.rectangle([at(0, panel.top), at(self.seconds, 0)], outline=GREY, width=_FINE)
        x = float(_LEFT)
        x += _text(draw, (x, high - 6), panel.title + "   ", 15, (20, 20, 20), "ld")
        if len(panel.lines) > 1:
            for line in panel.lines:
                x += _text(draw, (x, high - 6), f"{line.name}   ", 15, line.colour, "ld")


def _text(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: int, colour: Colour, anchor: str = "la"
) -> float:
    font = ImageFont.load_default(size * _FINE)
    draw.text((at[0] * _FINE, at[1] * _FINE), text, font=font, fill=colour, anchor=anchor)
    return draw.textlength(text, font=font) / _FINE
