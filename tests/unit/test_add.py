"""Personas out of photos and out of packs, with the shipped people's pictures in the part of somebody's photos."""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from obs_facelive.frame import Pixels
from obs_facelive.home import Home
from obs_facelive.personas.add import Statement, UnusableError, add_photos
from obs_facelive.personas.archive import PACK_FILE, ArchiveError
from obs_facelive.personas.consent import ConsentError, read_consent
from obs_facelive.personas.errors import PersonaError
from obs_facelive.personas.info import load_info
from obs_facelive.personas.library import check_persona, load_persona, remove_persona
from obs_facelive.personas.look import Studio
from obs_facelive.personas.pack import add_pack, label
from obs_facelive.personas.photos import PHOTO_SIDE, open_photo
from tests.unit.archive_parts import png
from tests.unit.tiny_persona import tiny_persona

SHIPPED = Home.find().personas
GIVEN = Statement(by="Clara", purpose="tests")
PACK = {"name": "Few", "licence": "CC0-1.0", "synthetic": True}


@pytest.fixture(scope="module")
def studio(models: Path) -> Studio:
    return Studio(models)


def face(name: str) -> Pixels:
    """A shipped person's studio portrait, (700, 700, 3)."""
    full = open_photo(SHIPPED / name / "photos" / "0.jpg")
    return np.asarray(cv2.resize(full, (700, 700), interpolation=cv2.INTER_AREA), np.uint8)


def write(path: Path, pixels: Pixels) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)
    return path


def dim(pixels: Pixels) -> Pixels:
    """The same photo, badly taken."""
    soft = cv2.GaussianBlur(pixels, (0, 0), 2.5)
    return np.asarray(np.roll(soft * 0.6, 20, axis=1), np.uint8)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def test_a_photo_becomes_a_persona_with_its_record(studio: Studio, home: Home, tmp_path: Path) -> None:
    steps: list[tuple[int, int, str]] = []
    photo = write(tmp_path / "me.png", face("clara"))
    report = add_photos(studio, home, [photo], " Clara  Two ", "granted", GIVEN, lambda *step: steps.append(step))
    info = report.info
    assert (info.id, info.name, info.kind, info.origin, info.real) == (
        "clara-two",
        "Clara Two",
        "granted",
        "photo",
        True,
    )
    persona = load_persona(home.personas / "clara-two")
    check_persona(home.personas / "clara-two")
    assert persona.embedding @ studio.embed(studio.portrait(face("clara"))) > 0.99
    assert report.record == read_consent(home.personas / info.id) and report.record and report.record.by == "Clara"
    assert (report.score, report.best) == (100, 0)
    assert [step[:2] for step in steps] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    again = add_photos(studio, home, [photo], "Clara Two", "granted", GIVEN)
    assert again.info.id == "clara-two-2" and again.info.name == "Clara Two"


def test_of_several_the_best_gives_the_texture_and_all_the_identity(studio: Studio, home: Home, tmp_path: Path) -> None:
    bad, good = write(tmp_path / "bad.png", dim(face("leila"))), write(tmp_path / "good.png", face("leila"))
    (tmp_path / "none.jpg").write_bytes(b"no picture")
    other = write(tmp_path / "other.png", face("darius"))
    paths = [bad, tmp_path / "none.jpg", good, other]
    report = add_photos(studio, home, paths, "Leila", "granted", GIVEN)
    assert report.best == 2 and report.score == 100
    scores = [photo.judgement.score if photo.judgement else None for photo in report.photos]
    assert scores[0] is not None and scores[0] < 85 and scores[1] is None
    assert report.photos[0].problem == "" and "none of PNG" in report.photos[1].problem
    assert "somebody else than good.png" in report.photos[3].problem
    persona = load_persona(home.personas / "leila")
    alone = add_photos(studio, home, [good], "Alone", "granted", GIVEN)
    single = load_persona(home.personas / alone.info.id)
    assert np.array_equal(persona.texture, single.texture), "the texture is that of the better one"
    assert not np.array_equal(persona.embedding, single.embedding) and not np.array_equal(persona.shape, single.shape)
    assert list(persona.info.files) == ["mesh.npz", "thumbnail.jpg", "photos/0.jpg", "photos/1.jpg"]
    kept = open_photo(home.personas / "leila" / "photos" / "0.jpg")
    assert np.abs(kept.astype(int) - face("leila")).mean() < 3, "the best one is the first"


def test_photos_are_kept_without_what_the_camera_wrote(studio: Studio, home: Home, tmp_path: Path) -> None:
    good, content = cv2.imencode(".jpg", np.asarray(cv2.resize(face("zola"), (2600, 2600)), np.uint8))
    assert good
    note = b"\xff\xfe" + (2 + 22).to_bytes(2, "big") + b"GPS 52.5200N 13.4050E."
    path = tmp_path / "zola.jpg"
    path.write_bytes(content.tobytes()[:2] + note + content.tobytes()[2:])
    report = add_photos(studio, home, [path], "Zola", "self", Statement())
    kept = home.personas / report.info.id / "photos" / "0.jpg"
    assert b"GPS" not in kept.read_bytes() and b"GPS" in path.read_bytes()
    assert open_photo(kept).shape == (PHOTO_SIDE, PHOTO_SIDE, 3)
    if kept.stat().st_mode:
        assert kept.parent.parent.stat().st_mode & 0o777 == 0o700


def test_ones_own_face_is_compared_with_the_enrolled_one(studio: Studio, home: Home, tmp_path: Path) -> None:
    photo = write(tmp_path / "me.png", face("darius"))
    mine = add_photos(studio, home, [photo], "Me", "self", replace(Statement(), is_owner=lambda _: True))
    assert mine.record and mine.record.checked
    unknown = add_photos(studio, home, [photo], "Me", "self", Statement())
    assert unknown.record and not unknown.record.checked
    with pytest.raises(ConsentError):
        add_photos(studio, home, [photo], "Not me", "self", replace(Statement(), is_owner=lambda _: False))
    assert not (home.personas / "not-me").exists()


@pytest.mark.parametrize("kind", ["granted", "synthetic"])
def test_without_enough_said_nothing_is_made(studio: Studio, home: Home, tmp_path: Path, kind: str) -> None:
    photo = write(tmp_path / "me.png", face("darius"))
    with pytest.raises(ConsentError, match="needs to say"):
        add_photos(studio, home, [photo], "Somebody", kind, Statement())  # type: ignore[arg-type]
    assert not home.personas.exists()


def test_a_signed_paper_that_cannot_be_read_leaves_no_persona(studio: Studio, home: Home, tmp_path: Path) -> None:
    photo = write(tmp_path / "me.png", face("darius"))
    signed = replace(GIVEN, signed=tmp_path / "paper.pdf")
    with pytest.raises(ConsentError, match="signed"):
        add_photos(studio, home, [photo], "Darius", "granted", signed)
    assert list(home.personas.iterdir()) == []
    (tmp_path / "paper.pdf").write_bytes(b"%PDF")
    report = add_photos(studio, home, [photo], "Darius", "granted", signed)
    assert report.record and (home.personas / "darius" / report.record.signed).read_bytes() == b"%PDF"


def test_what_is_wrong_is_said_where_no_persona_can_be_made(studio: Studio, home: Home, tmp_path: Path) -> None:
    two = write(tmp_path / "two.png", np.hstack([face("clara"), face("malik")]))
    empty = write(tmp_path / "empty.png", np.full((300, 300, 3), 90, np.uint8))
    with pytest.raises(UnusableError, match="another face") as caught:
        add_photos(studio, home, [two, empty], "Two", "granted", GIVEN)
    assert [photo.name for photo in caught.value.photos] == ["two.png", "empty.png"]
    assert "no face was found" in caught.value.photos[1].problem
    for paths, name in (([], "A"), ([two] * 9, "A"), ([two], "  "), ([two], "x" * 65)):
        with pytest.raises(PersonaError):
            add_photos(studio, home, paths, name, "granted", GIVEN)
    assert not home.personas.exists()


def test_a_removed_persona_is_gone_with_everything(tmp_path: Path) -> None:
    folder = tiny_persona(tmp_path / "personas")
    remove_persona(folder)
    assert list((tmp_path / "personas").iterdir()) == []


# Packs ------------------------------------------------------------------------------------------------------------------


def portraits(folder: Path, **changes: object) -> Path:
    """A folder with a pack of three pictures, one of which shows nobody."""
    write(folder / "female" / "512" / "1.jpg", face("amina"))
    write(folder / "male" / "512" / "1.jpg", face("rafael"))
    write(folder / "empty.jpg", np.full((300, 300, 3), 90, np.uint8))
    (folder / PACK_FILE).write_text(json.dumps({**PACK, **changes}))
    return folder


def test_a_folder_of_portraits_becomes_personas_once(studio: Studio, home: Home, tmp_path: Path) -> None:
    folder = portraits(tmp_path / "pack")
    report = add_pack(folder, home, lambda: studio)
    assert [info.id for info in report.added] == ["few-female-1", "few-male-1"] and report.here == 0
    assert list(report.left_out) == ["empty.jpg"] and "no face" in report.left_out["empty.jpg"]
    info = load_info(home.personas / "few-female-1")
    assert (info.kind, info.origin, info.real, info.pack) == ("synthetic", "pack", False, "Few")
    assert load_persona(home.personas / "few-male-1").embedding.size == 128
    report = add_pack(folder, home, lambda: studio)
    assert report.here == 2 and len(list(home.personas.iterdir())) == 2
    report = add_pack(folder, Home(tmp_path / "other"), lambda: studio, only=2)
    assert len(report.added) + len(report.left_out) == 2


def test_a_zip_of_portraits_is_the_same(studio: Studio, home: Home, tmp_path: Path) -> None:
    folder = portraits(tmp_path / "pack")
    archive = Path(shutil.make_archive(str(tmp_path / "few"), "zip", folder))
    report = add_pack(archive, home, lambda: studio)
    assert sorted(info.id for info in report.added) == ["few-female-1", "few-male-1"]
    assert sorted(p.name for p in home.personas.iterdir()) == ["few-female-1", "few-male-1"], "nothing hidden is left"
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("readme.html", "<script>")
    with pytest.raises(ArchiveError, match="no picture"):
        add_pack(archive, Home(tmp_path / "other"), lambda: studio)
    assert list((tmp_path / "other" / "personas").iterdir()) == []


def test_pictures_in_a_pack_are_not_trusted(studio: Studio, home: Home, tmp_path: Path) -> None:
    archive = tmp_path / "pack.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(PACK_FILE, json.dumps(PACK))
        for name, content in (("huge.png", png(60000, 60000)), ("text.jpg", b"<svg>"), ("cut.png", png(90, 90)[:40])):
            file.writestr(name, content)
    report = add_pack(archive, home, lambda: studio)
    assert sorted(report.left_out) == ["cut.png", "huge.png", "text.jpg"] and not report.added
    assert "60000x60000" in report.left_out["huge.png"]
    for name in ("../out.jpg", "/out.jpg", "a\\b.jpg", "TEXT.JPG"):
        other = tmp_path / "other.zip"
        shutil.copy(archive, other)
        with zipfile.ZipFile(other, "a") as file:
            file.writestr(name, b"x")
        with pytest.raises(ArchiveError):
            add_pack(other, home, lambda: studio)
    assert list(home.personas.iterdir()) == [] and not list(tmp_path.rglob("out.jpg"))


def test_a_zip_of_personas_is_a_pack_too(home: Home, tmp_path: Path) -> None:
    for number, name in enumerate(("anna", "bert")):
        tiny_persona(tmp_path / "in", name, origin="mix", seed=number)
    (tmp_path / "in" / PACK_FILE).write_text(json.dumps(PACK))
    archive = Path(shutil.make_archive(str(tmp_path / "two"), "zip", tmp_path / "in"))
    report = add_pack(archive, home, pytest.fail)
    assert (report.name, report.here, {info.id for info in report.added}) == ("Few", 0, {"anna", "bert"})
    assert {load_info(folder).pack for folder in home.personas.iterdir()} == {"Few"}
    assert add_pack(archive, home, pytest.fail).here == 2


@pytest.mark.parametrize(
    "changes", [{"synthetic": False}, {"synthetic": "yes"}, {"licence": ""}, {"more": 1}, {"format": 2}]
)
def test_a_pack_of_real_people_or_of_who_knows_whom_is_refused(
    studio: Studio, home: Home, tmp_path: Path, changes: dict[str, object]
) -> None:
    folder = portraits(tmp_path / "pack", **changes)
    archive = Path(shutil.make_archive(str(tmp_path / "few"), "zip", folder))
    for path in (folder, archive):
        with pytest.raises(PersonaError):
            add_pack(path, home, lambda: studio)
    (folder / PACK_FILE).unlink()
    archive = Path(shutil.make_archive(str(tmp_path / "none"), "zip", folder))
    for path in (folder, archive):
        with pytest.raises(PersonaError, match=PACK_FILE):
            add_pack(path, home, lambda: studio)
    assert not home.personas.exists() or not list(home.personas.iterdir())


def test_portraits_are_called_by_what_tells_them_apart() -> None:
    assert [label(name) for name in ("female/512/33.jpg", "anna.jpg", "12.png", "a/b/c.jpg")] == [
        "female 33",
        "anna",
        "12",
        "a c",
    ]
