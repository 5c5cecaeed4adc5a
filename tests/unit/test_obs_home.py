"""Every layout in which OBS keeps its configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from obs_facelive.obs_home import Configuration, find_configurations, read_ini, set_ini


def _configure(root: Path, ini: str = "global.ini", text: str = "[General]\nFirstRun=true\n") -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / ini).write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("system", "environ", "place"),
    [
        ("win32", {"APPDATA": "Roaming"}, "Roaming/obs-studio"),
        ("win32", {}, "AppData/Roaming/obs-studio"),
        ("darwin", {}, "Library/Application Support/obs-studio"),
        ("linux", {}, ".config/obs-studio"),
        ("linux", {"XDG_CONFIG_HOME": "elsewhere"}, "elsewhere/obs-studio"),
        ("linux", {"XDG_CONFIG_HOME": ""}, ".config/obs-studio"),
    ],
)
def test_usual_place(tmp_path: Path, system: str, environ: dict[str, str], place: str) -> None:
    environ = {name: str(tmp_path / value) if value else "" for name, value in environ.items()}
    assert find_configurations(system=system, home=tmp_path, environ=environ) == []
    root = _configure(tmp_path / place)
    assert find_configurations(system=system, home=tmp_path, environ=environ) == [Configuration(root, "user")]


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("flatpak", ".var/app/com.obsproject.Studio/config/obs-studio"),
        ("snap", "snap/obs-studio/current/.config/obs-studio"),
    ],
)
def test_shut_off_obs_is_found_and_says_why_not(tmp_path: Path, kind: str, place: str) -> None:
    _configure(tmp_path / place)
    (found,) = find_configurations(system="linux", home=tmp_path, environ={})
    assert found.kind == kind
    assert "cannot work" in found.obstacle and "Install OBS" in found.obstacle


@pytest.mark.parametrize("system", ["win32", "linux"])
def test_portable_obs_beside_the_persons_own(tmp_path: Path, system: str) -> None:
    own = _configure(tmp_path / ("AppData/Roaming/obs-studio" if system == "win32" else ".config/obs-studio"))
    portable = _configure(tmp_path / "stick/config/obs-studio")
    empty = tmp_path / "program"
    empty.mkdir()
    found = find_configurations([tmp_path / "stick", empty], system=system, home=tmp_path, environ={})
    assert found == [Configuration(own, "user"), Configuration(portable, "portable")]
    assert not any(configuration.obstacle for configuration in found)


def test_collections_are_json_files_only(tmp_path: Path) -> None:
    scenes = tmp_path / "basic" / "scenes"
    scenes.mkdir(parents=True)
    for name in ("Zwei.json", "Übung.json", "Zwei.json.bak", "Zwei.json.before-facelive"):
        (scenes / name).write_text("{}")
    (scenes / "folder.json").mkdir()
    assert [p.name for p in Configuration(tmp_path).collections] == ["Zwei.json", "Übung.json"]
    assert Configuration(tmp_path / "nowhere").collections == []


def test_obs_31_keeps_settings_in_user_ini(tmp_path: Path) -> None:
    _configure(tmp_path, text="[Python]\nPath64bit=/old\n")
    assert Configuration(tmp_path).python_path == "/old"
    _configure(tmp_path, "user.ini", "[Python]\nPath64bit=/new\n")
    assert Configuration(tmp_path).ini == tmp_path / "user.ini"
    assert Configuration(tmp_path).python_path == "/new"


def test_locations_move_scenes_and_settings(tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    (moved / "obs-studio/basic/scenes").mkdir(parents=True)
    (moved / "obs-studio/basic/scenes/A.json").write_text("{}")
    (moved / "obs-studio/user.ini").write_text("")
    escaped = str(moved).replace("\\", "\\\\")
    root = _configure(tmp_path / "root", text=f"[Locations]\nConfiguration={escaped}\nSceneCollections={escaped}\n")
    assert Configuration(root).scenes == moved / "obs-studio/basic/scenes"
    assert [p.name for p in Configuration(root).collections] == ["A.json"]
    assert Configuration(root).ini == moved / "obs-studio/user.ini"
    # OBS itself ignores them in portable mode, and where the folder is gone.
    assert Configuration(root, "portable").scenes == root / "basic/scenes"
    _configure(root, text=f"[Locations]\nSceneCollections={escaped}-gone\n")
    assert Configuration(root).scenes == root / "basic/scenes"


@pytest.mark.parametrize(
    ("number", "version"), [("520224770", (31, 2, 2)), ("0", None), ("", None), ("new", None), ("99999999999", None)]
)
def test_last_version(tmp_path: Path, number: str, version: tuple[int, int, int] | None) -> None:
    _configure(tmp_path, text=f"[General]\nLastVersion={number}\n")
    assert Configuration(tmp_path).last_version == version


def test_read_ini(tmp_path: Path) -> None:
    file = tmp_path / "a.ini"
    file.write_bytes("\ufeff[A]\r\nx=C:\\\\new\\\\räte=1\r\n[B]\r\nx=2\r\nlines=a\\nb\r\n".encode())
    assert read_ini(file, "A", "x") == "C:\\new\\räte=1"
    assert read_ini(file, "B", "x") == "2"
    assert read_ini(file, "B", "lines") == "a\nb"
    assert read_ini(file, "A", "y") == read_ini(file, "C", "x") == read_ini(tmp_path / "none", "A", "x") == ""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "[P]\nk=v\n"),
        ("[A]\nx=1\n", "[A]\nx=1\n[P]\nk=v\n"),
        ("[A]\r\nx=1\r\n", "[A]\r\nx=1\r\n[P]\r\nk=v\r\n"),
        ("[P]\nother=1\n\n[A]\nk=2\n", "[P]\nk=v\nother=1\n\n[A]\nk=2\n"),
    ],
)
def test_set_ini_and_back(before: str, after: str) -> None:
    assert set_ini(before, "P", "k", "v") == after
    assert set_ini(after, "P", "k", None) == before


def test_set_ini_replaces() -> None:
    assert set_ini("[P]\nk=old\nx=1\n", "P", "k", "new") == "[P]\nk=new\nx=1\n"
    assert set_ini("[A]\nk=1\n", "P", "k", None) == "[A]\nk=1\n"
