"""Whose permission there is to wear a face: a record beside the persona, asked for wherever a real person's face is worn."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec

from obs_facelive.files import read_at_most
from obs_facelive.personas.errors import PersonaError
from obs_facelive.words import plain

if TYPE_CHECKING:
    from obs_facelive.personas.library import PersonaInfo

CONSENT_FILE: Final = "consent.json"
SIGNED_FILE: Final = "consent-signed"
"""Name, without its ending, of the copy of a signed paper."""
MAX_RECORD_BYTES: Final = 1 << 14
MAX_SIGNED_BYTES: Final = 32 << 20

Basis = Literal["self", "granted", "declared"]
BASIS: Final[Mapping[str, Basis]] = {"self": "self", "granted": "granted", "synthetic": "declared"}
"""What a record must say, by the persona's kind: a photo of nobody is what somebody declares it to be."""
BASIS_WORDS: Final[Mapping[Basis, str]] = {
    "self": "my own face",
    "granted": "somebody who gave permission",
    "declared": "a picture of nobody, as declared",
}

_SHA256 = r"^[0-9a-f]{64}\Z"
_NO_SHA256 = r"^([0-9a-f]{64})?\Z"
_DAY = r"^[0-9]{4}-[01][0-9]-[0-3][0-9]\Z"
_MOMENT = r"^([0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]Z)?\Z"
_MOMENT_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


class ConsentError(PersonaError):
    """A real person's face cannot be worn for want of a valid record; the text says why and what to do.

    Attributes
    ----------
    withdrawn : there was permission, and it was taken back
    """

    def __init__(self, text: str, *, withdrawn: bool = False) -> None:
        super().__init__(text)
        self.withdrawn = withdrawn


class Consent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``consent.json``.

    Attributes
    ----------
    kind : ``self`` it is my own face; ``granted`` this person permitted it; ``declared`` a picture of nobody, as I declare
    by : who says so (``granted``: who gave permission)
    when : the day on which it was said, as 2026-11-25
    purpose : what it is for
    persona : the digest of the persona that it is about (`PersonaInfo.digest`): no record serves for another face
    checked : of ``self``: the face was compared with the enrolled one, and matches
    signed, signed_sha256 : a signed paper's copy beside the record, and its hash; both empty without one
    withdrawn : UTC, as 2026-11-25T12:00:00Z, when it was taken back; empty while it holds
    """

    format: Literal[1] = 1
    kind: Basis
    by: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    when: Annotated[str, msgspec.Meta(pattern=_DAY)]
    purpose: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    persona: Annotated[str, msgspec.Meta(pattern=_SHA256)]
    checked: bool = False
    signed: Annotated[str, msgspec.Meta(pattern=rf"^({SIGNED_FILE}\.[a-z0-9]{{1,8}})?\Z")] = ""
    signed_sha256: Annotated[str, msgspec.Meta(pattern=_NO_SHA256)] = ""
    withdrawn: Annotated[str, msgspec.Meta(pattern=_MOMENT)] = ""


def stated(info: PersonaInfo, *, by: str = "", purpose: str = "", when: str = "", own: bool | None = None) -> Consent:
    """The record of what somebody states about the persona ``info``.

    Parameters
    ----------
    by, purpose : may be empty for one's own face only
    when : a day as 2026-11-25; empty: today
    own : of a persona of kind ``self``: whether the face is that of the enrolled owner; None: nobody is enrolled

    Raises
    ------
    ConsentError
        What was stated is not enough, or the face is not the enrolled one.
    """
    kind = BASIS[info.kind]
    by, purpose = plain(by, 200).strip(), plain(purpose, 500).strip()
    if kind == "self":
        if own is False:
            raise ConsentError(
                f"the face of {info.name!r} is not the one that is enrolled here as yours. If it is somebody else's, ask this "
                "person, and say that permission was given (granted); if it is yours, enrol again in better light."
            )
        by, purpose = by or "myself", purpose or "wearing my own face"
    if not by or not purpose:
        who = "who gave permission" if kind == "granted" else "who declares that this is a picture of nobody"
        raise ConsentError(f"a record for {info.name!r} needs to say {who} (by) and what it is for (for).")
    day = when or time.strftime("%Y-%m-%d")
    record = Consent(kind=kind, by=by, when=day, purpose=purpose, persona=info.digest, checked=own is True)
    try:
        time.strptime(day, "%Y-%m-%d")
        return msgspec.convert(msgspec.to_builtins(record), Consent)
    except ValueError as error:
        raise ConsentError(f"the day must be like 2026-11-25, not {plain(day, 20)!r}.") from error


def check_record(record: Consent | None, info: PersonaInfo) -> None:
    """Returns if the persona ``info`` may be worn: it is nobody real, or ``record`` is a valid one for it.

    Raises `ConsentError` otherwise, saying what to do.
    """
    if not info.real:
        return
    add = f"'facelive persona consent add {info.id}'"
    if record is None:
        raise ConsentError(
            f"the persona {info.name!r} shows a real person, and there is no consent. If it is your own face or you have "
            f"permission, record that with {add}."
        )
    if record.withdrawn:
        raise ConsentError(
            f"consent for the persona {info.name!r} was withdrawn ({record.withdrawn}). It cannot be worn, unless this "
            f"person permits it anew: {add}.",
            withdrawn=True,
        )
    if record.persona != info.digest:
        raise ConsentError(
            f"the consent that lies with the persona {info.name!r} is for another face, or this one was changed after it was "
            f"given: record it anew with {add}."
        )
    if record.kind != BASIS[info.kind]:
        raise ConsentError(
            f"the consent for the persona {info.name!r} says {BASIS_WORDS[record.kind]!r}, but the persona is of kind "
            f"{info.kind!r}: record it anew with {add}."
        )


def read_consent(folder: Path) -> Consent | None:
    """The record in the persona's ``folder``; None if there is none. Raises `ConsentError` where it cannot be read."""
    path = folder / CONSENT_FILE
    try:
        record = msgspec.json.decode(read_at_most(path, MAX_RECORD_BYTES), type=Consent)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise ConsentError(
            f"{path} cannot be read ({plain(str(error), 200)}): record the consent anew with "
            f"'facelive persona consent add {folder.name}'."
        ) from error
    if bool(record.signed) != bool(record.signed_sha256):
        raise ConsentError(f"{path} names a signed file without its hash, or a hash without its file: record it anew.")
    return record


def check_consent(folder: Path, info: PersonaInfo) -> Consent | None:
    """As `check_record`, for the record on disk, its signed file included; gives the record. Raises `ConsentError`."""
    if not info.real:
        return None
    record = read_consent(folder)
    check_record(record, info)
    if record and record.signed:
        path = folder / record.signed
        try:
            whole = hashlib.sha256(read_at_most(path, MAX_SIGNED_BYTES)).hexdigest() == record.signed_sha256
        except (OSError, ValueError) as error:
            raise ConsentError(f"the signed file of the consent cannot be read: {error}. Record it anew.") from error
        if not whole:
            raise ConsentError(
                f"{path} was changed after the consent was recorded: record it anew with the right file."
            )
    return record


def write_consent(folder: Path, record: Consent, signed: Path | None = None) -> Consent:
    """Puts ``record`` into the persona's ``folder``, with a copy of the paper ``signed``, and gives it as it is there.

    Raises `ConsentError` where the paper cannot be read; `OSError` where the folder cannot be written.
    """
    if signed is not None:
        try:
            content = read_at_most(signed, MAX_SIGNED_BYTES)
        except (OSError, ValueError) as error:
            raise ConsentError(f"the signed file {signed} cannot be used: {error}") from error
        ending = "".join(c for c in signed.suffix.lower() if c.isascii() and c.isalnum())[:8] or "bin"
        name = f"{SIGNED_FILE}.{ending}"
        record = msgspec.structs.replace(record, signed=name, signed_sha256=hashlib.sha256(content).hexdigest())
        _put(folder / name, content)
    _put(folder / CONSENT_FILE, msgspec.json.format(msgspec.json.encode(record), indent=2))
    return record


def withdraw(folder: Path) -> Consent:
    """Takes the consent in ``folder`` back, from now on, and gives the record. Raises `ConsentError` where there is none."""
    record = read_consent(folder)
    if record is None:
        raise ConsentError(f"there is no consent for the persona {folder.name!r}: nobody real is worn with it.")
    if record.withdrawn:
        return record
    record = msgspec.structs.replace(record, withdrawn=time.strftime(_MOMENT_FORMAT, time.gmtime()))
    return write_consent(folder, record)


def _put(path: Path, content: bytes) -> None:
    """Writes a private file whole, or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    os.replace(fresh, path)
