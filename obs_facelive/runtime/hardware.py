"""What decides how fast a network runs on this computer, as words that change when it does: processor, cards, drivers."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_MOST: Final = 1 << 16
"""Characters of a file of the system's that are looked at."""


def hardware(root: Path = Path("/")) -> str:
    """One line for each of the processor, the graphics cards and their drivers. Never raises; what cannot be known is missing.

    ``root`` is where Linux's files are.
    """
    found = [f"{platform.system()} {platform.release()} {platform.machine()}, {os.cpu_count()} cores"]
    if sys.platform == "win32":
        found += _windows()
    elif sys.platform == "darwin":
        found += [f"macOS {platform.mac_ver()[0]}"]  # drivers come with the system
    else:
        found += _linux(root)
    return "\n".join(found)


def _linux(root: Path) -> Iterator[str]:
    if model := re.search(r"^model name\s*:\s*(.+)$", _text(root / "proc/cpuinfo"), re.MULTILINE):
        yield model[1]
    if driver := _text(root / "proc/driver/nvidia/version"):
        yield driver.splitlines()[0]
    for card in sorted(root.glob("proc/driver/nvidia/gpus/*/information")):
        yield " ".join(re.findall(r"^(?:Model|GPU UUID|Bus Location):\s*(.+)$", _text(card), re.MULTILINE))
    for card in sorted(root.glob("sys/class/drm/card*/device")):
        yield f"{card.parent.name} {_text(card / 'vendor').strip()}:{_text(card / 'device').strip()}"


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_MOST)
    except OSError:
        return ""


def _windows() -> Iterator[str]:
    """Names and drivers' versions of the display adapters, as the device manager has them."""
    if sys.platform != "win32":
        return
    import winreg

    adapters = r"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"
    for number in range(16):
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, rf"{adapters}\{number:04}") as key:
                yield " ".join(str(winreg.QueryValueEx(key, name)[0]) for name in ("DriverDesc", "DriverVersion"))
        except OSError:
            continue
