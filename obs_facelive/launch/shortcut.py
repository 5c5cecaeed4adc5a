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
    words = ("obs", "launch", *arguments)
    if system == "win32":
        command = " ".join(f'"{word}"' for word in (str(program), *words)).replace("%", "%%")
        # The window stays only where there is something to be read in it.
        return f"@rem {_OURS}\r\n@chcp 65001 >nul\r\n@{command} || pause\r\n"
    if system == "darwin":
        return f"#!/bin/sh\n# {_OURS}\nexec {shlex.join([str(program), *words])}\n"
    command = " ".join(_desktop_quoted(word) for word in (str(program), *words, "--notify"))
    return (
        "[Desktop Entry]\nType=Application\nName=FaceLive\nComment=OBS with your persona and its virtual camera\n"
        f"Exec={command}\nIcon=com.obsproject.Studio\nTerminal=false\nCategories=AudioVideo;Video;\n# {_OURS}\n"
    )


def add_shortcut(file: Path, text: str) -> None:
    """Writes it. Raises `ShortcutError` where the file is somebody else's, and `OSError`."""
    if file.exists() and not _is_ours(file):
        raise ShortcutError(f"{file} is not FaceLive's; it was left as it is. Move it, then run this again.")
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_file(file, text.encode())
    file.chmod(0o755)


def remove_shortcut(file: Path) -> bool:
    """Takes it away; returns whether it was there. Somebody else's stays. Raises `OSError`."""
    if not _is_ours(file):
        return False
    file.unlink()
    return True


def _is_ours(file: Path) -> bool:
    try:
        return _OURS.encode() in file.read_bytes()
    except OSError:
        return False


def _desktop_quoted(word: str) -> str:
    """As the Desktop Entry Specification wants it: quoted, four characters escaped, and again as a string; ``%`` doubled."""
    escaped = "".join(f"\\{c}" if c in '"`$\\' else c for c in word)
    return f'"{escaped}"'.replace("\\", "\\\\").replace("%", "%%")
