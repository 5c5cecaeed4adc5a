"""Personas as files: out and in again, and everything that somebody could send instead."""

from __future__ import annotations

import io
import json
import os
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from obs_facelive.home import Home
from obs_facelive.personas import add
from obs_facelive.personas import archive as archives
from obs_facelive.personas.archive import ArchiveError, export_persona, import_personas
from obs_facelive.personas.consent import ConsentError
from obs_facelive.personas.info import load_info
from obs_facelive.personas.library import check_persona
from tests.real_person import consent_to
from tests.unit.archive_parts import files_of, jpeg, parts_of, png, resealed, whole_archive, zipped
from tests.unit.tiny_persona import tiny_persona


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A good archive."""
    return whole_archive(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A folder with a library in it, whose every other file must stay as it is."""
    (tmp_path / "beside.txt").write_text("beside")
    (tmp_path / "personas").mkdir()
    tiny_persona(tmp_path / "personas", "here", seed=1)
    return tmp_path


def refused(world: Path, content: bytes) -> str:
    """What is said of the archive ``content``, of which nothing may be left."""
    before = files_of(world)
    path = world / "in.facelive"
    path.write_bytes(content)
    with pytest.raises(ArchiveError) as caught:
        import_personas(path, world / "personas")
    path.unlink()
    assert files_of(world) == before, "something was left behind"
    assert sorted(p.name for p in (world / "personas").iterdir()) == ["here"], "a folder was left behind"
    text = str(caught.value)
    assert "in.facelive" in text and str(world) not in text.replace(str(path), "")
    return text


def test_a_persona_goes_out_and_comes_in_again(world: Path, tmp_path: Path) -> None:
    folder = tiny_persona(tmp_path / "elsewhere", "anna", origin="mix")
    export_persona(folder, tmp_path / "anna.facelive")
    (info,) = import_personas(tmp_path / "anna.facelive", world / "personas")
    assert info == load_info(world / "personas" / "anna") == load_info(folder)
    assert files_of(world / "personas" / "anna") == files_of(folder)
    assert (world / "personas" / "anna").stat().st_mode & 0o777 == 0o700
    assert [p.name for p in world.joinpath("personas").iterdir() if p.name.startswith(".")] == []
    first = (tmp_path / "anna.facelive").read_bytes()
    export_persona(world / "personas" / "anna", tmp_path / "anna.facelive")
    assert (tmp_path / "anna.facelive").read_bytes() == first, "the same persona is the same file"


def test_a_shipped_persona_is_a_packs_elsewhere(tmp_path: Path) -> None:
    home = Home.find()
    export_persona(home.personas / "amina", tmp_path / "amina.facelive")
    (info,) = import_personas(tmp_path / "amina.facelive", tmp_path / "personas")
    assert (info.id, info.origin, info.real) == ("amina", "pack", False)
    check_persona(tmp_path / "personas" / "amina")


def test_the_record_of_consent_does_not_travel(world: Path, tmp_path: Path) -> None:
    folder = tiny_persona(tmp_path / "elsewhere", "anna", "granted", "photo")
    with pytest.raises(ConsentError, match="no consent"):
        export_persona(folder, tmp_path / "anna.facelive")
    consent_to(folder)
    export_persona(folder, tmp_path / "anna.facelive")
    (info,) = import_personas(tmp_path / "anna.facelive", world / "personas")
    assert info.real and not (world / "personas" / "anna" / "consent.json").exists()


def test_a_name_that_is_taken_becomes_another_and_the_same_face_comes_once(world: Path, tmp_path: Path) -> None:
    export_persona(tiny_persona(tmp_path / "a", "here", seed=5), tmp_path / "a.facelive")
    (info,) = import_personas(tmp_path / "a.facelive", world / "personas")
    assert info.id == "here-2" and check_persona(world / "personas" / "here-2").info.id == "here-2"
    assert import_personas(tmp_path / "a.facelive", world / "personas") == [info]
    assert sorted(p.name for p in (world / "personas").iterdir()) == ["here", "here-2"]


def test_several_come_together_or_not_at_all(world: Path, whole: bytes, tmp_path: Path) -> None:
    export_persona(tiny_persona(tmp_path / "a", "anna", seed=5), tmp_path / "a.facelive")
    other = parts_of((tmp_path / "a.facelive").read_bytes())
    broken = {**parts_of(whole), **other, "anna/mesh.npz": other["anna/mesh.npz"][:-50]}
    assert "changed or damaged" in refused(world, zipped(broken))
    path = tmp_path / "both.facelive"
    path.write_bytes(zipped({**parts_of(whole), **other}))
    assert [info.id for info in import_personas(path, world / "personas", pack="Both")] == ["tiny", "anna"]
    assert load_info(world / "personas" / "anna").pack == "Both"


def test_a_persona_without_a_folder_around_it_is_one(world: Path, whole: bytes) -> None:
    path = world / "flat.zip"
    path.write_bytes(zipped({name.partition("/")[2]: content for name, content in parts_of(whole).items()}))
    assert [info.id for info in import_personas(path, world / "personas")] == ["tiny"]


@pytest.mark.parametrize(
    "name",
    [
        "../out.txt",
        "tiny/../../out.txt",
        "tiny/photos/../../../out.txt",
        "/tmp/facelive-out.txt",
        "//server/share/out.txt",
        "C:/out.txt",
        "C:out.txt",
        "..\\out.txt",
        "tiny\\mesh.npz",
        "tiny/./out.txt",
        "tiny//out.txt",
        ".",
        "..",
        "../",
    ],
)
def test_names_that_lead_outside_are_refused(world: Path, whole: bytes, name: str) -> None:
    assert "leads outside" in refused(world, zipped([*parts_of(whole).items(), (name, b"x")]))


@pytest.mark.parametrize(
    "name",
    ["tiny/run.exe", "tiny/photos/8.jpg", "tiny/photos/a.jpg", "tiny/photos/0.png", "a/b/persona.json", "readme"],
)
def test_files_that_no_persona_has_are_refused(world: Path, whole: bytes, name: str) -> None:
    text = refused(world, zipped({**parts_of(whole), name: b"x"}))
    assert "no part of a persona" in text or "twice" in text


def test_other_odd_names_are_refused(world: Path, whole: bytes) -> None:
    for name in ("tiny/\x07", "tiny/\u202egpj.exe", "x" * 300):
        refused(world, zipped({**parts_of(whole), name: b"x"}))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFDIR])
def test_links_and_devices_are_refused(world: Path, whole: bytes, kind: int) -> None:
    parts = parts_of(whole)
    parts["tiny/thumbnail.jpg"] = b"/etc/passwd"
    assert "link or a device" in refused(world, zipped(parts, kind | 0o777))


def test_names_that_are_one_on_some_disk_are_refused(world: Path, whole: bytes) -> None:
    parts = list(parts_of(whole).items())
    for name in ("tiny/mesh.npz", "tiny/MESH.NPZ", "TINY/persona.json", "tiny/PHOTOS/0.jpg"):
        assert "twice" in refused(world, zipped([*parts, (name, b"x")]))
    assert "twice" in refused(world, zipped([*parts, ("caf\u00e9/mesh.npz", b"x"), ("cafe\u0301/mesh.npz", b"x")]))


def test_archives_within_archives_are_refused(world: Path, whole: bytes) -> None:
    for name in ("inner.zip", "tiny/inner.facelive", "INNER.ZIP"):
        assert "archive within" in refused(world, zipped({**parts_of(whole), name: whole}))


def test_what_unpacks_to_too_much_is_refused_before_it_does(world: Path, whole: bytes) -> None:
    parts = parts_of(whole)
    for name, size in (("thumbnail.jpg", 9 << 20), ("persona.json", 1 << 20), ("mesh.npz", 17 << 20)):
        assert "unpacks to more" in refused(world, zipped({**parts, f"tiny/{name}": bytes(size)}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archives, "MAX_ALL", 4 << 20)
        assert "unpacks to more than 4 MB" in refused(world, zipped({**parts, "x": bytes(5 << 20)}))
    mesh = zipped({**parts_of(parts["tiny/mesh.npz"]), "texture.npy": bytes(70 << 20)})
    assert "unpacks to more" in refused(world, zipped(resealed(parts, "mesh.npz", mesh)))


def test_a_part_that_lies_about_its_size_is_refused(world: Path, whole: bytes) -> None:
    content = bytearray(zipped({**parts_of(whole), "tiny/photos/0.jpg": bytes(9 << 20)}))
    at = content.rfind(b"tiny/photos/0.jpg") - 46 + 24
    struct.pack_into("<I", content, at, 1000)
    refused(world, bytes(content))


def test_hundreds_of_thousands_of_parts_are_refused(world: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(archives.MAX_PARTS + 1):
            archive.writestr(f"{number}", b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("an object was made of each"))
        assert "parts" in refused(world, buffer.getvalue())


@pytest.mark.parametrize(
    "content, words",
    [
        (jpeg(60000, 60000), "60000x60000"),
        (jpeg(4000, 100), "4000x100"),
        (png(100, 100), "no JPEG"),
        (b"GIF89a", "no JPEG"),
        (b"", "no JPEG"),
        (b"\xff\xd8\xff", "cut short"),
        (jpeg(16, 16)[:60], ""),
        (b"<svg/>", "no JPEG"),
    ],
)
@pytest.mark.parametrize("name", ["thumbnail.jpg", "photos/0.jpg"])
def test_pictures_that_are_none_or_huge_are_refused(
    world: Path, whole: bytes, name: str, content: bytes, words: str
) -> None:
    assert words in refused(world, zipped(resealed(parts_of(whole), name, content)))


@pytest.mark.parametrize(
    "change",
    [
        lambda i: {**i, "id": "../../out"},
        lambda i: {**i, "id": "/abs"},
        lambda i: {**i, "id": ""},
        lambda i: {**i, "id": 7},
        lambda i: {**i, "id": "A"},
        lambda i: {**i, "id": "x" * 49},
        lambda i: {**i, "format": 3},
        lambda i: {**i, "format": "4"},
        lambda i: {**i, "kind": "celebrity"},
        lambda i: {**i, "origin": 1},
        lambda i: {**i, "name": "x" * 100},
        lambda i: {**i, "name": ["x"]},
        lambda i: {**i, "tags": "x"},
        lambda i: {**i, "more": 1},
        lambda i: {**i, "settings": {"badge": "off"}},
        lambda i: {**i, "settings": {"privacy": False}},
        lambda i: {**i, "settings": {"opacity": 1000}},
        lambda i: {**i, "files": {}},
        lambda i: {**i, "files": {**i["files"], "../../out": "0" * 64}},
        lambda i: {**i, "files": {**i["files"], "photos/7.jpg": "0" * 64}},
        lambda i: {**i, "files": {k: v for k, v in i["files"].items() if k != "photos/0.jpg"}},
        lambda i: {**i, "files": {**i["files"], "mesh.npz": "0" * 64}},
        lambda i: {**i, "recipe": {"x": "y" * (1 << 17)}},
        lambda i: {k: v for k, v in i.items() if k != "kind"},
        lambda i: [i],
        lambda i: "text",
        lambda i: None,
    ],
)
def test_a_wrong_description_is_refused(world: Path, whole: bytes, change: Callable[[Any], Any]) -> None:
    parts = parts_of(whole)
    parts["tiny/persona.json"] = json.dumps(change(json.loads(parts["tiny/persona.json"]))).encode()
    refused(world, zipped(parts))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 50_000, b'{"id": "tiny"}', b"\0" * 100])
def test_a_description_that_is_no_json_is_refused(world: Path, whole: bytes, content: bytes) -> None:
    refused(world, zipped({**parts_of(whole), "tiny/persona.json": content}))


@pytest.mark.parametrize("missing", ["persona.json", "mesh.npz", "thumbnail.jpg", "photos/0.jpg"])
def test_a_persona_that_lacks_a_file_is_refused(world: Path, whole: bytes, missing: str) -> None:
    refused(world, zipped({name: content for name, content in parts_of(whole).items() if name != f"tiny/{missing}"}))


def test_what_is_no_archive_is_refused(world: Path, whole: bytes) -> None:
    for content in (b"", b"PK", b"no zip", whole[:-30], whole[: len(whole) // 2], whole[100:], zipped({})):
        refused(world, content)
    with pytest.raises(ArchiveError, match="does not exist"):
        import_personas(world / "nothing.facelive", world / "personas")
    with pytest.raises(ArchiveError, match="ordinary file"):
        import_personas(world / "personas", world / "personas")


def test_encrypted_and_strangely_packed_parts_are_refused(world: Path, whole: bytes) -> None:
    encrypted = bytearray(whole)
    encrypted[encrypted.rfind(b"PK\1\2") + 8] |= 1
    assert "encrypted; personas are not" in refused(world, bytes(encrypted))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        for name, content in parts_of(whole).items():
            archive.writestr(name, content)
    assert "not known" in refused(world, buffer.getvalue())


def test_a_failure_while_they_are_put_in_place_takes_all_out_again(
    world: Path, whole: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_persona(tiny_persona(tmp_path / "a", "anna", seed=5), tmp_path / "a.facelive")
    both = zipped({**parts_of(whole), **parts_of((tmp_path / "a.facelive").read_bytes())})
    calls: Iterator[int] = iter(range(10))
    real = add.free_id

    def full(personas: Path, name: str) -> str:
        if next(calls) == 1:
            raise OSError(28, "No space left on device")
        return real(personas, name)

    monkeypatch.setattr(archives, "free_id", full)
    assert "No space" in refused(world, both)


def test_what_a_killed_run_left_goes_after_a_day(world: Path, whole: bytes) -> None:
    old, young = world / "personas" / ".import-old", world / "personas" / ".import-young"
    for folder in (old, young):
        folder.mkdir()
    os.utime(old, (0, 0))
    (world / "in.facelive").write_bytes(whole)
    import_personas(world / "in.facelive", world / "personas")
    assert not old.exists() and young.exists()
    assert Home(world).persona_names() == ["here", "tiny"], "hidden folders are no personas"
