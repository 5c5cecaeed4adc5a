"""The command as a person uses it: what it does, what it says, and its exit status."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from obs_facelive import __version__, fields
from obs_facelive.cli import app
from obs_facelive.frame import Pixels
from obs_facelive.home import Home
from obs_facelive.image import read_image, write_image
from obs_facelive.offline import cover
from tests.conftest import bgra
from tests.real_person import NAME, add_real_persona, home_with


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is wrapped."""
    monkeypatch.setenv("COLUMNS", "400")


@pytest.fixture
def image(tmp_path: Path, portraits: dict[str, Pixels]) -> Path:
    write_image(tmp_path / "in.png", bgra(portraits["male_4"]))
    return tmp_path / "in.png"


@pytest.fixture
def somebody(tmp_path: Path, portraits: dict[str, Pixels]) -> Path:
    """A picture of somebody to be worn."""
    write_image(tmp_path / "somebody.png", bgra(portraits["male_21"]))
    return tmp_path / "somebody.png"


def facelive(*arguments: str | Path) -> tuple[int, str]:
    """Exit status, and all that was said. A traceback is never an answer."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result.exit_code, result.output


def test_version() -> None:
    assert facelive("--version") == (0, f"facelive {__version__}\n")


def test_every_setting_is_an_option() -> None:
    _, text = facelive("swap", "--help")
    for field in fields.fields():
        assert f"--{field.name.replace('_', '-')} " in text
        assert field.name == "persona" or field.help[:30] in text
        for choice in field.choices:
            assert re.search(rf"[<|]{choice}[|>]", text)
        if field.kind == "int":
            assert f"[{field.low}<=x<={field.high}]" in text


def test_an_image_is_swapped(image: Path, tmp_path: Path) -> None:
    persona = Home.find().persona_names()[0]
    code, text = facelive("swap", image, tmp_path / "out.jpg", "--persona", persona)
    assert (code, "1 pictures, 1 with a face, 1 swapped, 0 covered" in text) == (0, True), text
    assert np.abs(read_image(tmp_path / "out.jpg").astype(int) - read_image(image)).mean() > 1


def test_options_become_settings(image: Path, tmp_path: Path) -> None:
    persona = Home.find().persona_names()[0]
    swap = ("swap", image, tmp_path / "out.png", "--persona", persona)
    assert facelive(*swap, "--no-swap")[0] == 0
    assert np.array_equal(read_image(tmp_path / "out.png"), cover(read_image(image)))
    assert facelive(*swap, "--opacity", "0", "--badge", "off")[0] == 0
    assert np.array_equal(read_image(tmp_path / "out.png"), read_image(image))
    assert facelive(*swap, "--opacity", "0", "--badge", "bottom-left")[0] == 0
    changed = (read_image(tmp_path / "out.png") != read_image(image)).any(axis=2)
    assert changed[400:, :150].any()
    assert not changed[:400].any()
    for option, value in (
        ("--opacity", "101"),
        ("--mask-size", "-51"),
        ("--no-face", "nothing"),
        ("--hold-ms", "soon"),
    ):
        code, text = facelive(*swap, option, value)
        assert (code, option in text) == (2, True)


def test_an_unknown_persona_is_refused_with_the_known_ones(image: Path, tmp_path: Path) -> None:
    code, text = facelive("swap", image, tmp_path / "out.png", "--persona", "nobody")
    assert code == 2
    for name in Home.find().persona_names():
        assert name in text
    code, text = facelive("swap", image, tmp_path / "out.png", "--persona", tmp_path / "missing.jpg")
    assert (code, "does not exist" in text) == (2, True)
    assert not (tmp_path / "out.png").exists()


def test_a_picture_is_worn_only_with_consent(image: Path, somebody: Path, tmp_path: Path) -> None:
    swap = ("swap", image, tmp_path / "out.png", "--persona", somebody)
    code, text = facelive(*swap)
    assert (code, "--consent self" in text) == (2, True)
    assert not (tmp_path / "out.png").exists()
    for consent, words in (("granted", "who gave permission"), ("synthetic", "who declares")):
        code, text = facelive(*swap, "--consent", consent)
        assert (code, words in text) == (1, True), text
        code, text = facelive(*swap, "--consent", consent, "--by", "Anna")
        assert (code, "what it is for" in text) == (1, True), text
        assert not (tmp_path / "out.png").exists()
        assert facelive(*swap, "--consent", consent, "--by", "Anna", "--for", "a test")[0] == 0
        (tmp_path / "out.png").unlink()
    assert facelive(*swap, "--consent", "self")[0] == 0
    assert facelive(*swap, "--consent", "stolen")[0] == 2


def test_a_real_persons_badge_stays_on(image: Path, somebody: Path, tmp_path: Path) -> None:
    swap = (
        "swap",
        image,
        tmp_path / "out.png",
        "--persona",
        somebody,
        "--badge",
        "off",
        "--by",
        "A",
        "--for",
        "b",
        "--consent",
    )
    code, text = facelive(*swap, "granted")
    assert (code, "the badge stays on" in text) == (2, True)
    code, text = facelive(*swap, "synthetic")
    assert (code, "the badge stays on" in text) == (2, True), "that a photo shows nobody is only said"


def test_what_fails_is_said_and_leaves_nothing(image: Path, tmp_path: Path) -> None:
    persona = Home.find().persona_names()[0]
    plain, broken, out = tmp_path / "plain.png", tmp_path / "broken.mp4", tmp_path / "out"
    write_image(plain, np.full((200, 200, 4), 128, np.uint8))
    broken.write_text("no video")
    for source, target, worn, status, words in (
        (image, image, persona, 2, "the input itself"),
        (image, out.with_suffix(".mp4"), persona, 2, "can be .png"),
        (tmp_path / "missing.png", out.with_suffix(".png"), persona, 2, "does not exist"),
        (plain, out.with_suffix(".png"), persona, 1, "no face was found"),
        (broken, out.with_suffix(".mp4"), persona, 1, "cannot be read as a video"),
        (image, out.with_suffix(".png"), plain, 1, "no face was found in the picture"),
    ):
        code, text = facelive("swap", source, target, "--persona", worn, "--consent", "self")
        assert (code, words in text) == (status, True), text
    assert not list(tmp_path.glob("*out*"))


def test_personas_are_listed() -> None:
    code, text = facelive("persona", "list")
    assert code == 0
    for name in Home.find().persona_names():
        assert re.search(rf"^ *{name} .*synthetic", text, re.MULTILINE)


def test_without_personas_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACELIVE_HOME", str(tmp_path))
    code, text = facelive("persona", "list")
    assert (code, "install.py" in text) == (1, True)
    write_image(tmp_path / "in.png", np.zeros((64, 64, 4), np.uint8))
    code, text = facelive("swap", tmp_path / "in.png", tmp_path / "out.png", "--persona", "anna")
    assert (code, "install.py" in text) == (2, True)


def test_doctor_speaks_json_and_words() -> None:
    code, text = facelive("doctor", "--json")
    findings = json.loads(text)
    assert code == int(any(finding["status"] == "bad" for finding in findings))
    _, table = facelive("doctor")
    for finding in findings:
        assert finding["name"] in table


def test_a_clip_that_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACELIVE_HOME", str(tmp_path))
    code, text = facelive("bench", "--json")
    assert (code, "is missing" in text) == (1, True)


@pytest.fixture
def somebodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A real person's persona in a home of its own, without a record."""
    home = home_with(Home.find(), tmp_path / "home")
    folder = add_real_persona(home, home.personas)
    monkeypatch.setenv("FACELIVE_HOME", str(home.root))
    return folder


def test_consent_is_shown_given_and_withdrawn(somebodys: Path, image: Path, tmp_path: Path) -> None:
    consent, swap = ("persona", "consent"), ("swap", image, tmp_path / "out.png", "--persona", NAME)
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(b"signed")
    code, text = facelive(*consent, "show", NAME)
    assert (code, "there is no consent" in text) == (1, True)
    code, text = facelive(*swap)
    assert (code, f"facelive persona consent add {NAME}" in text) == (1, True)
    code, text = facelive(*consent, "add", NAME)
    assert (code, "who gave permission" in text) == (1, True)
    code, text = facelive(*consent, "add", NAME, "--by", "Anna", "--for", "a talk", "--signed", paper)
    assert (code, "intimate" in text and "identity checks" in text and "deceive" in text) == (0, True)
    code, text = facelive(*consent, "show", NAME)
    assert (code, "Anna" in text and "a talk" in text and "consent-signed.pdf" in text) == (0, True)
    assert facelive(*swap)[0] == 0
    (tmp_path / "out.png").unlink()
    assert facelive(*consent, "withdraw", NAME)[0] == 0
    code, text = facelive(*consent, "show", NAME)
    assert (code, "was withdrawn" in text) == (1, True)
    code, text = facelive(*swap)
    assert (code, "was withdrawn" in text, (tmp_path / "out.png").exists()) == (1, True, False)


def test_nobodys_consent_is_asked_for_who_does_not_exist(somebodys: Path) -> None:
    shipped = Home.find().persona_names()[0]
    code, text = facelive("persona", "consent", "show", shipped)
    assert (code, "does not exist" in text) == (0, True)
    assert facelive("persona", "consent", "add", shipped)[0] == 2
    assert facelive("persona", "consent", "withdraw", shipped)[0] == 1
    assert facelive("persona", "consent", "show", "nobody")[0] == 2
