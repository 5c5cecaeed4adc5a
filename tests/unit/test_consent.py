"""The record of consent, and that nobody real is worn without one: by file, by the command, by the Python API."""

from __future__ import annotations

import json
import shutil
import stat
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from obs_facelive.engine.stages import Stages
from obs_facelive.engine.worn import EVERY, Worn
from obs_facelive.home import Home
from obs_facelive.link.layout import NO_CONSENT, REMOVED, WITHDRAWN
from obs_facelive.personas.consent import (
    CONSENT_FILE,
    Consent,
    ConsentError,
    check_consent,
    check_record,
    read_consent,
    stated,
    withdraw,
    write_consent,
)
from obs_facelive.personas.library import Kind, PersonaInfo, load_info, load_persona, stored_persona
from obs_facelive.settings import Settings
from tests.real_person import add_real_persona, consent_to, real_persona


@pytest.fixture(scope="module")
def home(models: Path) -> Home:
    home = Home.find()
    if len(home.persona_names()) < 2:
        pytest.skip("no personas: run 'python3 install.py'")
    return home


@pytest.fixture
def folder(home: Home, tmp_path: Path) -> Path:
    return add_real_persona(home, tmp_path / "personas")


def test_without_a_record_nobody_real_is_loaded_and_the_way_out_is_named(folder: Path) -> None:
    with pytest.raises(ConsentError, match="facelive persona consent add somebody") as refused:
        load_persona(folder)
    assert not refused.value.withdrawn
    consent_to(folder)
    assert load_persona(folder).consent == read_consent(folder)


def test_who_does_not_exist_needs_none(home: Home) -> None:
    shipped = load_persona(home.personas / home.persona_names()[0])
    assert shipped.consent is None
    Stages(home, "cpu").pipeline(Settings(), shipped)


def test_a_withdrawn_record_refuses_until_it_is_given_anew(folder: Path) -> None:
    consent_to(folder)
    record = withdraw(folder)
    assert record.withdrawn and withdraw(folder) == record
    with pytest.raises(ConsentError, match="was withdrawn") as refused:
        load_persona(folder)
    assert refused.value.withdrawn
    consent_to(folder)
    load_persona(folder)


def test_the_python_api_refuses_a_persona_made_in_memory(home: Home) -> None:
    stages, somebody = Stages(home, "cpu"), real_persona(home)
    with pytest.raises(ConsentError, match="no consent"):
        stages.pipeline(Settings(), somebody)
    record = stated(somebody.info, by="Somebody", purpose="a test")
    stages.pipeline(Settings(), replace(somebody, consent=record))
    for flaw in (
        {"withdrawn": "2026-01-01T00:00:00Z"},
        {"persona": "0" * 64},
        {"kind": "self"},
    ):
        with pytest.raises(ConsentError):
            stages.pipeline(Settings(), replace(somebody, consent=msgspec.structs.replace(record, **flaw)))


def test_a_record_serves_for_one_face_only(home: Home, folder: Path, tmp_path: Path) -> None:
    consent_to(folder)
    other = add_real_persona(home, tmp_path / "others", "self")
    shutil.copy(folder / CONSENT_FILE, other)
    with pytest.raises(ConsentError, match="another face"):
        load_persona(other)
    info = json.loads((folder / "persona.json").read_text())
    (folder / "persona.json").write_text(json.dumps(info | {"kind": "self"}))  # somebody else's face becomes "mine"
    with pytest.raises(ConsentError, match="another face"):
        load_persona(folder)


@pytest.mark.parametrize(
    ("kind", "by", "purpose", "words"),
    [
        ("granted", "", "a video", "who gave permission"),
        ("granted", "Anna", " ", "what it is for"),
        ("synthetic", "", "", "declares"),
    ],
)
def test_what_is_stated_must_be_enough(kind: Kind, by: str, purpose: str, words: str) -> None:
    info = PersonaInfo(id="x", name="X", kind=kind)
    with pytest.raises(ConsentError, match=words):
        stated(info, by=by, purpose=purpose)


def test_my_own_face_is_compared_with_the_enrolled_one() -> None:
    info = PersonaInfo(id="x", name="X", kind="self")
    assert (stated(info).by, stated(info).checked, stated(info, own=True).checked) == ("myself", False, True)
    with pytest.raises(ConsentError, match="not the one that is enrolled"):
        stated(info, own=False)


@pytest.mark.parametrize("day", ["yesterday", "2026-02-31", "2026-13-01", "26-01-01", "2026-1-1"])
def test_a_day_is_a_day(day: str) -> None:
    with pytest.raises(ConsentError, match="the day must be"):
        stated(PersonaInfo(id="x", name="X", kind="self"), when=day)


def test_the_signed_paper_is_kept_and_must_stay_as_it_is(folder: Path, tmp_path: Path) -> None:
    paper = tmp_path / "Signed by me.PDF"
    paper.write_bytes(b"%PDF signed")
    record = write_consent(folder, stated(load_info(folder), by="S", purpose="p"), paper)
    assert record.signed == "consent-signed.pdf"
    assert (folder / record.signed).read_bytes() == paper.read_bytes()
    load_persona(folder)
    (folder / record.signed).write_bytes(b"%PDF forged")
    with pytest.raises(ConsentError, match="was changed"):
        load_persona(folder)
    (folder / record.signed).unlink()
    with pytest.raises(ConsentError, match="cannot be read"):
        load_persona(folder)
    with pytest.raises(ConsentError, match="cannot be used"):
        write_consent(folder, record, tmp_path / "none.pdf")


def test_records_are_private_and_whole(folder: Path) -> None:
    consent_to(folder)
    assert stat.S_IMODE((folder / CONSENT_FILE).stat().st_mode) == 0o600
    assert not list(folder.glob("*.new")) and not list(folder.glob(".*.new"))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"[" * 9000,
        b"\xff\xfe",
        b'{"kind": "owned"}',
        b'{"format":2}',
        b"x" * (1 << 15),
    ],
)
def test_garbage_is_no_record(folder: Path, text: bytes) -> None:
    (folder / CONSENT_FILE).write_bytes(text)
    with pytest.raises(ConsentError, match="record the consent anew"):
        load_persona(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"signed": "../../secret"},
        {"signed": "consent-signed.p/f"},
        {"signed": "consent-signed.pdf"},
        {"signed_sha256": "0" * 64},
        {"by": ""},
        {"when": "soon"},
        {"persona": "none"},
        {"extra": 1},
        {"format": 2},
    ],
)
def test_a_record_with_a_flaw_is_refused(folder: Path, change: dict[str, object]) -> None:
    consent_to(folder)
    record = json.loads((folder / CONSENT_FILE).read_text())
    (folder / CONSENT_FILE).write_text(json.dumps(record | change))
    with pytest.raises(ConsentError):
        check_consent(folder, load_info(folder))


def test_a_record_cannot_be_withdrawn_where_there_is_none(folder: Path) -> None:
    with pytest.raises(ConsentError, match="there is no consent"):
        withdraw(folder)


def test_a_photo_that_is_declared_to_show_nobody_needs_that_declaration(home: Home, tmp_path: Path) -> None:
    folder = add_real_persona(home, tmp_path / "personas", "synthetic")
    with pytest.raises(ConsentError):
        load_persona(folder)
    assert consent_to(folder).kind == "declared"
    load_persona(folder)


def looked(worn: Worn, since: float = 100.0) -> tuple[int, float]:
    """Looks as the engine does until something is found; (status, seconds that it took), or (0, 0.0) if nothing is in 2 s."""
    for step in range(100):
        if refusal := worn.refusal(since + step * 0.02):
            return refusal.status, step * 0.02
    return 0, 0.0


def test_the_engine_notices_within_half_a_second(folder: Path) -> None:
    consent_to(folder)
    worn = Worn(folder)
    assert looked(worn) == (0, 0.0)
    withdraw(folder)
    status, seconds = looked(worn, 200.0)
    assert status == WITHDRAWN and seconds <= 2 * EVERY + 0.05
    consent_to(folder)
    assert looked(worn, 300.0) == (0, 0.0)
    (folder / CONSENT_FILE).unlink()
    assert looked(worn, 400.0)[0] == NO_CONSENT
    shutil.rmtree(folder)
    assert looked(worn, 500.0)[0] == REMOVED


def test_a_persona_that_is_being_replaced_is_not_gone(home: Home, folder: Path) -> None:
    consent_to(folder)
    worn = Worn(folder)
    assert worn.refusal(100.0) is None
    away = folder.with_name("away")
    folder.rename(away)
    assert worn.refusal(101.0) is None
    away.rename(folder)
    assert looked(worn, 102.0) == (0, 0.0)


def test_a_shipped_persona_that_is_deleted_is_noticed(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / home.persona_names()[0]
    shutil.copytree(home.personas / folder.name, folder)
    worn = Worn(folder)
    assert looked(worn) == (0, 0.0)
    shutil.rmtree(folder)
    assert looked(worn, 200.0)[0] == REMOVED


def test_a_record_says_nothing_about_who_is_not_real(home: Home) -> None:
    check_record(None, load_info(home.personas / home.persona_names()[0]))
    with pytest.raises(ConsentError):
        check_record(None, PersonaInfo(id="x", name="X", kind="synthetic"))


def test_the_stored_persona_is_the_loaded_one(folder: Path) -> None:
    consent_to(folder)
    assert stored_persona(folder).info == load_persona(folder).info
    assert isinstance(load_persona(folder).consent, Consent)
