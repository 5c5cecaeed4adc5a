"""``facelive persona`` as a person uses it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from obs_facelive.home import Home
from obs_facelive.personas.fetch import PACK
from obs_facelive.personas.info import load_info
from obs_facelive.personas.library import load_persona
from tests.unit.portrait_server import served
from tests.unit.test_add import PACK as FEW
from tests.unit.test_add import dim, face, write
from tests.unit.test_cli import facelive
from tests.unit.tiny_persona import tiny_persona


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with the models and one small persona."""
    models = Home.find().models
    home = Home(tmp_path / "home")
    home.root.mkdir()
    home.models.symlink_to(models)
    tiny_persona(home.personas, "anna")
    monkeypatch.setenv("FACELIVE_HOME", str(home.root))
    return home


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return write(tmp_path / "priya.jpg", face("priya"))


def test_photos_are_added_and_told_what_is_wrong(photo: Path, home: Home, tmp_path: Path) -> None:
    bad = write(tmp_path / "bad.jpg", dim(face("priya")))
    granted = ("--consent", "granted", "--by", "Priya", "--for", "a show")
    code, text = facelive("persona", "add", photo, bad, "--name", "Priya", *granted)
    assert code == 0, text
    assert re.search(r"priya\.jpg: good, \d+ of 100", text) and "bad.jpg:" in text and "blurred" in text
    assert "the texture is that of priya.jpg" in text and "Never wear a face" in text
    persona = load_persona(home.personas / "priya")
    assert persona.info.kind == "granted" and persona.info.real
    code, text = facelive("persona", "show", "priya")
    assert code == 0 and "photos/1.jpg" in text and persona.info.digest in text and "granted" in text


def test_a_photo_without_consent_is_refused(photo: Path, home: Home) -> None:
    for more, words in (
        ((), "--consent self"),
        (("--consent", "stolen"), "--consent self"),
        (("--consent", "granted"), "needs to say"),
        (("--consent", "synthetic", "--by", "me"), "needs to say"),
    ):
        code, text = facelive("persona", "add", photo, *more)
        assert (code, words in text) == (2, True), text
    assert home.persona_names() == ["anna"]


def test_a_photo_that_is_no_good_is_refused_in_words(home: Home, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.jpg"
    nothing.write_bytes(b"no picture")
    code, text = facelive("persona", "add", nothing, "--consent", "self")
    assert (code, "nothing.jpg: left out: cannot be read" in text) == (1, True), text
    assert home.persona_names() == ["anna"]


def test_a_persona_is_renamed_rated_and_removed(home: Home) -> None:
    digest = load_info(home.personas / "anna").digest
    assert facelive("persona", "rename", "anna", "  Anna  Two ")[0] == 0
    assert facelive("persona", "rate", "anna", "4", "--tag", "warm", "--tag", "tv")[0] == 0
    info = load_info(home.personas / "anna")
    assert (info.name, info.rating, info.tags, info.digest) == ("Anna Two", 4, ("warm", "tv"), digest)
    assert "****" in facelive("persona", "list", "--tag", "warm")[1]
    assert facelive("persona", "list", "--tag", "cold")[0] == 1
    for wrong in (("rate", "anna", "6"), ("rename", "anna", " "), ("rename", "anna", "x" * 65), ("rate", "bert", "1")):
        assert facelive("persona", *wrong)[0] in (1, 2)
    assert load_info(home.personas / "anna") == info
    assert facelive("persona", "remove", "anna")[0] == 1, "it asks, and nobody said yes"
    assert facelive("persona", "remove", "anna", "--yes")[0] == 0
    assert list(home.personas.iterdir()) == []
    code, text = facelive("persona", "remove", "../home", "--yes")
    assert (code, "there is no persona" in text) == (2, True) and home.root.is_dir()


def test_what_suits_a_persona_is_set_and_checked(home: Home) -> None:
    code, text = facelive("persona", "settings", "anna", "opacity=80", "keep-eyes=off", "mask-size=-5")
    assert (code, text.strip()) == (0, "opacity=80, keep_eyes=off, mask_size=-5")
    assert load_info(home.personas / "anna").settings == {"opacity": 80, "keep_eyes": False, "mask_size": -5}
    for wrong in ("badge=off", "privacy=off", "opacity=101", "opacity=high", "opacity"):
        assert facelive("persona", "settings", "anna", wrong)[0] == 2
    assert facelive("persona", "settings", "anna")[1] == text
    assert facelive("persona", "settings", "anna", "-")[1].strip() == "none"


def test_a_persona_goes_into_a_file_and_comes_back(home: Home, tmp_path: Path) -> None:
    target = tmp_path / "anna.facelive"
    assert facelive("persona", "export", "anna", target)[0] == 0
    assert "0 personas were added, 1 were there already" in facelive("persona", "add-pack", target)[1]
    facelive("persona", "remove", "anna", "-y")
    code, text = facelive("persona", "add-pack", target)
    assert (code, "anna is in the library: synthetic (pack)" in text) == (0, True), text
    target.write_bytes(target.read_bytes()[:500])
    code, text = facelive("persona", "add-pack", target)
    assert (code, "was not added" in text) == (1, True)
    tiny_persona(tmp_path / "other", "real", "granted", "photo")
    code, text = facelive("persona", "export", "real", tmp_path / "real.facelive")
    assert code == 2


def test_a_real_persons_file_asks_for_consent(home: Home, tmp_path: Path) -> None:
    from obs_facelive.personas.archive import export_persona
    from tests.real_person import consent_to

    folder = tiny_persona(tmp_path / "other", "real", "granted", "photo")
    consent_to(folder)
    export_persona(folder, tmp_path / "real.facelive")
    code, text = facelive("persona", "add-pack", tmp_path / "real.facelive")
    assert (code, "consent add real" in text) == (0, True), text


def test_a_pack_of_portraits_says_what_was_left_out(home: Home, photo: Path) -> None:
    folder = photo.parent / "pack"
    write(folder / "priya.jpg", face("priya"))
    (folder / "broken.jpg").write_bytes(b"no picture")
    (folder / "pack.json").write_text(json.dumps(FEW))
    code, text = facelive("persona", "add-pack", folder)
    assert (code, "left out: broken.jpg" in text, "few-priya is in the library" in text) == (0, True, True), text


def test_portraits_are_fetched_and_become_personas(home: Home, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from obs_facelive.personas import fetch
    from tests.unit.test_fetch import pins

    with served({"female/512/0.jpg": photo.read_bytes(), "male/512/0.jpg": b"\xff\xd8"}) as server:
        wanted = pins(server)
        monkeypatch.setattr(fetch, "read_pins", lambda: wanted)
        code, text = facelive("persona", "fetch", "--from", server.base + "/")
        assert (code, "portrait-female-0 is in the library" in text, "left out: male/512/0.jpg" in text) == (
            0,
            True,
            True,
        )
        code, text = facelive("persona", "fetch", "--only", "1", "--from", server.base)
        assert "1 were there already" in text and len(server.asked) == 2
    info = load_info(home.personas / "portrait-female-0")
    assert (info.origin, info.licence, info.pack, info.real) == ("pack", "CC0-1.0", PACK.name, False)
    code, text = facelive("persona", "fetch", "--from", "http://127.0.0.1:9/none", "--only", "1")
    assert code == 0, "all that is wanted is there: nobody is asked"
