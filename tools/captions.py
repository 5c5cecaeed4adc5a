"""Draws the captions of the covered picture: ``python -m tools.captions`` writes ``obs_facelive/obs/captions/<reason>.png``.

Pictures and not text, because the callback that shows them can draw textures and nothing else.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from obs_facelive.states import REASONS

OUT = Path(__file__).parents[1] / "obs_facelive/obs/captions"
SIZE = 44


def caption(text: str) -> Image.Image:
    """White words on a dark, rounded bar; (w, h) RGBA."""
    font = ImageFont.load_default(SIZE)
    left, top, right, bottom = font.getbbox(text)
    wide, high = int(right - left) + 2 * SIZE, SIZE * 2
    picture = Image.new("RGBA", (wide, high), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((0, 0, wide - 1, high - 1), high // 2, fill=(16, 18, 24, 200))
    draw.text((SIZE - left, (high - (bottom - top)) / 2 - top), text, font=font, fill=(255, 255, 255, 255))
    return picture


def main() -> None:
    """Writes one file for each reason."""
    for reason, words in enumerate(REASONS):
        if words:
            caption(f"FaceLive: {words}").save(OUT / f"{reason}.png", optimize=True)


if __name__ == "__main__":
    main()
