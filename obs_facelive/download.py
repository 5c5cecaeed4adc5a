"""Fetching files that are pinned by their SHA-256: checked, and gone on with where it stopped."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from obs_facelive import __version__
from obs_facelive.files import sha256_at_most

TRIES: Final = 5
TIMEOUT: Final = 30.0
_CHUNK: Final = 1 << 14

Tell: TypeAlias = Callable[[int, int], None]
"""Bytes that are there, bytes in all (0: not known)."""


class DownloadError(Exception):
    """A file could not be had, or is not the one that was pinned; the text says what to do."""


def fetch_pinned(
    url: str,
    target: Path,
    sha256: str,
    limit: int,
    what: str,
    tell: Tell = lambda *_: None,
    pause: float = 1.0,
) -> None:
    """Puts the file at ``url`` to ``target``; one that is there and is the right one is left alone.

    What was broken off stays as ``….part`` and is gone on with, in this run or another.

    Parameters
    ----------
    sha256 : of the right file, in hex
    limit : bytes that it has at the most
    what : what it is, in one word, for messages
    pause : seconds before a second try; twice as long before a third, and so on

    Raises `DownloadError` where it cannot be had, and `OSError` where its folder cannot be written.
    """
    if _is_pinned(target, sha256, limit):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    problem = ""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(pause * attempt)
        begun = part.exists()
        try:
            _download(url, part, limit, what, tell)
        except urllib.error.HTTPError as error:
            problem = f"the server says {error.code} {error.reason}"
            if error.code == 416 and _is_pinned(part, sha256, limit):  # it was broken off after its last byte
                part.replace(target)
                return
            if error.code == 416:  # what is there already is longer than the file
                part.unlink(missing_ok=True)
            elif error.code in (401, 403, 404, 410):
                break
            continue
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            problem = str(getattr(error, "reason", error)) or type(error).__name__
            continue
        if _is_pinned(part, sha256, limit):
            part.replace(target)
            return
        part.unlink(missing_ok=True)
        if not begun:
            raise DownloadError(
                f"{url} is not the {what} that was pinned by its SHA-256. It was refused and thrown away."
            )
        problem = "what was there of it did not fit"
    raise DownloadError(
        f"{url} could not be fetched: {problem}. Is this computer online? Run the command again: it goes on where it stopped."
    )


def _is_pinned(file: Path, sha256: str, limit: int) -> bool:
    try:
        return sha256_at_most(file, limit) == sha256
    except (OSError, ValueError):
        return False


def _download(url: str, part: Path, limit: int, what: str, tell: Tell) -> None:
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
                if size > limit:
                    break
                file.write(chunk)
                tell(size, end or 0)
    if size > limit:
        part.unlink()
        raise DownloadError(f"{url} is larger than any {what} that belongs there. It was refused.")
    if end is not None and size < end:
        raise http.client.IncompleteRead(b"", end - size)
