"""What the operating system says when it is asked. Standard library only."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


def said(*command: str) -> str:
    """What a program of the system answers; nothing where there is none, it fails, or takes longer than half a minute."""
    # These are on no ordinary person's PATH.
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    program = shutil.which(command[0], path=path)
    if program is None:
        return ""
    try:
        done = subprocess.run(
            [program, *command[1:]], capture_output=True, encoding="utf-8", errors="replace", timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def text_of(file: Path) -> str:
    """What a file of the system's says, without the blanks around it; nothing where it cannot be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
