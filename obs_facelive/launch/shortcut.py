"""An icon that opens OBS with FaceLive: made, and taken away again. Standard library only: `install.py uninstall` uses it."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from obs_facelive.files import replace_file

_OURS = "Made by FaceLive"
"""In each of them: a file without it is somebody else's."""


class ShortcutError(Exception):
    """A file of somebody else's is in the way; the text names it."""


def shortcut_file(
    system: str = sys.platform, home: Path | None = None, environ: Mapping[str, str] = os.environ
) -> Path:
    """Where the desktop looks for it: the menu of applications (Linux, Windows), ``~/Applications`` (macOS)."""
    home = home or Path.home()
    if system == "win32":
        base = Path(environ.get("APPDATA") or home / "AppData/Roaming")
        return base / "Microsoft/Windows/Start Menu/Programs/FaceLive.cmd"
    if system == "darwin":
        return home / "Applications/FaceLive.command"
    return Path(environ.get("XDG_DATA_HOME") or home / ".local/share") / "applications/facelive.desktop"


def shortcut_text(program: Path, arguments: Sequence[str] = (), system: str = sys.platform) -> str:
    """Its content: it runs ``facelive obs launch`` (``program`` is ``facelive``) with ``arguments``."""
    words = ["obs", "launch", *arguments]
    if system == "win32":
        # The window stays only where there is something to be read in it.
        return f"@rem {_OURS}\r\n@chcp 65001 >nul\r\n@{_command([str(program), *words], system)} || pause\r\n"
    if system == "darwin":
        return f"#!/bin/sh\n# {_OURS}\nexec {_command([str(program), *words], system)}\n"
    command = _command([str(program), *words, "--notify"], system)
    return (
        "[Desktop Entry]\nType=Application\nName=FaceLive\nComment=OBS with your persona and its virtual camera\n"
        f"Exec={command}\nIcon=com.obsproject.Studio\nTerminal=false\nCategories=AudioVideo;Video;\n# {_OURS}\n"
    )


def _command(words: Sequence[str], system: str) -> str:
    """``words`` as a command line, quoted as each system's kind of file wants it."""
    if system == "win32":
        return " ".join(f'"{word}"' for word in words).replace("%", "%%")
    if system == "darwin":
        return shlex.join(words)
    # Desktop Entry Specification, "The Exec key": quoted, four characters escaped, and again as a string; % doubled.
    quoted = ("".join(f"\\{c}" if c in '"`$\\' else c for c in word) for word in words)
    return " ".join(f'"{word}"' for word in quoted).replace("\\", "\\\\").replace("%", "%%")


def add_shortcut(file: Path, text: str) -> None:
    """Writes it. Raises `ShortcutError` where the file is somebody else's, and `OSError`."""
    if file.exists() and not _is_ours(file):
        raise ShortcutError(f"{file} is not FaceLive's; it was left as it is. Move it, then run this again.")
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_file(file, text.encode())
    file.chmod(0o755)


def remove_shortcut(file: Path, program: Path, system: str = sys.platform) -> bool:
    """Takes away the one that runs ``program``; returns whether it was there. Any other stays. Raises `OSError`."""
    if not _is_ours(file) or _command([str(program)], system).encode() not in file.read_bytes():
        return False
    file.unlink()
    return True


def _is_ours(file: Path) -> bool:
    try:
        return _OURS.encode() in file.read_bytes()
    except OSError:
        return False
