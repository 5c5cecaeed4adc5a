from __future__ import annotations

import hashlib
import io
import json
import pickle
import re
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.frame import Pixels
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.personas.library import (
    INFO_FILE,
    MAX_BYTES,
    MESH_FILE,
    THUMBNAIL_FILE,
    Kind,
    Origin,
    Persona,
    PersonaError,
    PersonaInfo,
    load_persona,
    persona_id,
    save_persona,
)
from obs_facelive.personas.make import TEXTURE, find_portrait, make_persona
from obs_facelive.personas.suited import suited
from obs_facelive.settings import Settings
from obs_facelive.topology import load_canonical_face

NAME = "female_33"


@pytest.fixture(scope="module")
def stages(models: Path) -> tuple[BlazeFace, FaceMesh]:
    return BlazeFace(models), FaceMesh(models)


@pytest.fixture(scope="module")
def persona(stages: tuple[BlazeFace, FaceMesh], models: Path, portraits: dict[str, Pixels]) -> Persona:
    portrait = find_portrait(portraits[NAME], *stages)
    return make_persona(
        PersonaInfo(id="test", name="Test", kind="synthetic", origin="pack"), portrait, load_canonical_face(models)
    )


@pytest.fixture
def folder(persona: Persona, portraits: dict[str, Pixels], tmp_path: Path) -> Path:
    return save_persona(tmp_path, persona, portraits[NAME])


def reseal(folder: Path, content: bytes) -> None:
    """Replaces the data file and its hash, as somebody would who wants it read."""
    (folder / MESH_FILE).write_bytes(content)
    info = json.loads((folder / INFO_FILE).read_text())
    info["files"][MESH_FILE] = hashlib.sha256(content).hexdigest()
    (folder / INFO_FILE).write_text(json.dumps(info))


def arrays_of(folder: Path) -> dict[str, Any]:
    with np.load(folder / MESH_FILE, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def packed(arrays: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def test_a_persona_comes_back_from_disk_as_it_was(persona: Persona, folder: Path) -> None:
    back = load_persona(folder)
    assert msgspec.structs.replace(back.info, files={}) == persona.info
    for name in ("texture", "skin", "expressions", "neutral", "lines", "mouths", "gaps", "shape", "iris", "embedding"):
        assert np.array_equal(getattr(back, name), getattr(persona, name))
    assert (folder / THUMBNAIL_FILE).stat().st_size > 1000
    assert sorted(p.name for p in folder.parent.iterdir()) == ["test"], "nothing is left beside it"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX's modes")
def test_a_persona_is_for_its_owner_only(folder: Path) -> None:
    assert folder.stat().st_mode & 0o777 == 0o700


def test_saving_again_replaces_the_persona(persona: Persona, folder: Path, portraits: dict[str, Pixels]) -> None:
    (folder / "stray").write_text("x")
    save_persona(folder.parent, persona, portraits[NAME])
    assert not (folder / "stray").exists()
    assert load_persona(folder).info.id == "test"


def test_the_texture_is_the_person_in_flat_light(persona: Persona) -> None:
    assert persona.texture.shape == (TEXTURE, TEXTURE, 3)
    odds = persona.texture.astype(float) @ [0.114, 0.587, 0.299]
    right, left = odds[380:460, 230:290].mean(), odds[380:460, -290:-230].mean()
    assert abs(right - left) < 20, "both cheeks are alike"
    assert persona.skin[2] > persona.skin[0], "skin is more red than blue"


@pytest.mark.parametrize("damage", ["gone", "cut", "flipped", "empty"])
def test_a_damaged_data_file_is_refused_in_words(folder: Path, damage: str) -> None:
    path = folder / MESH_FILE
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        path.write_bytes({"cut": content[:middle], "empty": b"", "flipped": flipped}[damage])
    with pytest.raises(PersonaError, match="Make"):
        load_persona(folder)


class Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path("pwned").write_text, ("x",))


def npy_of_objects() -> bytes:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    return header.getvalue() + pickle.dumps([Hostile()])


def with_member(folder: Path, name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(folder / MESH_FILE) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, content if member == name else old.read(member))
    return buffer.getvalue()


def test_a_data_file_that_wants_to_run_code_is_refused(folder: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(folder.parent)
    reseal(folder, with_member(folder, "texture.npy", npy_of_objects()))
    with pytest.raises(PersonaError, match="not a persona's data"):
        load_persona(folder)
    assert not Path("pwned").exists()


def test_a_data_file_that_unpacks_to_gigabytes_is_refused(folder: Path) -> None:
    reseal(folder, with_member(folder, "texture.npy", bytes(100 << 20)))
    with pytest.raises(PersonaError, match="unpacks"):
        load_persona(folder)


def test_an_array_that_promises_more_than_is_there_gets_no_room(folder: Path, monkeypatch: Any) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**12,)})
    reseal(folder, with_member(folder, "texture.npy", header.getvalue() + bytes(100)))
    monkeypatch.setattr(np.lib.format, "read_array", lambda *_, **__: pytest.fail("room was made"))
    with pytest.raises(PersonaError, match=r"\(1000000000000,\) is not what is there"):
        load_persona(folder)


def test_a_data_file_with_more_in_it_is_refused(folder: Path) -> None:
    reseal(folder, packed({**arrays_of(folder), "more": np.zeros(1)}))
    with pytest.raises(PersonaError, match="nothing else"):
        load_persona(folder)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(200):
            archive.writestr(str(number), b"")
    reseal(folder, buffer.getvalue())
    with pytest.raises(PersonaError, match="too many parts"):
        load_persona(folder)


def test_files_that_are_too_large_are_refused_unread(folder: Path) -> None:
    with (folder / MESH_FILE).open("r+b") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(PersonaError, match=r"16\.8 MB is refused"):
        load_persona(folder)
    with (folder / INFO_FILE).open("r+b") as file:
        file.truncate(1 << 30)
    with pytest.raises(PersonaError, match=r"it has 1\.1 GB"):
        load_persona(folder)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("texture", np.zeros((100, 90, 3), np.uint8)),
        ("texture", np.zeros((8, 8, 3), np.uint8)),
        ("texture", np.zeros(3, np.uint8)),
        ("texture", np.zeros((), np.uint8)),
        ("texture", np.zeros((128, 128, 3), np.float32)),
        ("skin", np.full(3, np.nan, np.float32)),
        ("skin", np.zeros(4, np.float32)),
        ("neutral", np.zeros(51, np.float32)),
        ("expressions", np.zeros((3, 52), np.float32)),
        ("expressions", np.zeros((), np.float32)),
        ("lines", np.zeros((2, 256), np.int8)),
        ("lines", np.zeros((0, 10, 20), np.int8)),
        ("lines", None),
        ("mouths", np.zeros((2, 64, 96, 3), np.uint8)),
        ("gaps", np.array([0.3, 0.2], np.float32)),
        ("shape", np.zeros((478, 3), np.float32)),
        ("shape", np.full((468, 3), 1e6, np.float32)),
        ("shape", np.full((468, 3), np.nan, np.float32)),
        ("shape", None),
        ("iris", np.zeros(4, np.float32)),
        ("iris", np.full(3, np.inf, np.float32)),
        ("embedding", np.ones(64, np.float32)),
        ("embedding", np.ones(128, np.float32)),
        ("embedding", np.zeros((0, 2), np.float32)),
    ],
)
def test_arrays_of_the_wrong_shape_or_kind_are_refused(folder: Path, name: str, value: Any) -> None:
    arrays = arrays_of(folder)
    if value is None:
        del arrays[name]
    else:
        arrays[name] = value
    reseal(folder, packed(arrays))
    with pytest.raises(PersonaError, match="not a persona's data"):
        load_persona(folder)


@pytest.mark.parametrize(
    "kind, origin, real",
    [
        ("synthetic", "shipped", False),
        ("synthetic", "pack", False),
        ("synthetic", "mix", False),
        ("synthetic", "photo", True),
        ("self", "photo", True),
        ("granted", "shipped", True),
    ],
)
def test_only_who_surely_does_not_exist_is_not_real(kind: Kind, origin: Origin, real: bool) -> None:
    assert PersonaInfo(id="a", name="A", kind=kind, origin=origin).real is real
    assert PersonaInfo(id="a", name="A", kind=kind).real, (
        "unless its origin is said, a persona is taken for a real person"
    )


def test_the_digest_is_the_faces_and_not_the_names() -> None:
    info = PersonaInfo(id="a", name="A", kind="synthetic", files={"mesh.npz": "1", "thumbnail.jpg": "2"})
    same = {"name": "B", "rating": 3, "files": {"thumbnail.jpg": "2", "mesh.npz": "1"}}
    assert re.fullmatch("[0-9a-f]{64}", info.digest)
    assert msgspec.structs.replace(info, **same).digest == info.digest
    for change in ({"kind": "self"}, {"origin": "pack"}, {"files": {"mesh.npz": "2"}}):
        assert msgspec.structs.replace(info, **change).digest != info.digest


def test_a_personas_own_settings_stand_where_the_person_chose_nothing() -> None:
    own = {"opacity": 80, "keep_eyes": False}
    assert suited(Settings(), own) == Settings(opacity=80, keep_eyes=False)
    assert suited(Settings(opacity=50), own) == Settings(opacity=50, keep_eyes=False)
    assert suited(Settings(), {}) == Settings()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"\x93NUMPY", pickle.dumps({"texture": 1})])
def test_something_else_than_an_archive_is_refused(folder: Path, content: bytes) -> None:
    reseal(folder, content)
    with pytest.raises(PersonaError, match="not a persona's data"):
        load_persona(folder)


@pytest.mark.parametrize(
    "change",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"id": "test"}',
        b'{"id": "test", "name": "T", "kind": "celebrity"}',
        b'{"id": "test", "name": 7, "kind": "self"}',
        b'{"id": "test", "name": "T", "kind": "self", "evil": 1}',
        b'{"id": "test", "name": "T", "kind": "self", "format": 99}',
        b'{"id": "other", "name": "T", "kind": "self"}',
        b'{"id": "test", "name": "T", "kind": "self", "format": 4, "origin": "found"}',
        b'{"id": "test", "name": "T", "kind": "self", "format": 4, "rating": 6}',
        b'{"id": "test", "name": "T", "kind": "self", "format": 4, "tags": [' + b'"t",' * 16 + b'"t"]}',
        b'{"id": "test", "name": "T", "kind": "self", "format": 4, "files": {"../x": ""}}',
        b'{"id": "test", "name": "T", "kind": "self", "format": 4, "files": {"mesh.npz": "0"}}',
        b'{"id": "test", "name": "T", "kind": "self", "format": 4, "settings": {"badge": "off"}}',
        b'{"id": "test", "name": "T", "kind": "self", "format": 4, "settings": {"opacity": 101}}',
        b'{"id": "test", "name": "T", "kind": "self", "format": 4, "settings": {"opacity": true}}',
        b'{"id": "test", "name": "T", "kind": "self", "format": 4, "settings": {"opacity": [1]}}',
        b'{"id": "test", "name": "T", "kind": "self", "files": ' + b"[" * 100_000,
    ],
)
def test_a_bad_description_is_refused_in_words(folder: Path, change: bytes) -> None:
    (folder / INFO_FILE).write_bytes(change)
    with pytest.raises(PersonaError, match=INFO_FILE):
        load_persona(folder)


def test_a_persona_of_an_older_format_says_what_to_do(folder: Path) -> None:
    info = json.loads((folder / INFO_FILE).read_text())
    (folder / INFO_FILE).write_text(json.dumps({**info, "format": 3}))
    with pytest.raises(PersonaError, match=r"format 3; this FaceLive reads 4\. Make the persona again"):
        load_persona(folder)


def test_shape_and_eye_colour_are_the_persons(persona: Persona, models: Path) -> None:
    xyz = load_canonical_face(models).xyz
    assert 0.05 < np.linalg.norm(persona.shape - xyz, axis=1).mean() < 2
    assert persona.iris[2] > persona.iris[0], "she has brown eyes"


def test_a_folder_without_a_persona_says_so(tmp_path: Path) -> None:
    with pytest.raises(PersonaError, match="no persona"):
        load_persona(tmp_path / "nobody")


@pytest.mark.parametrize("bad", ["../out", "A b", "", "a/b", ".hidden"])
def test_an_id_that_is_no_folder_name_is_refused(
    persona: Persona, portraits: dict[str, Pixels], tmp_path: Path, bad: str
) -> None:
    info = msgspec.structs.replace(persona.info, id=bad)
    broken = replace(persona, info=info)
    with pytest.raises(PersonaError, match="id"):
        save_persona(tmp_path / "in", broken, portraits[NAME])
    assert persona_id(bad) and persona_id(persona_id(bad)) == persona_id(bad)


def test_no_persona_is_called_like_a_device_of_windows() -> None:
    assert [persona_id(name) for name in ("CON", "Com1", "nul", "Connie")] == ["con-1", "com1-1", "nul-1", "connie"]


def test_a_picture_without_a_face_is_refused_in_words(stages: tuple[BlazeFace, FaceMesh]) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (300, 300, 3), np.uint8)
    with pytest.raises(PersonaError, match="face"):
        find_portrait(noise, *stages)


def test_a_face_that_is_too_small_is_refused(stages: tuple[BlazeFace, FaceMesh], portraits: dict[str, Pixels]) -> None:
    with pytest.raises(PersonaError, match="pixels wide"):
        find_portrait(portraits[NAME], *stages, smallest=2000)
