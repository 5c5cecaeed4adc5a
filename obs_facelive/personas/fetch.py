"""The optional pack of 200 portraits that an image model drew: fetched, checked, and gone on with where it stopped."""

from __future__ import annotations

import hashlib
import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from obs_facelive import __version__
from obs_facelive.files import read_at_most
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
TRIES: Final = 5
TIMEOUT: Final = 30.0
_CHUNK: Final = 1 << 14


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
        if not _is_pinned(target, pin):
            target.parent.mkdir(parents=True, exist_ok=True)
            _fetch(f"{base}/{pin.path}", target, pin, pause)
        files[pin.path] = target
    progress(len(pins), len(pins), "done")
    return files


def _is_pinned(file: Path, pin: Pin) -> bool:
    try:
        return hashlib.sha256(read_at_most(file, MAX_PORTRAIT)).hexdigest() == pin.sha256
    except (OSError, ValueError):
        return False


def _fetch(url: str, target: Path, pin: Pin, pause: float) -> None:
    part = target.with_name(f"{target.name}.part")
    problem = ""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(pause * attempt)
        begun = part.exists()
        try:
            _download(url, part)
        except urllib.error.HTTPError as error:
            problem = f"the server says {error.code} {error.reason}"
            if error.code == 416:  # what is there already is longer than the file
                part.unlink(missing_ok=True)
            elif error.code in (403, 404, 410):
                break
            continue
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            problem = str(getattr(error, "reason", error)) or type(error).__name__
            continue
        if _is_pinned(part, pin):
            part.replace(target)
            return
        part.unlink(missing_ok=True)
        if not begun:
            raise FetchError(
                f"{url} is not the picture that was pinned by its SHA-256. It was refused and thrown away."
            )
        problem = "what was there of it did not fit"
    raise FetchError(
        f"{url} could not be fetched: {problem}. Is this computer online? Run the command again: it goes on where it stopped."
    )


def _download(url: str, part: Path) -> None:
    """Appends to ``part`` what is missing of the file at ``url``. Raises `urllib.error.URLError` and the like."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": f"facelive/{__version__}"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        goes_on = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        size = have if goes_on else 0
        expected = answer.headers.get("Content-Length")
        end = size + int(expected) if expected and expected.isdigit() else None
        with part.open("ab" if goes_on else "wb") as file:
            while chunk := answer.read(_CHUNK):
                size += len(chunk)
                if size > MAX_PORTRAIT:
                    break
                file.write(chunk)
    if size > MAX_PORTRAIT:
        part.unlink()
        raise FetchError(f"{url} is larger than any portrait of the pack. It was refused.")
    if end is not None and size < end:
        raise http.client.IncompleteRead(b"", end - size)
