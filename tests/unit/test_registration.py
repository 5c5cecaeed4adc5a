"""FaceLive's script in scene collections: added once, taken out without a trace, never at the cost of somebody's scenes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from obs_facelive.in_step import MILLISECOND, Offset
from obs_facelive.obs_home import Configuration
from obs_facelive.registration import (
    RegistrationError,
    add_everywhere,
    add_script,
    remove_everywhere,
    remove_script,
    scripts,
)

SCENES: dict[str, Any] = {
    "name": "Übung 日本",
    "sources": [{"id": "x", "volume": 0.1, "big": 18446744073709551615}],
    "scene_order": [],
}
OTHER: dict[str, Any] = {"path": "/home/me/clock.lua", "settings": {"speed": 1.5}}
SHAPES: dict[str, dict[str, Any]] = {
    "no modules": SCENES,
    "no scripts": {**SCENES, "modules": {"auto-scene-switcher": {"interval": 300}}},
    "empty list": {**SCENES, "modules": {"scripts-tool": []}},
    "another script": {**SCENES, "modules": {"scripts-tool": [OTHER], "zzz": None}},
}


@pytest.fixture
def env(tmp_path: Path) -> Path:
    """An environment with the script in it."""
    env = tmp_path / "with space" / "env"
    script = env / "lib/python3.11/site-packages/obs_facelive/script/facelive.py"
    script.parent.mkdir(parents=True)
    script.touch()
    return env


@pytest.fixture
def script(env: Path) -> Path:
    return next(env.rglob("facelive.py"))


def _collection(folder: Path, data: object, name: str = "Übung 日本.json", indent: int | None = 4) -> Path:
    file = folder / name
    file.write_bytes(json.dumps(data, indent=indent, ensure_ascii=False).encode())
    return file


@pytest.mark.parametrize("indent", [None, 4])
@pytest.mark.parametrize("shape", SHAPES)
def test_there_and_back(tmp_path: Path, env: Path, script: Path, shape: str, indent: int | None) -> None:
    before = SHAPES[shape]
    file = _collection(tmp_path, before, indent=indent)
    content = file.read_bytes()
    file.chmod(0o640)

    assert add_script(file, script)
    after = json.loads(file.read_bytes())
    entries = after["modules"].pop("scripts-tool")
    assert entries[-1] == {"path": script.as_posix(), "settings": {}}
    assert entries[:-1] == before.get("modules", {}).get("scripts-tool", [])
    assert {k: v for k, v in after.items() if k != "modules"} == SCENES
    assert "Übung 日本" in file.read_text(encoding="utf-8")
    assert scripts(file) == [script]
    assert file.stat().st_mode & 0o777 == 0o640

    changed = file.read_bytes()
    assert not add_script(file, script)
    assert file.read_bytes() == changed

    assert remove_script(file, env)
    assert file.read_bytes() == content
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == [file.name]
    assert not remove_script(file, env)


def test_what_obs_changed_meanwhile_stays(tmp_path: Path, env: Path, script: Path) -> None:
    file = _collection(tmp_path, SHAPES["another script"])
    add_script(file, script)
    data = json.loads(file.read_bytes())
    data["current_scene"] = "new"
    _collection(tmp_path, data)
    assert remove_script(file, env)
    assert json.loads(file.read_bytes()) == {**SHAPES["another script"], "current_scene": "new"}
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == [file.name]


def test_own_sync_offsets_come_back(tmp_path: Path, env: Path, script: Path) -> None:
    """OBS saved them as FaceLive had set them; what somebody else set to the nanosecond stays."""
    own = {
        **SCENES,
        "AuxAudioDevice1": {"name": "Mic/Aux", "sync": -50 * MILLISECOND},
        "sources": [{"name": "a", "sync": 0}, {"name": "b", "sync": 123_456_789}, {"name": "c", "sync": True}, None],
    }
    file = _collection(tmp_path, own)
    before = file.read_bytes()
    add_script(file, script)
    data = json.loads(file.read_bytes())
    data["AuxAudioDevice1"]["sync"] = Offset(-50, 87).ns
    data["sources"][0]["sync"] = Offset(0, 87).ns
    _collection(tmp_path, data)
    assert remove_script(file, env)
    assert file.read_bytes() == before


def test_another_copy_is_pointed_here_and_keeps_its_settings(tmp_path: Path, script: Path) -> None:
    settings = {"anything": [1, {"deep": True}]}
    old = {"path": "C:/old/checkout/obs_facelive/script/facelive.py", "settings": settings}
    twin = {"path": "/third/obs_facelive/script/facelive.py", "settings": {}}
    file = _collection(tmp_path, {"modules": {"scripts-tool": [old, OTHER, twin]}})
    assert add_script(file, script)
    entries = json.loads(file.read_bytes())["modules"]["scripts-tool"]
    assert entries == [{"path": script.as_posix(), "settings": settings}, OTHER]


def test_uninstall_leaves_another_copy_alone(tmp_path: Path, env: Path) -> None:
    file = _collection(tmp_path, {"modules": {"scripts-tool": [{"path": "/dev/obs_facelive/script/facelive.py"}]}})
    content = file.read_bytes()
    assert not remove_script(file, env)
    assert file.read_bytes() == content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"name": "cut sho',
        b"[1, 2]",
        b'{"name": "\xff"}',
        b'{"name": "\\ud800"}',
        b'{"x": NaN}',
        b'{"modules": []}',
        b'{"modules": {"scripts-tool": {"path": "x"}}}',
        b"[" * 100_000,
    ],
)
def test_what_is_not_understood_is_left_alone(tmp_path: Path, env: Path, script: Path, content: bytes) -> None:
    file = tmp_path / "A.json"
    file.write_bytes(content)
    with pytest.raises(RegistrationError, match="left as it is") as caught:
        add_script(file, script)
    assert str(file) in str(caught.value)
    with pytest.raises(RegistrationError):
        remove_script(file, env)
    assert file.read_bytes() == content
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == [file.name]


def test_strange_entries_beside_ours(tmp_path: Path, env: Path, script: Path) -> None:
    strange: list[Any] = [None, 7, {"path": 3}, {"settings": {}}, {"path": "facelive.py"}]
    file = _collection(tmp_path, {"modules": {"scripts-tool": strange}})
    content = file.read_bytes()
    assert add_script(file, script)
    assert json.loads(file.read_bytes())["modules"]["scripts-tool"][:-1] == strange
    assert remove_script(file, env)
    assert file.read_bytes() == content


def test_read_only_is_respected(tmp_path: Path, script: Path) -> None:
    file = _collection(tmp_path, SCENES)
    content = file.read_bytes()
    file.chmod(0o444)
    with pytest.raises(RegistrationError, match="read-only"):
        add_script(file, script)
    assert file.read_bytes() == content
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == [file.name]


def test_a_link_stays_a_link(tmp_path: Path, script: Path) -> None:
    real = _collection(tmp_path, SCENES)
    folder = tmp_path / "scenes"
    folder.mkdir()
    link = folder / "A.json"
    link.symlink_to(real)
    assert add_script(link, script)
    assert link.is_symlink()
    assert scripts(real) == [script]


def test_everywhere_and_back(tmp_path: Path, env: Path, script: Path) -> None:
    root = tmp_path / "obs-studio"
    (root / "basic/scenes").mkdir(parents=True)
    (root / "global.ini").write_text("[General]\nFirstRun=true\n")
    files = [_collection(root / "basic/scenes", SCENES, f"{name}.json") for name in "AB"]
    broken = root / "basic/scenes/C.json"
    broken.write_bytes(b"{")
    flatpak = tmp_path / "flatpak"
    (flatpak / "basic/scenes").mkdir(parents=True)
    untouched = _collection(flatpak / "basic/scenes", SCENES)
    everything = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    configurations = [Configuration(root), Configuration(flatpak, "flatpak")]
    receipt = tmp_path / "obs.json"

    notes = list(add_everywhere(configurations, script, Path("/python/here"), receipt))
    assert [note.bad for note in notes] == [False, False, False, True, False]
    assert str(broken) in notes[3].text and "Flatpak" in notes[4].text
    assert [scripts(file) for file in files] == [[script], [script]]
    assert scripts(untouched) == []
    assert configurations[0].python_path == "/python/here"

    again = list(add_everywhere(configurations, script, Path("/python/other"), receipt))
    assert [note.bad for note in again] == [False, False, True, False]
    assert configurations[0].python_path == "/python/here"

    assert sum(note.bad for note in remove_everywhere(configurations, env, receipt)) == 1
    receipt.unlink()
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == everything


def test_a_python_path_that_the_person_chose_stays(tmp_path: Path, env: Path, script: Path) -> None:
    (tmp_path / "user.ini").write_text("[Python]\nPath64bit=/mine\n")
    receipt = tmp_path / "receipt"
    (note,) = add_everywhere([Configuration(tmp_path)], script, Path("/theirs"), receipt)
    assert "no scene collection yet" in note.text
    assert not receipt.exists()
    list(remove_everywhere([Configuration(tmp_path)], env, receipt))
    assert (tmp_path / "user.ini").read_text() == "[Python]\nPath64bit=/mine\n"
