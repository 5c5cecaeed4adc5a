"""What the badge says, by language. `tools.badge_glyphs` makes ``glyphs.json``, the letters' outlines, of these words."""

from __future__ import annotations

from typing import Final, NamedTuple


class Label(NamedTuple):
    """The badge's texts in one language.

    Attributes
    ----------
    short : what people of that language call AI, beside the icon
    words : "AI face"
    """

    short: str
    words: str


LABELS: Final = {
    "en": Label("AI", "AI face"),
    "de": Label("KI", "KI-Gesicht"),
    "fr": Label("IA", "Visage IA"),
    "es": Label("IA", "Rostro IA"),
    "it": Label("IA", "Volto IA"),
    "pt": Label("IA", "Rosto IA"),
    "nl": Label("AI", "AI-gezicht"),
    "pl": Label("AI", "Twarz AI"),
    "tr": Label("YZ", "YZ yüzü"),
    "uk": Label("ШІ", "ШІ-обличчя"),
    "ja": Label("AI", "AIの顔"),
    "zh": Label("AI", "AI换脸"),
    "ko": Label("AI", "AI 얼굴"),
}
"""By the values of the setting ``badge_language``."""
