"""The optional pack of 200 portraits that an image model drew: fetched, checked, and gone on with where it stopped."""

from __future__ import annotations

import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from obs_facelive.download import DownloadError, fetch_pinned
from obs_facelive.personas.add import Progress
from obs_facelive.personas.errors import PersonaError
from obs_facelive.personas.pack import PackInfo

COMMIT: Final = "63aef57b5a839aebe3ad913ec7c76469aabbb6c5"
BASE: Final = f"https://cdn.jsdelivr.net/gh/faker-js/assets-person-portrait@{COMMIT}"
PACK: Final = PackInfo(
    name="Portrait",
    licence="CC0-1.0",
    source="faker-js/assets-person-portrait on GitHub: drawn by Stable Diffusion 3, these people do not exist",
    synthetic=True,
)
PINS: Final = Path(__file__).with_name("portraits.sha256")
MAX_PORTRAIT: Final = 1 << 20
"""Bytes; the largest has less than half of that."""


class FetchError(PersonaError):
    """A portrait could not be had, or is not the one that was pinned; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One portrait.

    Attributes
    ----------
    path : under the base address, and in the folder
    sha256 : of its content, in hex
    """

    path: str
    sha256: str


def read_pins(file: Path = PINS) -> list[Pin]:
    """The portraits that there are, women and men in turn."""
    lines = (line.split("  ") for line in file.read_text("ascii").splitlines() if not line.startswith("#"))
    return [Pin(path, sha256) for sha256, path in lines]


def fetch_portraits(
    folder: Path, pins: list[Pin], progress: Progress = lambda *_: None, base: str = BASE, pause: float = 1.0
) -> dict[str, Path]:
    """The portraits of ``pins`` in ``folder``, by their paths; only what is missing is fetched.

    What was broken off stays as ``….part`` and is gone on with, in this run or another.

    Parameters
    ----------
    pause : seconds before a second try; twice as long before a third, and so on

    Raises `FetchError` where one cannot be had, and `OSError` where ``folder`` cannot be written.
    """
    if urllib.parse.urlsplit(base).scheme not in ("http", "https"):
        raise FetchError(f"{base!r} is no address of the web (https://…).")
    files: dict[str, Path] = {}
    for number, pin in enumerate(pins):
        progress(number, len(pins), pin.path)
        target = folder / pin.path
        try:
            fetch_pinned(f"{base}/{pin.path}", target, pin.sha256, MAX_PORTRAIT, "picture", pause=pause)
        except DownloadError as error:
            raise FetchError(str(error)) from error
        files[pin.path] = target
    progress(len(pins), len(pins), "done")
    return files
