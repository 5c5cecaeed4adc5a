"""What a persona's folder says of it: ``persona.json``, read only after it was checked."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from obs_facelive.files import read_at_most
from obs_facelive.home import MAX_INFO_BYTES
from obs_facelive.personas.errors import PersonaError
from obs_facelive.personas.suited import suited_problem

FORMAT: Final = 4
INFO_FILE, MESH_FILE, THUMBNAIL_FILE = "persona.json", "mesh.npz", "thumbnail.jpg"
MAX_PHOTOS: Final = 8
MAX_NAME: Final = 64
MAX_TEXT: Final = 500
MAX_TAGS: Final = 16
MAX_TAG: Final = 32
RATINGS: Final = 5

_FILE = re.compile(rf"{re.escape(MESH_FILE)}|{re.escape(THUMBNAIL_FILE)}|photos/[0-{MAX_PHOTOS - 1}]\.jpg")
_DEVICE = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")
"""No folder can be called that on Windows."""
_HASH = re.compile(r"[0-9a-f]{64}")

Kind = Literal["synthetic", "self", "granted"]
Origin = Literal["shipped", "pack", "mix", "photo"]
Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]


class PersonaInfo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``persona.json``.

    Attributes
    ----------
    id : name of the folder: lower-case letters, digits, ``-`` and ``_``
    name : for people
    kind : ``synthetic`` a person who does not exist; ``self`` the user; ``granted`` somebody who gave permission
    origin : ``shipped`` with FaceLive, out of a ``pack``, a ``mix`` of others, or made of ``photo``s that somebody added
    made : how it was made, in words
    source, licence : where the pictures come from and what they may be used for
    pack : the name of the pack that it came with
    tags : words to find it by
    rating : 1 to `RATINGS` stars, 0 none
    recipe : of a mix: its parents' ids and digests, weights, seed
    settings : what suits this face, as in `obs_facelive.settings`; see `obs_facelive.personas.suited`
    files : data file, by its path in the folder → SHA-256
    trained : SHA-256 of the trained network (``.dfm``) that has this face, where there is one; see `obs_facelive.brought`
    """

    format: int = FORMAT
    id: str
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
    kind: Kind
    origin: Origin = "photo"
    made: Text = ""
    source: Text = ""
    licence: Text = ""
    pack: Annotated[str, msgspec.Meta(max_length=MAX_NAME)] = ""
    tags: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=MAX_TAG)], ...], msgspec.Meta(max_length=MAX_TAGS)
    ] = ()
    rating: Annotated[int, msgspec.Meta(ge=0, le=RATINGS)] = 0
    recipe: dict[str, Any] = {}
    settings: dict[str, bool | int | str] = {}
    files: dict[str, str] = {}
    trained: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$")] = ""

    @property
    def real(self) -> bool:
        """Whether it counts as a real person's face: the badge stays on, and it is worn only with a record of consent.

        A photo is somebody's, also where the person who added it says that nobody is seen on it.
        """
        return self.kind != "synthetic" or self.origin == "photo"

    @property
    def digest(self) -> str:
        """SHA-256, in hex, over kind, origin, `files` and `trained`: the same for as long as it is the same face."""
        facts = [self.kind, self.origin, sorted(self.files.items()), *([self.trained] if self.trained else [])]
        return hashlib.sha256(json.dumps(facts, separators=(",", ":")).encode()).hexdigest()


def persona_id(name: str) -> str:
    """``name`` as the name of a folder, on Windows, too."""
    plain = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-")[:48] or "persona"
    return f"{plain}-1" if _DEVICE.fullmatch(plain) else plain


def load_info(folder: Path) -> PersonaInfo:
    """``persona.json`` of ``folder``. Raises `PersonaError`."""
    path = folder / INFO_FILE
    try:
        info = msgspec.json.decode(read_at_most(path, MAX_INFO_BYTES), type=PersonaInfo)
    except OSError as error:
        raise PersonaError(f"there is no persona in {folder}: {error}") from error
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise PersonaError(f"{path} cannot be read: {error}") from error
    if info.format != FORMAT:
        raise PersonaError(f"{path} is of format {info.format}; this FaceLive reads {FORMAT}. Make the persona again.")
    if info.id != folder.name:
        raise PersonaError(f"{path} belongs to a folder named {info.id!r}, not {folder.name!r}")
    if problem := _problem(info):
        raise PersonaError(f"{path} cannot be used: {problem}")
    return info


def _problem(info: PersonaInfo) -> str:
    """What is wrong with a description that has the right types, in words; empty if nothing is."""
    for name, hash in info.files.items():
        if not _FILE.fullmatch(name):
            return f"it lists the file {name!r}, which no persona has"
        if not _HASH.fullmatch(hash):
            return f"what it has for {name} is no SHA-256"
    return suited_problem(info.settings)


def known_infos(personas: Path) -> Iterator[PersonaInfo]:
    """Those in the folder ``personas`` that can be read, in no order."""
    for path in personas.glob(f"*/{INFO_FILE}"):
        try:
            yield load_info(path.parent)
        except PersonaError:
            continue


def write_info(folder: Path, info: PersonaInfo) -> None:
    """Replaces ``persona.json`` in ``folder``, whole or not at all. Raises `PersonaError` where nobody could read it back."""
    try:
        msgspec.convert(msgspec.to_builtins(info), PersonaInfo)
    except msgspec.ValidationError as error:
        raise PersonaError(f"the persona {info.id!r} cannot be described like that: {error}") from error
    fresh = folder / f".{INFO_FILE}.{os.getpid()}.new"
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(info), indent=2))
    os.replace(fresh, folder / INFO_FILE)
