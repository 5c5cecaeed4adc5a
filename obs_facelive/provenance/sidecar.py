"""A note beside a finished file, ``<file>.facelive.json``: what was changed in it, when, and into which face.

Standard library and msgspec only: OBS's own interpreter imports it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from obs_facelive import __version__
from obs_facelive.files import read_at_most
from obs_facelive.home import MAX_TITLE
from obs_facelive.personas.errors import PersonaError
from obs_facelive.personas.info import PersonaInfo, load_info
from obs_facelive.settings import Settings
from obs_facelive.words import plain

FORMAT = 1
SUFFIX = ".facelive.json"
MAX_BYTES = 1 << 20
"""A larger one is not ours."""
CHANGED = "Faces in this file were replaced by AI."
UNCHANGED = "No face in this file was replaced."
_PIECE = 1 << 20
_Count = Annotated[int, msgspec.Meta(ge=0)]


class SidecarError(Exception):
    """A sidecar cannot be read; the text says why, for people."""


class Content(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A finished file.

    Attributes
    ----------
    bytes, sha256 : its size and hash; no hash where FaceLive had to end before it had read the whole file
    """

    bytes: _Count
    sha256: str = ""


class Worn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A persona that was worn.

    Attributes
    ----------
    kind, origin, digest : as in the persona's manifest; no digest where it was made of a picture on the fly
    name : of people who do not exist only
    swapped : pictures with this face
    """

    kind: str
    origin: str
    digest: str
    name: str = ""
    swapped: _Count = 0


class Pictures(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What became of the pictures; what nobody counted is not there.

    Attributes
    ----------
    shown : in all
    with_face, swapped : those in which a face was found, and those in which it was swapped
    covered : shown blurred, or as the last swapped one
    bare : shown as they were, because the person wanted it so
    """

    shown: _Count
    with_face: _Count
    swapped: _Count
    covered: _Count | None = None
    bare: _Count | None = None


class Camera(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that swaps faces, and what it did.

    Attributes
    ----------
    kind : ``file`` for ``facelive swap``; a FaceLive ``filter`` or ``camera`` in OBS
    settings : at the end; without the persona, whose name may be somebody's
    """

    kind: Literal["file", "filter", "camera"]
    worn: tuple[Worn, ...]
    pictures: Pictures
    settings: dict[str, bool | int | str]


class Sidecar(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``<file>.facelive.json``.

    Attributes
    ----------
    what : for people who find the file
    began, ended : in UTC, ISO 8601
    files : name → content; several where a folder of pictures was made
    signed : whether there is a C2PA manifest in the files
    """

    format: int = FORMAT
    what: str
    made_by: str = f"FaceLive {__version__}"
    began: str
    ended: str
    cameras: tuple[Camera, ...]
    files: dict[str, Content] = {}
    signed: bool = False

    @property
    def swapped(self) -> int:
        """Pictures with a swapped face."""
        return sum(camera.pictures.swapped for camera in self.cameras)


def describe(began: float, ended: float, cameras: Iterable[Camera]) -> Sidecar:
    """A sidecar without its files yet; times as `time.time` counts them."""
    cameras = tuple(cameras)
    what = CHANGED if any(camera.pictures.swapped for camera in cameras) else UNCHANGED
    return Sidecar(what=what, began=_utc(began), ended=_utc(ended), cameras=cameras)


def worn(info: PersonaInfo, swapped: int) -> Worn:
    """What is told of a persona."""
    digest, name = info.digest if info.files else "", "" if info.real else plain(info.name, MAX_TITLE)
    return Worn(kind=info.kind, origin=info.origin, digest=digest, name=name, swapped=swapped)


def worn_from(folder: Path, swapped: int) -> Worn:
    """What is told of the persona in ``folder``: "unknown" where it is gone or cannot be read. Never raises."""
    try:
        return worn(load_info(folder), swapped)
    except PersonaError:
        return Worn(kind="unknown", origin="unknown", digest="", swapped=swapped)


def told(settings: Settings) -> dict[str, bool | int | str]:
    """The settings that a sidecar has."""
    chosen: dict[str, Any] = msgspec.structs.asdict(settings)
    return {name: value for name, value in chosen.items() if name != "persona"}


def content(path: Path, stop: Callable[[], bool] = lambda: False) -> Content:
    """Size and hash of a file, read piece by piece; without the hash once ``stop`` says so. Raises `OSError`."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(_PIECE):
            if stop():
                return Content(bytes=os.fstat(file.fileno()).st_size)
            digest.update(piece)
        return Content(bytes=file.tell(), sha256=digest.hexdigest())


def beside(path: Path) -> Path:
    """Where the sidecar of the file or folder at ``path`` is."""
    return path.with_name(path.name + SUFFIX)


def write(path: Path, sidecar: Sidecar) -> Path:
    """Writes the sidecar of the file or folder at ``path``, and returns where. Raises `OSError`."""
    target = beside(path)
    fresh = target.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}{SUFFIX}")
    try:
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(sidecar), indent=2) + b"\n")
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    return target


def read(path: Path) -> Sidecar:
    """The sidecar of the file or folder at ``path``. Raises `SidecarError`."""
    note = beside(path)
    try:
        sidecar = msgspec.json.decode(read_at_most(note, MAX_BYTES), type=Sidecar)
    except FileNotFoundError as error:
        raise SidecarError(f"there is no {note.name} beside it: FaceLive writes one where it makes a file") from error
    except OSError as error:
        raise SidecarError(f"{note} cannot be read: {error.strerror}") from error
    except (ValueError, msgspec.DecodeError, RecursionError) as error:
        raise SidecarError(f"{note} is no sidecar of FaceLive's: {error}") from error
    if sidecar.format != FORMAT:
        raise SidecarError(f"{note} is of format {sidecar.format}; this FaceLive reads {FORMAT}")
    return sidecar


def _utc(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
