"""Makes the badge's letters: ``python -m tools.badge_glyphs`` writes ``obs_facelive/provenance/glyphs.json``.

Outlines of those characters only that `obs_facelive.provenance.labels` has words of, so that no font has to be shipped: of
DejaVu Sans Bold (a free licence of its own, which lets its glyphs be taken), and where that has none of Droid Sans Fallback
(Apache 2.0) and, for Korean, of Baekmuk Headline (a licence like MIT's). Debian: ``apt install fonts-dejavu-core
fonts-droid-fallback fonts-baekmuk``; and ``pip install fonttools``.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont

from obs_facelive.provenance.labels import LABELS

OUT = Path(__file__).parents[1] / "obs_facelive/provenance/glyphs.json"
LATIN = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf")
OTHERS = (
    Path("/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"),
    Path("/usr/share/fonts/truetype/baekmuk/hline.ttf"),
)
ABOUT = (
    "Made by tools/badge_glyphs.py of DejaVu Sans Bold (dejavu-fonts.github.io/License.html), Droid Sans Fallback (Copyright "
    "Google, Apache License 2.0) and Baekmuk Headline (Copyright (c) 1986-2002 Kim Jeong-Hwan. All rights reserved. Permission "
    "to use, copy, modify and distribute this font is hereby granted, provided that both the copyright notice and this "
    "permission notice appear in all copies of the font, derivative works or modified versions, and that the following "
    "acknowledgement appear in supporting documentation: Baekmuk Batang, Baekmuk Dotum, Baekmuk Gulim, and Baekmuk Headline "
    "are registered trademarks owned by Kim Jeong-Hwan.); altered: only some glyphs, as polygons."
)
CAP = 1000
"""Units that a capital letter is high."""
EM_OF_OTHER = 1360
"""Units of a square character's em: so large that it stands a little over the capitals, as type-setters do it."""
PARTS = 6
"""Straight pieces that a curve becomes."""


def outlines(font: TTFont, character: str, em: float, middle: float | None) -> dict[str, Any]:
    """One character: its advance, and its contours as flat lists x0 y0 x1 y1 … (y grows downwards, 0 is the baseline).

    ``em``: units that the font's em becomes; ``middle``: where the em square's middle goes above the baseline, if not where
    it is.
    """
    glyphs = font.getGlyphSet()
    name = font.getBestCmap()[ord(character)]
    pen = DecomposingRecordingPen(glyphs)
    glyphs[name].draw(pen)
    scale = em / font["head"].unitsPerEm
    box = font["OS/2"].sTypoAscender + font["OS/2"].sTypoDescender
    lift = 0.0 if middle is None else middle - scale * box / 2
    contours: list[list[int]] = []
    points: list[tuple[float, float]] = []
    for step, to in pen.value:
        if step == "moveTo":
            points = [to[0]]
        elif step == "lineTo":
            points.append(to[0])
        elif step == "qCurveTo":
            points += _curve(points[-1], to)
        else:
            flat = [round(v) for x, y in points for v in (x * scale, -y * scale - lift)]
            contours.append(flat)
    return {"advance": round(glyphs[name].width * scale), "contours": contours}


def _curve(start: tuple[float, float], to: tuple[Any, ...]) -> list[tuple[float, float]]:
    """A TrueType curve: control points with the points between them left out."""
    controls, end = list(to[:-1]), to[-1]
    middles = [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in pairwise(controls)]
    points: list[tuple[float, float]] = []
    for control, stop in zip(controls, [*middles, end], strict=True):
        for part in range(1, PARTS + 1):
            t = part / PARTS
            a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
            points.append(tuple(a * start[i] + b * control[i] + c * stop[i] for i in (0, 1)))
        start = stop
    return points


def main() -> None:
    """Writes the file."""
    latin, others = TTFont(LATIN), [TTFont(path) for path in OTHERS]
    pen = BoundsPen(latin.getGlyphSet())
    latin.getGlyphSet()["H"].draw(pen)
    em = CAP * latin["head"].unitsPerEm / pen.bounds[3]
    characters = sorted({character for label in LABELS.values() for text in label for character in text})

    def glyph(c: str) -> dict[str, Any]:
        if ord(c) in latin.getBestCmap():
            return outlines(latin, c, em, None)
        return outlines(next(font for font in others if ord(c) in font.getBestCmap()), c, EM_OF_OTHER, CAP / 2)

    glyphs = {c: glyph(c) for c in characters}
    head = {"about": ABOUT, "cap": CAP}
    lines = ",\n".join(f"{json.dumps(c)}: {json.dumps(g, separators=(',', ':'))}" for c, g in glyphs.items())
    fresh = OUT.with_suffix(".new")
    fresh.write_text(json.dumps(head)[:-1] + ', "glyphs": {\n' + lines + "\n}}\n", encoding="utf-8")
    fresh.replace(OUT)


if __name__ == "__main__":
    main()
