"""Pages that are made from the code say what the code says."""

from __future__ import annotations

from tools import settings_doc, states_doc


def test_the_page_of_settings_is_current() -> None:
    assert settings_doc.FILE.read_text(encoding="utf-8") == settings_doc.text(), "run: python -m tools.settings_doc"


def test_the_page_of_states_is_current() -> None:
    assert states_doc.FILE.read_text(encoding="utf-8") == states_doc.text(), "run: python -m tools.states_doc"
