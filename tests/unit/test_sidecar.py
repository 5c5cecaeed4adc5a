"""The note beside a finished file: true, complete, written whole, and without anybody's name."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest

from obs_facelive.personas.info import PersonaInfo
from obs_facelive.provenance import sidecar
from obs_facelive.provenance.sidecar import (
    CHANGED,
    UNCHANGED,
    Camera,
    Content,
    Pictures,
    Sidecar,
    SidecarError,
    beside,
    content,
    describe,
    read,
    told,
    worn,
    worn_from,
    write,
)
from obs_facelive.settings import Settings

FILES = {"mesh.npz": "ab" * 32}


def info(**more: object) -> PersonaInfo:
    return msgspec.convert({"id": "anna", "name": "Anna", "files": FILES} | more, PersonaInfo)


def note(swapped: int = 3) -> Sidecar:
    faces = (worn(info(kind="self"), swapped),)
    pictures = Pictures(shown=5, with_face=4, swapped=swapped, covered=2)
    camera = Camera(kind="file", worn=faces, pictures=pictures, settings=told(Settings(persona="anna", opacity=90)))
    return describe(0.0, 61.0, [camera])


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"x" * (3 << 20))
    written = msgspec.structs.replace(note(), files={film.name: content(film)})
    assert write(film, written) == tmp_path / "film.mp4.facelive.json"
    assert read(film) == written
    assert (written.what, written.began, written.ended) == (CHANGED, "1970-01-01T00:00:00Z", "1970-01-01T00:01:01Z")
    assert written.files[film.name].sha256 == hashlib.sha256(film.read_bytes()).hexdigest()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["film.mp4", "film.mp4.facelive.json"]


def test_names_are_only_of_people_who_do_not_exist(tmp_path: Path) -> None:
    for kind, origin, named in (
        ("synthetic", "shipped", True),
        ("synthetic", "mix", True),
        ("synthetic", "photo", False),
        ("self", "photo", False),
        ("granted", "pack", False),
    ):
        about = info(kind=kind, origin=origin)
        told_of = worn(about, 1)
        assert (told_of.name == "Anna") == named and told_of.digest == about.digest
    film = tmp_path / "film.mp4"
    assert b"anna" not in write(film, note()).read_bytes().lower()


def test_a_folders_persona_is_told_of_or_unknown(tmp_path: Path) -> None:
    folder = tmp_path / "anna"
    folder.mkdir()
    assert worn_from(folder, 7).kind == "unknown"
    (folder / "persona.json").write_bytes(msgspec.json.encode(info(kind="synthetic", origin="shipped")))
    assert worn_from(folder, 7) == worn(info(kind="synthetic", origin="shipped"), 7)


def test_the_settings_are_all_there_but_the_persona() -> None:
    settings = note().cameras[0].settings
    assert settings["opacity"] == 90 and set(Settings.__struct_fields__) - set(settings) == {"persona"}


def test_where_nothing_was_swapped_it_says_so() -> None:
    assert note(0).what == UNCHANGED and note(0).swapped == 0


def test_hashing_stops_when_it_must(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    film.write_bytes(b"y" * (3 << 20))
    answers = iter((False, False, True))
    assert content(film, lambda: next(answers)) == Content(bytes=3 << 20)
    assert next(answers, None) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is no sidecar"),
        ("[]", "is no sidecar"),
        ('{"format": 1}', "is no sidecar"),
        ("[" * 100_000, "is no sidecar"),
        (" " * (1 << 21), "is no sidecar"),
        (None, "there is no film.mp4.facelive.json"),
    ],
)
def test_what_is_no_sidecar_is_said(tmp_path: Path, text: str | None, words: str) -> None:
    film = tmp_path / "film.mp4"
    if text is not None:
        beside(film).write_text(text)
    with pytest.raises(SidecarError, match=words):
        read(film)


def test_another_format_is_not_guessed_at(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", msgspec.structs.replace(note(), format=2))
    with pytest.raises(SidecarError, match="format 2"):
        read(tmp_path / "a.mp4")


def test_one_that_cannot_be_written_leaves_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = tmp_path / "film.mp4"
    write(film, note())
    before = beside(film).read_bytes()

    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        write(film, note(4))
    assert beside(film).read_bytes() == before and len(list(tmp_path.iterdir())) == 1
    assert sidecar.SUFFIX == ".facelive.json"
