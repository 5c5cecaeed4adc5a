"""The badge on several grounds and sizes, to be looked at, with figures: ``python -m tools.badge_sheet OUT.jpg``."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from obs_facelive.frame import Frame, Pixels
from obs_facelive.provenance.badge import DENSE, Badge, draw
from obs_facelive.provenance.labels import LABELS
from obs_facelive.settings import Settings
from obs_facelive.view import compose

GROUNDS = ("black", "white", "grey", "noise", "skin", "stripes")
CELL = 240
"""Pixels that a cell of the sheet is wide."""
_SIZES = ((160, 90), (640, 360), (1280, 720), (1920, 1080), (3840, 2160))


def ground(kind: str, width: int, height: int) -> Pixels:
    """A picture of that kind, (height, width, 4) BGRA."""
    pixels = np.full((height, width, 4), 255, np.uint8)
    colours = {"white": (255, 255, 255), "grey": (128, 128, 128), "skin": (140, 170, 220)}
    pixels[..., :3] = colours.get(kind, (0, 0, 0))
    if kind == "noise":
        pixels[..., :3] = np.random.default_rng(1).integers(0, 256, (height, width, 3))
    if kind == "stripes":
        pixels[:, np.arange(width) // 3 % 2 == 0, :3] = 255
    return pixels


def luminance(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Relative luminance as WCAG 2 defines it, 0..1, of (..., 3) BGR."""
    value = pixels.astype(np.float64) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    luminances: npt.NDArray[np.float64] = linear @ (0.0722, 0.7152, 0.2126)
    return luminances


def contrast(width: int, height: int, settings: Settings, kind: str) -> float:
    """WCAG's contrast ratio of the letters with the plate: of the darkest letters' and the brightest plate's pixels.

    One pixel in fifty may be worse on either side. Raises `ValueError` where there are too few of them to say.
    """
    label = Badge()(Frame(ground(kind, width, height), 0, 0.0), [], [], settings)
    drawn = draw(settings.badge_style, settings.badge_language, label.pixels.shape[0], (width, height))
    letters = drawn.ink[..., 2] >= 225
    plate = (drawn.rest[..., 3] == round(255 * (1 - DENSE))) & (drawn.ink[..., 2] < 40)
    if letters.sum() < 12 or plate.sum() < 100:
        raise ValueError("too few pixels")
    light = luminance(label.pixels[..., :3])
    bright, dark = np.percentile(light[letters], 2), np.percentile(light[plate], 98)
    return float((bright + 0.05) / (dark + 0.05))


def cost(width: int, height: int) -> float:
    """Milliseconds a picture, once the badge is drawn: the median of some hundred."""
    badge, frame, spent = Badge(), Frame(ground("noise", width, height), 0, 0.0), []
    for _ in range(300):
        began = time.perf_counter()
        badge(frame, [], [], Settings())
        spent.append(time.perf_counter() - began)
    return float(np.median(spent)) * 1e3


def _row(width: int, height: int, settings: Settings) -> Pixels:
    cells = []
    shown = max(60, width // (1 if width < 640 else 4))
    for kind in GROUNDS:
        frame = Frame(ground(kind, width, height), 0, 0.0)
        picture = compose(frame, [Badge()(frame, [], [], settings)])[: max(28, round(height * 0.1)), -shown:, :3]
        size = (CELL, round(picture.shape[0] * CELL / shown))
        cells.append(cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST if shown < CELL else cv2.INTER_AREA))
    return np.hstack(cells)


def main() -> None:
    """Writes the sheet and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out
    rows = [_row(*size, Settings()) for size in _SIZES]
    rows += [_row(1280, 720, Settings(badge_style=style)) for style in ("words", "icon")]  # type: ignore[arg-type]
    rows += [_row(1280, 720, Settings(badge_language=code)) for code in LABELS if code != "en"]  # type: ignore[arg-type]
    cv2.imwrite(str(out), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 80])
    for size in _SIZES:
        worst = min((contrast(*size, Settings(), kind), kind) for kind in GROUNDS)
        print(
            f"{size[0]}x{size[1]}: contrast {worst[0]:.1f} at the least (on {worst[1]}), {cost(*size):.3f} ms a picture"
        )


if __name__ == "__main__":
    main()
