"""Finding OBS, its version and its Python: against the real OBS here, and made-up installations."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lief
import pytest

from obs_facelive.obs_home import Configuration
from obs_facelive.obs_program import (
    Program,
    embedded_python,
    find_programs,
    highest_python,
    loaded_python,
    needed_libraries,
    running,
)
from tools.waiting import wait_for

linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux only")


@pytest.fixture(scope="module")
def program() -> Program:
    """The OBS of this computer."""
    if not (found := find_programs()):
        pytest.skip("OBS Studio is not installed")
    return found[0]


@linux
def test_the_real_obs(program: Program) -> None:
    said = subprocess.run([program.path, "--version"], capture_output=True, text=True).stdout
    assert program.version is not None
    assert ".".join(map(str, program.version)) in said
    minor = embedded_python(program)
    mapped = subprocess.run(["ldd", shutil.which("obs") or ""], capture_output=True, text=True).stdout
    scripting = [line.split()[2] for line in mapped.splitlines() if "libobs-scripting" in line] or [
        str(path) for path in program.folder.glob("lib/*/libobs-scripting.so*")
    ]
    linked = subprocess.run(["ldd", scripting[0]], capture_output=True, text=True).stdout
    assert f"libpython3.{minor}.so" in linked


@linux
def test_needed_libraries_as_lief_reads_them(program: Program) -> None:
    for file in [
        program.path,
        *program.folder.glob("lib/*/libobs*.so*"),
        *program.folder.glob("lib/*/obs-scripting/*.so"),
    ]:
        binary = lief.ELF.parse(str(file))
        assert binary is not None
        assert needed_libraries(file) == list(binary.libraries), file


@linux
def test_needed_libraries_of_what_is_no_library(tmp_path: Path, program: Program) -> None:
    assert needed_libraries(tmp_path / "none") == []
    whole = program.path.read_bytes()
    for number, content in enumerate((b"", b"\x7fELF", b"#!/bin/sh\n", whole[:100], whole[: len(whole) // 20])):
        file = tmp_path / str(number)
        file.write_bytes(content)
        assert needed_libraries(file) == []


@linux
def test_a_portable_obs_in_a_given_folder(tmp_path: Path, program: Program) -> None:
    assert find_programs(tmp_path) == []
    (tmp_path / "bin/64bit").mkdir(parents=True)
    (tmp_path / "bin/64bit/obs").symlink_to(program.path)
    (found,) = find_programs(tmp_path)
    assert found.version == program.version
    assert found.folder == tmp_path
    assert embedded_python(found) is None
    (tmp_path / "lib/obs-scripting").mkdir(parents=True)
    (real,) = program.folder.glob("lib/*/obs-scripting/_obspython.so")
    shutil.copy(real, tmp_path / "lib/obs-scripting/_obspython.so")
    assert embedded_python(found) == embedded_python(program)


@pytest.mark.parametrize(
    ("version", "highest"),
    [
        ((27, 2, 4), 0),
        ((28, 0, 0), 10),
        ((29, 0, 2), 10),
        ((29, 1, 0), 11),
        ((30, 0, 2), 11),
        ((30, 1, 0), 12),
        ((32, 2, 2), 12),
        (None, 12),
    ],
)
def test_highest_python(version: tuple[int, int, int] | None, highest: int) -> None:
    assert highest_python(version) == highest


@pytest.mark.parametrize(
    ("system", "files", "loaded"),
    [
        ("win32", ["python310.dll", "python312.dll", "python3.dll"], 12),
        ("win32", ["python313.dll", "python311.dll"], 11),
        ("win32", ["python3.dll"], None),
        ("darwin", ["Python.framework/Versions/3.11/lib/libpython3.11.dylib"], 11),
        ("darwin", ["Python.framework/Versions/Current/lib/libpython3.10.dylib"], 10),
        ("darwin", ["Python.framework/Versions/3.13/lib/libpython3.13.dylib"], None),
    ],
)
def test_loaded_python(tmp_path: Path, system: str, files: list[str], loaded: int | None) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    assert loaded_python(tmp_path, 12, system) == loaded


@contextmanager
def process_named_obs(folder: Path, environ: dict[str, str]) -> Iterator[None]:
    """A process that the system lists as ``obs``, until the context ends."""
    program = folder / "obs"
    program.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(shutil.which("sleep") or "", program)
    process = subprocess.Popen([program, "600"], env={**os.environ, **environ})
    try:
        # The kernel fills these in a moment after the program is started.
        wait_for("its environment", Path(f"/proc/{process.pid}/environ").read_bytes, 10)
        yield
    finally:
        process.kill()
        process.wait()


@linux
def test_running_is_told_by_configuration(tmp_path: Path) -> None:
    mine, other = Configuration(tmp_path / "a/obs-studio"), Configuration(tmp_path / "b/obs-studio")
    at_home = Configuration(tmp_path / "home/.config/obs-studio")
    with process_named_obs(tmp_path, {"XDG_CONFIG_HOME": str(tmp_path / "a")}):
        assert [running(c) for c in (mine, other, at_home)] == [True, False, False]
    with process_named_obs(tmp_path, {"XDG_CONFIG_HOME": "", "HOME": str(tmp_path / "home")}):
        assert [running(c) for c in (mine, other, at_home)] == [False, False, True]
    assert not running(at_home)


@linux
def test_running_portable(tmp_path: Path) -> None:
    portable = Configuration(tmp_path / "stick/config/obs-studio", "portable")
    with process_named_obs(tmp_path / "elsewhere/bin/64bit", {}):
        assert not running(portable)
    with process_named_obs(tmp_path / "stick/bin/64bit", {}):
        assert running(portable)
