"""The icon that opens OBS with FaceLive, on three systems."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from obs_facelive.launch.shortcut import ShortcutError, add_shortcut, remove_shortcut, shortcut_file, shortcut_text

PROGRAM = Path("/home/Ann O'Hara $5 100%/env/bin/facelive")
SYSTEMS = ("linux", "win32", "darwin")


@pytest.mark.parametrize("system", SYSTEMS)
def test_made_and_taken_away(tmp_path: Path, system: str) -> None:
    file = shortcut_file(system, tmp_path, {})
    add_shortcut(file, shortcut_text(PROGRAM, ["--minimize-to-tray"], system))
    add_shortcut(file, shortcut_text(PROGRAM, [], system))
    assert "launch" in file.read_text() and "tray" not in file.read_text()
    assert file.stat().st_mode & 0o111
    assert not remove_shortcut(file, PROGRAM.with_name("another"), system) and file.exists()
    assert remove_shortcut(file, PROGRAM, system)
    assert not file.exists() and not remove_shortcut(file, PROGRAM, system)


def test_somebody_elses_stays(tmp_path: Path) -> None:
    file = tmp_path / "facelive.desktop"
    file.write_text("mine")
    with pytest.raises(ShortcutError, match="left as it is"):
        add_shortcut(file, shortcut_text(PROGRAM))
    assert not remove_shortcut(file, PROGRAM) and file.read_text() == "mine"


def test_places(tmp_path: Path) -> None:
    assert shortcut_file("linux", tmp_path, {"XDG_DATA_HOME": "/d"}) == Path("/d/applications/facelive.desktop")
    assert shortcut_file("win32", tmp_path, {"APPDATA": "/a"}).parent.name == "Programs"
    assert shortcut_file("darwin", tmp_path, {}).suffix == ".command"


def test_the_desktop_entry_runs_the_program() -> None:
    """Quoting, undone as the Desktop Entry Specification says: escapes of a string, then those of an argument, then ``%%``."""
    lines = shortcut_text(PROGRAM, ["--minimize-to-tray"], "linux").splitlines()
    assert lines[0] == "[Desktop Entry]"
    entry = dict(line.partition("=")[::2] for line in lines[1:])
    words = re.findall(r'"((?:\\.|[^"])*)"', entry["Exec"].replace("\\\\", "\\"))
    assert [re.sub(r"\\(.)", r"\1", word).replace("%%", "%") for word in words] == [
        str(PROGRAM),
        "obs",
        "launch",
        "--minimize-to-tray",
        "--notify",
    ]
    assert entry["Type"] == "Application" and entry["Terminal"] == "false" and entry["Name"]


@pytest.mark.skipif(shutil.which("desktop-file-validate") is None, reason="desktop-file-utils is not installed")
def test_the_desktop_entry_is_valid(tmp_path: Path) -> None:
    file = tmp_path / "facelive.desktop"
    add_shortcut(file, shortcut_text(PROGRAM, system="linux"))
    done = subprocess.run(["desktop-file-validate", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_launcher_of_macos_runs_the_program(tmp_path: Path) -> None:
    program = tmp_path / "a 'b' $c" / "facelive"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    file = tmp_path / "FaceLive.command"
    add_shortcut(file, shortcut_text(program, ["--minimize-to-tray"], "darwin"))
    assert subprocess.run([file], capture_output=True, text=True).stdout == "obs launch --minimize-to-tray\n"


def test_the_shortcut_of_windows() -> None:
    text = shortcut_text(Path("C:/A 100%/facelive.exe"), [], "win32")
    assert f'@"{Path("C:/A 100%%/facelive.exe")}" "obs" "launch" || pause\r\n' in text
