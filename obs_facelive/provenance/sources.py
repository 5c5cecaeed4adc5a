"""What can be verified: an image, a video, or a stream of this machine, as pictures."""

from __future__ import annotations

import http.client
import ipaddress
import math
from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import urlsplit
from urllib.request import url2pathname

from obs_facelive import video
from obs_facelive.frame import Frame
from obs_facelive.image import IMAGES, ImageError, read_image

_PATIENCE = 10.0
"""Seconds that a server may be silent."""


class SourceError(Exception):
    """There is nothing to look at; the text says why, for people."""


def pictures(source: str, seconds: float) -> Iterator[Frame]:
    """The pictures of ``source``, in order of time: a path, or a file:, http: or rtmp: address of this machine.

    A stream is looked at for ``seconds``. Raises `SourceError`: at once for what is refused, else with the first picture.
    """
    address = urlsplit(source)
    if address.scheme in ("http", "rtmp"):
        if not _here(address.hostname or ""):
            raise SourceError(
                f"{address.hostname or source} is another machine: only addresses of this one are looked at (localhost, "
                "127.0.0.1). Save the video, and name the file."
            )
        return _first(
            _served(source, address.hostname or "", seconds) if address.scheme == "http" else _stream(source, seconds)
        )
    if address.scheme == "file":
        if address.netloc not in ("", "localhost"):
            raise SourceError(f"{source} is on another machine")
        return _first(_file(Path(url2pathname(address.path))))
    if "://" in source:
        raise SourceError(
            f"{address.scheme}: is not looked at; name a file, or a file:, http: or rtmp: address of this machine"
        )
    return _first(_file(Path(source)))


def _here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _first(frames: Iterator[Frame]) -> Iterator[Frame]:
    """``frames``, once it is known that there are any."""
    try:
        first = next(frames, None)
    except (ImageError, video.VideoError) as error:
        raise SourceError(str(error)) from error
    except OSError as error:
        raise SourceError(f"it cannot be read: {error.strerror or error}") from error
    if first is None:
        raise SourceError("there are no pictures in it")
    return chain([first], _rest(frames))


def _rest(frames: Iterator[Frame]) -> Iterator[Frame]:
    """What can be read: a recording that was cut off is marked as far as it goes."""
    try:
        yield from frames
    except (video.VideoError, OSError):
        return


def _file(path: Path) -> Iterator[Frame]:
    if not path.exists():
        raise SourceError(f"{path} does not exist")
    if path.is_dir():
        raise SourceError(f"{path} is a folder; name a file")
    if path.suffix.lower() in IMAGES:
        yield Frame(read_image(path), 0, 0.0)
    else:
        yield from video.read_frames(path)


def _served(url: str, host: str, seconds: float) -> Iterator[Frame]:
    """What a web server of this machine sends. Not FFmpeg's own client: it would go wherever the server points it to."""
    address = urlsplit(url)
    with closing(http.client.HTTPConnection(host, address.port or 80, timeout=_PATIENCE)) as connection:
        try:
            connection.request("GET", (address.path or "/") + (f"?{address.query}" if address.query else ""))
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise SourceError(f"{url} does not answer: {error}") from error
        if answer.status != 200:
            raise SourceError(f"{url} answers {answer.status} {answer.reason}")
        yield from _until(video.read_stream(cast(BinaryIO, answer), url), seconds)


def _stream(url: str, seconds: float) -> Iterator[Frame]:
    yield from _until(video.read_stream(url, url), seconds)


def _until(frames: Iterator[Frame], seconds: float) -> Iterator[Frame]:
    end = math.inf
    for frame in frames:
        end = min(end, frame.time + seconds)
        if frame.time > end:
            return
        yield frame
