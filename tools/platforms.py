"""What can be known of Windows and macOS without having them: ``python -m tools.platforms`` prints it as a table.

Two things: every function of libobs that we call is exported by the libraries that OBS's makers built for those systems
(as packed into pylibobs's wheels), and our dependencies resolve to ready-made wheels for each system and Python.
Nothing of ours is run there by this.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import lief
import msgspec
from rich.console import Console
from rich.table import Table

from obs_facelive.obs.abi import FUNCTIONS

LIBOBS = "32.2.2"
MACOS = "14.0"
"""The oldest macOS that dependencies are looked for."""
PYTHONS = ("3.10", "3.11", "3.12")
PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"


@dataclass(frozen=True)
class Library:
    """libobs as built for one system.

    Attributes
    ----------
    wheel_platform : the platform tag for pip
    member : the library's path in pylibobs's wheel
    prefix : what the system's linker puts before a C name
    """

    wheel_platform: str
    member: str
    prefix: str = ""


@dataclass(frozen=True)
class Target:
    """A system that people have.

    Attributes
    ----------
    platform : as uv calls it; stands for its wheel tags and its environment markers
    runtime : the extra that install.py chooses there
    """

    platform: str
    runtime: str


LIBRARIES = {
    "Windows": Library("win_amd64", "pylibobs/_libs/windows/x86_64/obs.dll"),
    "macOS": Library(
        "macosx_14_0_arm64", "pylibobs/_libs/macos/arm64/Frameworks/libobs.framework/Versions/A/libobs", prefix="_"
    ),
}
TARGETS = {
    "Windows": Target("x86_64-pc-windows-msvc", "directml"),
    "macOS, Apple silicon": Target("aarch64-apple-darwin", "cpu"),
    "macOS, Intel": Target("x86_64-apple-darwin", "cpu"),
    "Linux": Target("x86_64-manylinux_2_28", "cpu"),
    "Linux, NVIDIA": Target("x86_64-manylinux_2_28", "cuda"),
}


class ResolutionError(Exception):
    """The dependencies do not come together for a system; the text is the resolver's."""


def exported(library: Library, wheels: Path) -> frozenset[str]:
    """The C names that libobs exports there. The wheel is downloaded into ``wheels`` (again: out of pip's cache)."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--platform", library.wheel_platform, "--dest", str(wheels), f"pylibobs=={LIBOBS}"]
    subprocess.run(command, check=True)
    wheel = next(wheels.glob(f"pylibobs-{LIBOBS}-*{library.wheel_platform.rpartition('_')[2]}.whl"))
    with zipfile.ZipFile(wheel) as archive:
        binary = lief.parse(archive.read(library.member))
    if binary is None or isinstance(binary, lief.COFF.Binary):
        raise ValueError(f"{library.member} of {wheel.name} is not a shared library")
    return frozenset(str(function.name).removeprefix(library.prefix) for function in binary.exported_functions)


def unbound(names: Iterable[str]) -> list[str]:
    """The functions that we call and that are not among ``names``."""
    return sorted(FUNCTIONS.keys() - set(names))


def requirements(runtime: str) -> list[str]:
    """What install.py installs where it chooses ``runtime``, insightface without the ONNX Runtime that it asks for."""
    project = msgspec.toml.decode(PROJECT.read_bytes())["project"]
    extras = project["optional-dependencies"]
    return [
        *project["dependencies"],
        *(line for name in (runtime, "build", "demo", "insightface") for line in extras[name]),
    ]


def resolve(target: Target, python: str) -> dict[str, str]:
    """Package → version, all as wheels, for ``target`` and ``python``. Raises `ResolutionError` where there is no way.

    uv resolves, not pip: pip looks for wheels of another system, but reads environment markers (``sys_platform == …``) as
    this one.
    """
    with tempfile.TemporaryDirectory() as folder:
        wanted, overrides = Path(folder, "requirements.in"), Path(folder, "overrides.txt")
        wanted.write_text("\n".join(requirements(target.runtime)))
        # An override that never applies takes a package out.
        overrides.write_text("" if target.runtime == "cpu" else "onnxruntime ; python_version < '3'")
        uv = "-m uv pip compile --quiet --no-header --no-annotate --only-binary :all: --prerelease disallow"
        command = [sys.executable, *uv.split(), "--python", sys.executable, "--python-platform", target.platform]
        command += ["--python-version", python, "--overrides", str(overrides), str(wanted)]
        if index := os.environ.get("PIP_INDEX_URL"):
            command += ["--default-index", index]
        environ = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": MACOS}
        done = subprocess.run(command, env=environ, capture_output=True, text=True)
    if done.returncode:
        raise ResolutionError(done.stderr.strip())
    return dict(re.findall(r"^([\w.-]+)==(\S+)", done.stdout, re.MULTILINE))


def main() -> int:
    """The command line. Returns the exit status: 0 if nothing is missing."""
    console, bad = Console(), 0
    table = Table("system", "Python", "result", title=f"libobs {LIBOBS}, and dependencies as wheels")
    with tempfile.TemporaryDirectory() as wheels:
        for name, library in LIBRARIES.items():
            missing = unbound(exported(library, Path(wheels)))
            bad += len(missing)
            table.add_row(
                name, "", f"lacks {', '.join(missing)}" if missing else f"exports all {len(FUNCTIONS)} functions"
            )
    for name, target in TARGETS.items():
        for python in PYTHONS:
            try:
                found = resolve(target, python)
                shown = [f"{p} {v}" for p, v in found.items() if re.match("onnxruntime|numpy$|numba|opencv|av$", p)]
                table.add_row(name, python, f"{len(found)} wheels; {', '.join(shown)}")
            except ResolutionError as error:
                bad += 1
                table.add_row(name, python, f"[red]{error}[/red]")
    console.print(table)
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main())
