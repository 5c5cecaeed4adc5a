"""Consent's way from the panel to the record beside the persona, and back out of it."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_facelive import refused
from obs_facelive.engine.consenting import ConsentDesk
from obs_facelive.home import Home
from obs_facelive.link.permission import GIVEN_BY, GIVEN_FOR, Permission, read_permission
from obs_facelive.obs.consenting import needs_consent
from obs_facelive.obs.panel_consent import PERMIT, RESULT, USES, WITHDRAW, ConsentPanel
from obs_facelive.personas.consent import ConsentError, check_consent, read_consent
from obs_facelive.personas.errors import PersonaError
from obs_facelive.personas.info import load_info
from tests.real_person import NAME, add_real_persona, home_with
from tests.unit.test_getting import CALLBACK, Properties

STATED = {"persona": NAME, GIVEN_BY: "Somebody", GIVEN_FOR: "tests", "opacity": 50}


@pytest.fixture
def personas(tmp_path: Path) -> Path:
    return tmp_path / "personas"


def desk_says(personas: Path, settings: dict[str, Any], action: str, owner: bool | None = None) -> str:
    """What the desk says after that button."""

    def folder(persona: str) -> Path:
        if not (personas / (persona or "clara")).is_dir():
            raise PersonaError(f"there is no persona {persona!r}")
        return personas / (persona or "clara")

    with ThreadPoolExecutor(1) as worker:
        desk = ConsentDesk(folder, lambda embedding: owner, worker)
        getattr(desk, action)(json.dumps(settings).encode())
    desk.tend(1.0)
    return desk.words


def test_it_is_recorded_and_withdrawn(personas: Path) -> None:
    folder = add_real_persona(Home.find(), personas)
    with pytest.raises(ConsentError):
        check_consent(folder, load_info(folder))
    words = desk_says(personas, STATED, "permit")
    assert words.startswith(f"Consent for {NAME} is recorded. somebody who gave permission; by Somebody, on ")
    record = check_consent(folder, load_info(folder))
    assert record and (record.kind, record.by, record.purpose) == ("granted", "Somebody", "tests")
    assert desk_says(personas, STATED, "withdraw") == f"Withdrawn: {NAME} cannot be worn any more."
    with pytest.raises(ConsentError, match="withdrawn"):
        check_consent(folder, load_info(folder))


@pytest.mark.parametrize("missing", [GIVEN_BY, GIVEN_FOR])
def test_half_a_statement_is_none(personas: Path, missing: str) -> None:
    folder = add_real_persona(Home.find(), personas)
    assert "needs to say" in desk_says(personas, {**STATED, missing: " "}, "permit")
    assert read_consent(folder) is None


@pytest.mark.parametrize(
    ("owner", "words", "checked"),
    [(True, "it matches", True), (None, "It was not compared with your face", False), (False, "is not the one", None)],
)
def test_ones_own_face_is_compared(personas: Path, owner: bool | None, words: str, checked: bool | None) -> None:
    folder = add_real_persona(Home.find(), personas, "self")
    assert words in desk_says(personas, {"persona": NAME}, "permit", owner)
    record = read_consent(folder)
    assert (record and record.checked) == checked


@pytest.mark.parametrize("action", ["permit", "withdraw"])
def test_nobody_real_needs_none(action: str) -> None:
    personas = Home.find().personas
    words = desk_says(personas, {"persona": "clara"}, action)
    assert words.startswith("Nothing was recorded: ") and ("nobody" in words)
    assert "no persona" in desk_says(personas, {"persona": "none"}, action)


@given(st.binary(max_size=200) | st.sampled_from([b"[]", b'{"consent_by": 7}', b"[" * 100_000]))
def test_garbage_states_nothing(text: bytes) -> None:
    try:
        assert isinstance(read_permission(text), Permission)
    except ValueError as error:
        assert "cannot be read" in str(error)


def test_it_is_there_for_real_people_only(tmp_path: Path) -> None:
    home = home_with(Home.find(), tmp_path / "home")
    add_real_persona(home, home.personas)
    for settings, needed in (
        (b"", False),
        (b"[]", False),
        (b"{}", False),
        (json.dumps({"persona": home.persona_names()[0]}).encode(), False),
        (json.dumps({"persona": NAME}).encode(), True),
        (b'{"persona": "cannot be read"}', True),
    ):
        assert needs_consent(home, settings) == needed, settings


class Buttons(Properties):
    """Keeps each button's callback by name, and what libobs was told besides."""

    def begin(self) -> None:
        super().begin()
        self.buttons: dict[str, int] = {}

    def _obs_properties_add_button(self, group: int, name: int, title: int, clicked: int) -> int:
        self.buttons[ctypes.string_at(name).decode()] = clicked
        return super()._obs_properties_add_button(group, name, title, clicked)


def test_the_panel_has_both_buttons_and_says_what_it_is_not_for() -> None:
    libobs = Buttons()
    panel = ConsentPanel(libobs)  # type: ignore[arg-type]
    asked: list[tuple[str, int]] = []

    def asks(what: str) -> Callable[[int], None]:
        return lambda row: asked.append((what, row))

    panel.permit, panel.withdraw, panel.result = asks("permit"), asks("withdraw"), lambda row: "It is recorded"
    panel.make(4)
    assert libobs.shown[RESULT]["title"] == "It is recorded" and libobs.shown[USES]["title"] == refused.WORDS
    for name in (PERMIT, WITHDRAW):
        assert not CALLBACK(libobs.buttons[name])(1, 1, 4)
    assert asked == [("permit", 4), ("withdraw", 4)] and not libobs.errors
