"""Where OBS Studio keeps its things: configuration folders, ini files, scene collections. Standard library only.

Sources: ``frontend/OBSApp.cpp`` (``GetAppConfigPath``, ``InitGlobalConfig``), ``libobs/util/config-file.c``, OBS 28 to 32.2.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["user", "portable", "flatpak", "snap"]

_OBSTACLES: dict[Kind, str] = {
    "user": "",
    "portable": "",
    "flatpak": "OBS from Flatpak is shut off from this computer's Python, so FaceLive cannot work in it. "
    "Install OBS from your distribution (on Ubuntu: the obsproject/obs-studio PPA) and run this again.",
    "snap": "OBS from Snap is shut off from this computer's Python, so FaceLive cannot work in it. "
    "Install OBS from your distribution (on Ubuntu: the obsproject/obs-studio PPA) and run this again.",
}


@dataclass(frozen=True)
class Configuration:
    """One configuration of OBS.

    Attributes
    ----------
    root : OBS's folder ``obs-studio``, the one that holds ``global.ini``
    kind : what sort of OBS it belongs to
    """

    root: Path
    kind: Kind = "user"

    @property
    def obstacle(self) -> str:
        """Why FaceLive cannot work with this OBS and what to do; empty where it can."""
        return _OBSTACLES[self.kind]

    @property
    def ini(self) -> Path:
        """The file with the person's settings: ``user.ini`` since OBS 31, ``global.ini`` before.

        An OBS 31 that starts over an older configuration copies ``global.ini`` first, so what we write there arrives.
        """
        user = self._location("Configuration") / "user.ini"
        return user if user.is_file() else self.root / "global.ini"

    @property
    def scenes(self) -> Path:
        """The folder of scene collections."""
        return self._location("SceneCollections") / "basic" / "scenes"

    @property
    def collections(self) -> list[Path]:
        """The scene collections' files, sorted."""
        return sorted(p for p in self.scenes.glob("*.json") if p.is_file()) if self.scenes.is_dir() else []

    @property
    def profile(self) -> Path:
        """The folder of the profile that the person used last."""
        folder = self._location("Profiles") / "basic" / "profiles"
        return folder / (read_ini(self.ini, "Basic", "ProfileDir") or "Untitled")

    @property
    def python_path(self) -> str:
        """The folder of the Python that OBS loads on Windows and macOS; empty where the person has chosen none."""
        return read_ini(self.ini, "Python", "Path64bit")

    @property
    def last_version(self) -> tuple[int, int, int] | None:
        """The OBS that last ran with this configuration."""
        text = read_ini(self.root / "global.ini", "General", "LastVersion")
        if not text.isascii() or not text.isdecimal() or not 0 < int(text) < 1 << 32:
            return None
        number = int(text)
        return number >> 24, number >> 16 & 0xFF, number & 0xFFFF

    def _location(self, key: str) -> Path:
        """``[Locations]`` of OBS 31 and later moves parts of the configuration; a folder that is gone counts as unset."""
        if self.kind != "portable" and (moved := read_ini(self.root / "global.ini", "Locations", key)):
            folder = Path(moved)
            if folder.is_dir():
                return folder / "obs-studio"
        return self.root


def usual_root(system: str = sys.platform, home: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """Where an OBS that is neither portable nor in a sandbox keeps its configuration, whether there is one or not."""
    home = home or Path.home()
    if system == "win32":
        return Path(environ.get("APPDATA") or home / "AppData/Roaming") / "obs-studio"
    if system == "darwin":
        return home / "Library/Application Support/obs-studio"
    return Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "obs-studio"


def find_configurations(
    installs: Iterable[Path] = (),
    system: str = sys.platform,
    home: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> list[Configuration]:
    """Every configuration of OBS that there is.

    ``installs`` are the folders of OBS installations, looked at for a configuration inside (portable mode, by a marker
    file or by ``--portable``). ``system`` is named as in `sys.platform`. A folder counts when it has a ``global.ini``,
    a ``user.ini`` or a folder ``basic``.
    """
    home = home or Path.home()
    found = [Configuration(usual_root(system, home, environ))]
    if system not in ("win32", "darwin"):
        found.append(Configuration(home / ".var/app/com.obsproject.Studio/config/obs-studio", "flatpak"))
        found.append(Configuration(home / "snap/obs-studio/current/.config/obs-studio", "snap"))
    if system != "darwin":
        found += [Configuration(folder / "config/obs-studio", "portable") for folder in installs]
    unique = {configuration.root: configuration for configuration in found if _is_configuration(configuration.root)}
    return list(unique.values())


def _is_configuration(root: Path) -> bool:
    return (root / "global.ini").is_file() or (root / "user.ini").is_file() or (root / "basic").is_dir()


def read_ini(file: Path, section: str, key: str) -> str:
    """A value of one of OBS's ini files, with its escapes resolved; empty where file, section or key are missing."""
    try:
        lines = file.read_bytes().decode("utf-8-sig", "replace").splitlines()
    except OSError:
        return ""
    here = ""
    for line in lines:
        if line.startswith("["):
            here = line[1:].partition("]")[0]
        elif here == section and line.partition("=")[0] == key:
            value = line.partition("=")[2].replace("\\\\", "\0").replace("\\r", "\r").replace("\\n", "\n")
            return value.replace("\0", "\\")
    return ""


def set_ini(text: str, section: str, key: str, value: str | None) -> str:
    """``text`` of an ini file with the key set, or taken out for None; every other line stays as it is.

    ``value`` must need no escapes: no backslash, no line break. A section that would be left empty goes, too.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.split(newline)
    start = next((i for i, line in enumerate(lines) if line.startswith(f"[{section}]")), None)
    if start is None:
        if value is None:
            return text
        gap = newline if text and not text.endswith(newline) else ""
        return f"{text}{gap}[{section}]{newline}{key}={value}{newline}"
    end = next((i for i in range(start + 1, len(lines)) if lines[i].startswith("[")), len(lines))
    body = [line for line in lines[start + 1 : end] if line.partition("=")[0] != key]
    if value is not None:
        body.insert(0, f"{key}={value}")
    keep = [lines[start], *body] if any(body) else body
    return newline.join([*lines[:start], *keep, *lines[end:]])
