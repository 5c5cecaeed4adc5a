"""Archives with anything in them: refused in words with nothing left behind, or personas that are whole."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obs_facelive.personas.archive import ArchiveError, import_personas
from obs_facelive.personas.info import INFO_FILE, PersonaInfo
from obs_facelive.personas.library import check_persona
from tests.unit.archive_parts import files_of, parts_of, whole_archive, zipped
from tests.unit.tiny_persona import tiny_persona


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A good archive."""
    return whole_archive(tmp_path_factory.mktemp("whole"))


def harmless(world: Path, content: bytes) -> None:
    """An archive, whatever is in it: refused in words with nothing left behind, or personas that are whole."""
    outside = {name: data for name, data in files_of(world).items() if not name.startswith("personas")}
    here = set((world / "personas").iterdir())
    path = world / "in.facelive"
    path.write_bytes(content)
    try:
        added = import_personas(path, world / "personas")
    except ArchiveError as error:
        assert set((world / "personas").iterdir()) == here and len(str(error)) < 600
    else:
        for info in added:
            check_persona(world / "personas" / info.id)
            if (folder := world / "personas" / info.id) not in here:
                shutil.rmtree(folder)
        assert set((world / "personas").iterdir()) == here
    path.unlink()
    assert {n: d for n, d in files_of(world).items() if not n.startswith("personas")} == outside


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shared")
    (folder / "beside.txt").write_text("beside")
    tiny_persona(folder / "personas", "here", seed=1)
    return folder


@settings(max_examples=300)
@given(data=st.data())
def test_flipped_cut_and_stuffed_bytes_do_no_harm(shared: Path, whole: bytes, data: st.DataObject) -> None:
    content = bytearray(whole)
    # Half of them where the zip's own words are: headers, names, the directory.
    words = [i for sign in (b"PK\1\2", b"PK\3\4", b"PK\5\6") for i in range(len(whole)) if whole.startswith(sign, i)]
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.sampled_from(words) | st.integers(0, len(content) - 1))
        at = min(start + data.draw(st.integers(0, 60)), len(content) - 1)
        content[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.none() | st.integers(0, len(content)))
    harmless(shared, bytes(content[:cut]))


NAMES = st.one_of(
    st.text(max_size=30),
    st.lists(
        st.sampled_from(
            ["..", ".", "", "tiny", "photos", "0.jpg", "mesh.npz", "persona.json", "C:", "~", "\\", "NUL", "aux"]
        ),
        max_size=5,
    ).map("/".join),
)


@settings(max_examples=200)
@given(extra=st.lists(st.tuples(NAMES, st.binary(max_size=60)), max_size=3), mode=st.integers(0, 0xFFFF))
def test_any_names_and_modes_do_no_harm(shared: Path, whole: bytes, extra: list[tuple[str, bytes]], mode: int) -> None:
    try:
        content = zipped([*parts_of(whole).items(), *extra], mode)
    except (UnicodeEncodeError, ValueError):
        return
    harmless(shared, content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300)
@given(field=st.sampled_from(PersonaInfo.__struct_fields__), value=JSON)
def test_any_value_in_a_description_does_no_harm(shared: Path, whole: bytes, field: str, value: Any) -> None:
    parts = parts_of(whole)
    info = json.loads(parts["tiny/persona.json"])
    parts[f"tiny/{INFO_FILE}"] = json.dumps({**info, field: value}).encode()
    harmless(shared, zipped(parts))
