"""Choosing the Python for the environment: its minor version must be the one that OBS embeds. Standard library only.

The script runs in OBS's interpreter and takes compiled packages (numpy, numba) from the environment, so both must be of
one minor version. On Linux OBS is linked to a Python; on Windows and macOS it loads the one in a folder that the person
chooses (Tools → Scripts → Python Settings), if it is not too new.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from obs_facelive.obs_program import Program, embedded_python, highest_python, loaded_python

OLDEST, NEWEST = 10, 13
"""The minor versions of Python 3 that every dependency has wheels for."""

_PROBE = """
import importlib.util, json, struct, sys, sysconfig
assert sys.implementation.name == 'cpython' and struct.calcsize('P') == 8 and sys.version_info[0] == 3
folder = sysconfig.get_config_var('PYTHONFRAMEWORKPREFIX') or sys.base_prefix
print(json.dumps([sys.version_info[1], folder, all(map(importlib.util.find_spec, ('ensurepip', 'venv')))]))
"""


class NoPythonError(Exception):
    """No Python fits; the text says which is wanted and what to do.

    Attributes
    ----------
    package : the Debian package that would help, or empty
    """

    def __init__(self, text: str, package: str = "") -> None:
        super().__init__(text)
        self.package = package


@dataclass(frozen=True)
class Interpreter:
    """A CPython of this computer.

    Attributes
    ----------
    command : starts it
    minor : of its version 3.minor
    folder : what OBS's Python path must be to load it (Windows, macOS)
    whole : it can make environments (Debian's cannot without a package of its own)
    """

    command: tuple[str, ...]
    minor: int
    folder: Path
    whole: bool


def wanted_minors(program: Program | None, python_path: str, system: str = sys.platform) -> tuple[list[int], str]:
    """The minor versions that fit, best first, and why, in words. ``python_path`` is set in OBS (Windows, macOS).

    Raises `NoPythonError` where no Python can do.
    """
    if system not in ("win32", "darwin"):
        if program is None:
            return list(range(NEWEST, OLDEST - 1, -1)), f"FaceLive needs Python 3.{OLDEST} to 3.{NEWEST}"
        embedded = embedded_python(program)
        if embedded is None:
            raise NoPythonError(
                f"{program.path} was built without Python scripting. Install another build of OBS Studio."
            )
        if not OLDEST <= embedded <= NEWEST:
            raise NoPythonError(f"OBS embeds Python 3.{embedded}; FaceLive needs one with 3.{OLDEST} to 3.{NEWEST}.")
        return [embedded], f"OBS embeds Python 3.{embedded}"
    highest = highest_python(program.version if program else None)
    if highest < OLDEST:
        raise NoPythonError("FaceLive needs OBS 28 or newer. Update OBS, then run this again.")
    if not python_path:
        return list(range(highest, OLDEST - 1, -1)), f"OBS takes Python 3.{OLDEST} to 3.{highest}"
    loaded = loaded_python(Path(python_path), highest, system)
    if loaded is None or loaded < OLDEST:
        raise NoPythonError(
            f"OBS is set to the Python in {python_path}, which has none that OBS and FaceLive take (3.{OLDEST} to "
            f"3.{highest}). Empty that field in OBS (Tools → Scripts → Python Settings), close OBS, and run this again."
        )
    return [loaded], f"OBS is set to the Python 3.{loaded} in {python_path}"


def interpreters(minors: Sequence[int]) -> Iterator[Interpreter]:
    """The Pythons of this computer that have one of the versions: this one first, then in the order of ``minors``."""
    commands: list[tuple[str, ...]] = [(sys.executable,)]
    for minor in minors:
        name = f"python3.{minor}"
        places = [Path(folder, name) for folder in ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")]
        places.append(Path(f"/Library/Frameworks/Python.framework/Versions/3.{minor}/bin/{name}"))
        commands += [("py", f"-3.{minor}")] if shutil.which("py") else []
        commands += [(str(path),) for path in (shutil.which(name), *places) if path and Path(path).exists()]
    for command in dict.fromkeys(commands):
        probe = subprocess.run([*command, "-c", _PROBE], capture_output=True, text=True)
        if probe.returncode == 0:
            minor, folder, whole = json.loads(probe.stdout)
            if minor in minors:
                yield Interpreter(command, minor, Path(folder), whole)


def choose_python(program: Program | None, python_path: str, system: str = sys.platform) -> Interpreter:
    """The Python for the environment. Raises `NoPythonError`."""
    minors, why = wanted_minors(program, python_path, system)
    found = list(interpreters(minors))
    if system in ("win32", "darwin") and not python_path:
        # Of several Pythons in one folder OBS loads the newest, whichever was meant; a store's it may not read.
        found = [python for python in found if loaded_python(python.folder, minors[0], system) == python.minor]
        found = [python for python in found if "WindowsApps" not in python.folder.parts]
    for python in found:
        if python.whole:
            return python
    minor = found[0].minor if found else minors[0]
    if system in ("win32", "darwin"):
        remedy = f"Install Python 3.{minor} from python.org, not from a store"
    else:
        remedy = f"Install Python 3.{minor} with its venv module"
    package = f"python3.{minor}-venv" if system == "linux" and shutil.which("apt-get") else ""
    missing = "it cannot make environments" if found else "it was not found here"
    raise NoPythonError(f"{why}, and {missing}. {remedy}, then run this again.", package)
