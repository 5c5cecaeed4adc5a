"""`facelive enrol` as a person uses it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import keyring
import numpy as np
import pytest
from keyring.backends.fail import Keyring as NoKeyStore
from typer.testing import CliRunner

from obs_facelive.cli import app
from obs_facelive.doctor import _owner
from obs_facelive.finding import Finding
from obs_facelive.home import Home
from obs_facelive.identity.enrolment import enrolment_file, load
from tools.openpeople import VERSION, WHEEL_SHA256, expression_tiles, read_picture
from tools.wheels import fetch_wheel


@pytest.fixture
def home(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A data folder with models in which nobody is enrolled, on a computer without a key store."""
    monkeypatch.setenv("COLUMNS", "400")
    made = Home(tmp_path / "home")
    made.root.mkdir()
    made.models.symlink_to(models, target_is_directory=True)
    monkeypatch.setenv("FACELIVE_HOME", str(made.root))
    before = keyring.get_keyring()
    keyring.set_keyring(NoKeyStore())  # type: ignore[no-untyped-call]
    yield made
    keyring.set_keyring(before)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """a.png to c.png are one person, d.png to f.png another; both.png shows two, none.png nobody; video.avi: a.png moves."""
    folder = tmp_path_factory.mktemp("pictures")
    wheel = fetch_wheel("openpeople", VERSION, WHEEL_SHA256, Home.find().root / "cache" / "wheels")
    tiles = {
        who: expression_tiles(read_picture(wheel, f"openpeople/data/curated/{who}/assets/emotions_sheet.jpg"))
        for who in ("P005", "P008")
    }
    one = [cv2.resize(tiles["P005"][label], (400, 400)) for label in ("neutral", "happy", "angry")]
    other = [cv2.resize(tiles["P008"][label], (400, 400)) for label in ("neutral", "happy", "angry")]
    for name, picture in zip("abcdef", one + other, strict=True):
        cv2.imwrite(str(folder / f"{name}.png"), picture)
    cv2.imwrite(str(folder / "both.png"), np.hstack([one[0], other[0]]))
    cv2.imwrite(str(folder / "none.png"), np.full((300, 300, 3), 90, np.uint8))
    video = cv2.VideoWriter(str(folder / "video.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (400, 400))
    for number in range(60):
        matrix = cv2.getRotationMatrix2D((200, 200), 8 * np.sin(number / 5), 1.0)
        video.write(cv2.warpAffine(one[0], matrix, (400, 400), borderMode=cv2.BORDER_REPLICATE))
    video.release()
    return folder


def facelive(*arguments: str | Path) -> tuple[int, str]:
    """Exit status, and all that was said. A traceback is never an answer."""
    result = CliRunner().invoke(app, ["enrol", *(str(argument) for argument in arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_pictures_are_remembered_shown_and_forgotten(home: Home, pictures: Path) -> None:
    assert facelive("--show") == (0, "nobody is remembered\n")
    status, said = facelive(*(pictures / f"{name}.png" for name in "abc"))
    assert status == 0 and "your face is remembered (3 pictures)" in said and "a file beside it" in said
    assert load(home) is not None
    assert "3 pictures" in facelive("--show")[1]
    assert facelive("--delete") == (0, "forgotten\n") and facelive("--delete") == (0, "nobody was remembered\n")
    assert not enrolment_file(home).exists()


def test_a_video_is_remembered(home: Home, pictures: Path) -> None:
    status, said = facelive(pictures / "video.avi")
    assert status == 0 and "is remembered" in said
    found = load(home)
    assert found is not None and len(found.poses) >= 8


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("ab", "3 good looks"),
        ("abcdef", "more than one person"),
        (["a", "b", "both"], "2 faces in"),
        (["a", "b", "none"], "no face was found in"),
        (["a", "b", "missing"], "cannot be read"),
    ],
)
def test_what_is_no_good_is_refused_and_nothing_is_kept(
    home: Home, pictures: Path, names: str | list[str], words: str
) -> None:
    status, said = facelive(*(pictures / f"{name}.png" for name in names))
    assert status == 1 and words in said
    assert load(home) is None


@pytest.mark.parametrize("arguments", [[], ["--show", "--delete"], ["--camera", "0", "--show"], ["a.png", "--delete"]])
def test_one_thing_at_a_time(home: Home, arguments: list[str]) -> None:
    status, said = facelive(*arguments)
    assert status == 2 and "--camera N" in said


def test_a_camera_that_is_not_there_is_said_so(home: Home) -> None:
    status, said = facelive("--camera", "77")
    assert status == 1 and "camera 77 gives no picture" in said


def test_a_damaged_enrolment_is_said_so_and_can_be_deleted(home: Home, pictures: Path) -> None:
    facelive(*(pictures / f"{name}.png" for name in "abc"))
    enrolment_file(home).write_bytes(b"junk")
    status, said = facelive("--show")
    assert status == 1 and "cut short" in said and "facelive enrol" in said
    assert facelive("--delete")[0] == 0 and facelive("--show")[0] == 0


def test_doctor_says_where_the_key_is(home: Home, pictures: Path) -> None:
    def finding() -> Finding:
        return next(iter(_owner(home)))

    assert finding().status == "ok" and "nobody; no key store" in finding().found
    facelive(*(pictures / f"{name}.png" for name in "abc"))
    assert finding().status == "warn" and str(home.identity / "key") in finding().remedy
    enrolment_file(home).write_bytes(b"junk")
    assert finding().status == "warn" and "--delete" in finding().remedy
