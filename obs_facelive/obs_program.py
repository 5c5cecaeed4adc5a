"""OBS Studio, the program: where it is, which version, which Python it embeds, whether it runs. Standard library only.

Sources: ``shared/obs-scripting/obs-scripting-python-import.c`` (which Pythons it accepts), ``frontend/obs-main.cpp``.
"""

from __future__ import annotations

import os
import plistlib
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from obs_facelive.obs_home import Configuration

Version = tuple[int, int, int]

# The highest minor version of Python 3 that OBS for Windows and macOS accepts, by the OBS that first did.
_HIGHEST_PYTHON: list[tuple[Version, int]] = [((30, 1, 0), 12), ((29, 1, 0), 11), ((28, 0, 0), 10)]


@dataclass(frozen=True)
class Program:
    """An installed OBS.

    Attributes
    ----------
    path : its executable
    version : None where it could not be found out
    """

    path: Path
    version: Version | None

    @property
    def folder(self) -> Path:
        """The installation's folder: the program lies in its ``bin/64bit`` (Windows, portable) or ``bin``."""
        above = self.path.parent.parent
        return above.parent if self.path.parent.name == "64bit" else above


def find_programs(folder: Path | None = None) -> list[Program]:
    """The OBS in ``folder`` (a portable or unusual installation), else every one in the usual places."""
    places = {"win32": _windows_places, "darwin": _macos_places}.get(sys.platform, _linux_places)
    paths = dict.fromkeys(path for path in places(folder) if path.is_file())
    return [Program(path, program_version(path)) for path in paths]


def _windows_places(folder: Path | None) -> Iterator[Path]:
    folders = [folder] if folder else [*_windows_registered(), *_windows_usual()]
    for place in folders:
        yield place / "bin/64bit/obs64.exe"


def _windows_usual() -> Iterator[Path]:
    for variable in ("ProgramFiles", "ProgramFiles(x86)"):
        if base := os.environ.get(variable):
            yield Path(base) / "obs-studio"
            yield Path(base) / "Steam/steamapps/common/OBS Studio"


def _windows_registered() -> list[Path]:
    found: list[Path] = []
    if sys.platform == "win32":
        import winreg

        for view in (winreg.KEY_WOW64_64KEY, winreg.KEY_WOW64_32KEY):
            try:
                with winreg.OpenKey(
                    winreg.HKEY_LOCAL_MACHINE, r"SOFTWARE\OBS Studio", 0, winreg.KEY_READ | view
                ) as key:
                    found.append(Path(winreg.QueryValue(key, None)))
            except OSError:
                continue
    return found


def _macos_places(folder: Path | None) -> Iterator[Path]:
    folders = [folder] if folder else [Path("/Applications/OBS.app"), Path.home() / "Applications/OBS.app"]
    for place in folders:
        yield place / "Contents/MacOS/OBS"


def _linux_places(folder: Path | None) -> Iterator[Path]:
    if folder:
        yield folder / "bin/64bit/obs"
        yield folder / "bin/obs"
    elif found := shutil.which("obs"):
        yield Path(found).resolve()


def program_version(path: Path) -> Version | None:
    """The version of the OBS executable at ``path``; None where it does not say."""
    try:
        if sys.platform == "win32":
            # The version resource: the key in UTF-16, padding, the value in UTF-16.
            content = path.read_bytes()
            at = content.find("ProductVersion".encode("utf-16-le"))
            text = content[at : at + 80].decode("utf-16-le", "ignore") if at >= 0 else ""
        elif sys.platform == "darwin":
            with (path.parent.parent / "Info.plist").open("rb") as file:
                text = str(plistlib.load(file).get("CFBundleShortVersionString", ""))
        else:
            done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30)
            text = done.stdout
    except (OSError, ValueError, subprocess.SubprocessError, plistlib.InvalidFileException):
        return None
    numbers = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return (int(numbers[1]), int(numbers[2]), int(numbers[3] or 0)) if numbers else None


def highest_python(version: Version | None) -> int:
    """The highest minor version of Python 3 that this OBS accepts on Windows and macOS; 0 for an OBS before 28."""
    if version is None:
        return _HIGHEST_PYTHON[0][1]
    return next((minor for first, minor in _HIGHEST_PYTHON if version >= first), 0)


def loaded_python(folder: Path, highest: int, system: str = sys.platform) -> int | None:
    """The minor version that OBS loads when its Python path is ``folder`` (Windows, macOS): the highest it finds there."""
    for minor in range(highest, 5, -1):
        if system == "win32":
            names = [f"python3{minor}.dll"]
        else:
            versions = "Python.framework/Versions"
            names = [f"{versions}/{which}/lib/libpython3.{minor}.dylib" for which in (f"3.{minor}", "Current")]
        if any((folder / name).exists() for name in names):
            return minor
    return None


def embedded_python(program: Program) -> int | None:
    """The minor version of Python 3 that an OBS for Linux is linked to; None for one built without Python scripting."""
    lib = program.folder / "lib"
    libraries = [lib, program.folder / "lib64", *sorted(lib.glob("*-linux-gnu*"))]
    for folder in libraries:
        for file in [folder / "obs-scripting/_obspython.so", *sorted(folder.glob("libobs-scripting.so*"))]:
            for name in needed_libraries(file):
                if match := re.match(r"libpython3\.(\d+)", name):
                    return int(match[1])
    return None


def needed_libraries(file: Path) -> list[str]:
    """The shared libraries that an ELF file asks for (its ``DT_NEEDED``); empty for a file that is no ELF.

    Layout: System V ABI, "ELF header", "Program header", "Dynamic section".
    """
    try:
        data = file.read_bytes()
        if data[:4] != b"\x7fELF":
            return []
        wide, order = data[4] == 2, "<" if data[5] == 1 else ">"
        table, size, count = (
            (*struct.unpack_from(order + "Q", data, 32), *struct.unpack_from(order + "HH", data, 54))
            if wide
            else (*struct.unpack_from(order + "I", data, 28), *struct.unpack_from(order + "HH", data, 42))
        )
        segments = []  # type, offset, address, length
        for index in range(count):
            fields = struct.unpack_from(order + ("IIQQQQQQ" if wide else "IIIIIIII"), data, table + index * size)
            segments.append(
                (fields[0], *((fields[2], fields[3], fields[5]) if wide else (fields[1], fields[2], fields[4])))
            )
        dynamic = [
            entry
            for kind, offset, _, length in segments
            if kind == 2
            for entry in struct.iter_unpack(order + ("qQ" if wide else "iI"), data[offset : offset + length])
        ]
        address = next(value for tag, value in dynamic if tag == 5)
        strings = next(o + address - a for kind, o, a, n in segments if kind == 1 and a <= address < a + n)
        starts = [strings + value for tag, value in dynamic if tag == 1]
        return [data[start : data.index(b"\0", start)].decode() for start in starts]
    except (OSError, ValueError, IndexError, struct.error, StopIteration):
        return []


def running(configuration: Configuration) -> bool:
    """Whether an OBS runs that uses ``configuration``. Windows and macOS cannot tell which one it uses: any counts."""
    if sys.platform == "win32":
        listed = subprocess.run(
            ["tasklist", "/FO", "CSV", "/NH", "/FI", "IMAGENAME eq obs64.exe"], capture_output=True, text=True
        )
        return "obs64.exe" in listed.stdout.lower()
    if sys.platform == "darwin":
        listed = subprocess.run(["ps", "-axo", "comm="], capture_output=True, text=True)
        return any(line.endswith("/Contents/MacOS/OBS") for line in listed.stdout.splitlines())
    return any(_uses(process, configuration) for process in Path("/proc").glob("[0-9]*"))


def _uses(process: Path, configuration: Configuration) -> bool:
    """Whether ``process`` (its folder in ``/proc``) is an OBS with this configuration. Another user's is not."""
    try:
        if (process / "comm").read_text().strip() != "obs":
            return False
        if configuration.kind == "portable":
            return (process / "exe").resolve().is_relative_to(configuration.root.parent.parent.resolve())
        variables = dict(
            pair.partition("=")[::2] for pair in os.fsdecode((process / "environ").read_bytes()).split("\0")
        )
    except OSError:
        return False
    base = variables.get("XDG_CONFIG_HOME") or f"{variables.get('HOME', '')}/.config"
    return Path(base, "obs-studio").resolve() == configuration.root.resolve()
