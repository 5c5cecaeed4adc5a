"""Personas as files: ``.facelive`` is a zip of one persona's folder, or of several. Reading one trusts nothing in it."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
import time
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from obs_facelive.home import MAX_INFO_BYTES, PERSONA_ID
from obs_facelive.personas.add import free_id
from obs_facelive.personas.consent import check_consent
from obs_facelive.personas.errors import PersonaError
from obs_facelive.personas.info import INFO_FILE, MESH_FILE, PersonaInfo, known_infos, load_info, write_info
from obs_facelive.personas.library import MAX_BYTES, check_persona
from obs_facelive.words import plain

SUFFIX: Final = ".facelive"
PACK_FILE: Final = "pack.json"
"""What a pack says of itself; see `obs_facelive.personas.pack`."""
MAX_ARCHIVE: Final = 256 << 20
MAX_ALL: Final = 512 << 20
"""Bytes of all that an archive unpacks to."""
MAX_PARTS: Final = 4096
MAX_PHOTO: Final = 8 << 20

_LIMITS: Final = {INFO_FILE: MAX_INFO_BYTES, MESH_FILE: MAX_BYTES}
_PART = re.compile(r"(?:(?P<folder>[^/\\]{1,100})/)?(?P<file>persona\.json|mesh\.npz|thumbnail\.jpg|photos/[0-7]\.jpg)")
_CHUNK = 1 << 16
_ROOM = ".import-"


class ArchiveError(PersonaError):
    """An archive was refused, and nothing of it was kept; the text says why."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file in an archive, of which nothing was read yet.

    Attributes
    ----------
    name : its path in the archive, checked: relative, no ``..``, forward slashes
    """

    name: str
    member: zipfile.ZipInfo


def export_persona(folder: Path, target: Path) -> None:
    """Writes the persona in ``folder`` into the file ``target``, whole or not at all, replacing it.

    The record of consent stays here: who gets the file has to ask for a permission of their own. Raises `PersonaError` where
    the persona is not whole, or a real person without consent; `OSError` where ``target`` cannot be written.
    """
    info = check_persona(folder).info
    check_consent(folder, info)
    fresh = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in (INFO_FILE, *info.files):
                # A fixed date: the same persona gives the same file.
                part = zipfile.ZipInfo(f"{info.id}/{name}", (1980, 1, 1, 0, 0, 0))
                part.external_attr = (stat.S_IFREG | 0o600) << 16
                part.compress_type = zipfile.ZIP_DEFLATED if name == INFO_FILE else zipfile.ZIP_STORED
                archive.writestr(part, (folder / name).read_bytes())
        os.replace(fresh, target)
    finally:
        fresh.unlink(missing_ok=True)


def import_personas(path: Path, personas: Path, pack: str = "") -> list[PersonaInfo]:
    """Puts the persona or personas of the archive at ``path`` into the library, all of them or none.

    Each is unpacked into a hidden folder, checked as it is checked before it is worn, and only then renamed. One that is here
    already (by its digest) is given back as it is here. Nobody but set-up says ``shipped``: such a one is of a ``pack``.

    Raises `ArchiveError`.
    """
    with opened(path) as (archive, parts), hidden_room(personas) as room:
        found: dict[str, list[tuple[str, Part]]] = {}
        for part in parts:
            if part.name == PACK_FILE:
                continue
            if (match := _PART.fullmatch(part.name)) is None:
                _refuse(path, f"it holds {_shown(part.name)}, which is no part of a persona")
            found.setdefault(match["folder"] or "", []).append((match["file"], part))
        if not found:
            _refuse(path, "it is empty")
        folders = []
        for number, members in enumerate(found.values()):
            try:
                folders.append(_unpack(archive, members, room / str(number), pack))
            except PersonaError as error:
                _refuse(path, str(error).replace(str(room), path.name))
        return _install(folders, personas)


@contextmanager
def opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, list[Part]]]:
    """The zip at ``path`` and its files, their names, kinds and promised sizes checked; folders are left out.

    What is wrong with the file itself, there or while it is read, becomes an `ArchiveError`.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            _refuse(path, "it is not an ordinary file")
        if path.stat().st_size > MAX_ARCHIVE:
            _refuse(path, f"it has more than {MAX_ARCHIVE >> 20} MB")
        _count(path)
        with zipfile.ZipFile(path) as archive:
            yield archive, _parts(path, archive)
    except FileNotFoundError as error:
        raise ArchiveError(f"the file {path} does not exist.") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        why = plain(str(error), 200)  # zipfile's words hold as much of the file as it takes for a name
        raise ArchiveError(
            f"{path.name} was not added: it cannot be unpacked as a whole zip archive ({why})."
        ) from error


def read_part(archive: zipfile.ZipFile, part: Part, limit: int) -> bytes:
    """The content of ``part``. Raises `ArchiveError` as soon as it has over ``limit`` bytes, whatever it promised."""
    content = bytearray()
    with archive.open(part.member) as file:
        while chunk := file.read(_CHUNK):
            content += chunk
            if len(content) > limit:
                raise ArchiveError(f"{_shown(part.name)} unpacks to more than {limit >> 10} kB")
    return bytes(content)


def _count(path: Path) -> None:
    """Refuses a directory of parts that is too long before zipfile makes an object of each."""
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        tail = min(file.tell(), MAX_PARTS * 1024)
        file.seek(-tail, os.SEEK_END)
        if file.read(tail).count(b"PK\1\2") > MAX_PARTS:
            _refuse(path, f"it holds more than {MAX_PARTS} parts")


def _parts(path: Path, archive: zipfile.ZipFile) -> list[Part]:
    members = archive.infolist()
    if len(members) > MAX_PARTS:
        _refuse(path, f"it holds more than {MAX_PARTS} parts")
    if sum(member.file_size for member in members) > MAX_ALL:
        _refuse(path, f"it unpacks to more than {MAX_ALL >> 20} MB")
    parts, seen = [], set()
    for member in members:
        name = member.orig_filename
        shown = _shown(name)
        if "\\" in name or "\0" in name or name.startswith("/") or re.match(r"[A-Za-z]:", name):
            _refuse(path, f"the name {shown} in it leads outside")
        steps = name.rstrip("/").split("/")
        if any(step in ("", ".", "..") for step in steps):
            _refuse(path, f"the name {shown} in it leads outside")
        if any(not c.isprintable() for c in name) or len(name) > 200:
            _refuse(path, f"the name {shown} in it is none for a file")
        # Two names that are one on some disk: Windows and macOS do not tell case apart, macOS not accents either.
        same = unicodedata.normalize("NFC", name.rstrip("/")).casefold()
        if same in seen:
            _refuse(path, f"the name {shown} is in it twice")
        seen.add(same)
        kind = stat.S_IFMT(member.external_attr >> 16)
        if name.endswith("/"):
            continue
        if kind not in (0, stat.S_IFREG):
            _refuse(path, f"{shown} in it is a link or a device, not a file")
        if member.flag_bits & 1:
            _refuse(path, "it is encrypted; personas are not")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            _refuse(path, f"{shown} in it is compressed in a way that is not known here")
        if name.lower().endswith((".zip", SUFFIX)):
            _refuse(path, f"there is an archive within it ({shown}); add that one on its own")
        parts.append(Part(name, member))
    return parts


def _unpack(archive: zipfile.ZipFile, members: list[tuple[str, Part]], room: Path, pack: str) -> Path:
    """One persona's files in the folder ``room``/<id>, checked."""
    parts = dict(members)
    if INFO_FILE not in parts:
        raise ArchiveError(f"there is no {INFO_FILE} beside {_shown(members[0][1].name)}")
    content = read_part(archive, parts[INFO_FILE], MAX_INFO_BYTES)
    name = _id(content)
    folder = room / name
    (folder / "photos").mkdir(parents=True, mode=0o700)
    (folder / INFO_FILE).write_bytes(content)
    info = load_info(folder)  # before anything large is unpacked
    if set(info.files) != set(parts) - {INFO_FILE} or MESH_FILE not in info.files:
        raise ArchiveError(f"the files beside {INFO_FILE} of {name!r} are not those that it lists")
    for file, part in parts.items():
        if file != INFO_FILE:
            (folder / file).write_bytes(read_part(archive, part, _LIMITS.get(file, MAX_PHOTO)))
    if not any((folder / "photos").iterdir()):
        (folder / "photos").rmdir()
    check_persona(folder)
    origin = "pack" if info.origin == "shipped" else info.origin
    write_info(folder, msgspec.structs.replace(info, origin=origin, pack=pack or info.pack, rating=0))
    return folder


def _id(content: bytes) -> str:
    """The id in a ``persona.json``, fit for a folder's name; the rest of it is checked from there."""
    try:
        name = msgspec.json.decode(content, type=dict[str, object]).get("id")
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise ArchiveError(f"its {INFO_FILE} cannot be read: {error}") from error
    if not isinstance(name, str) or not re.search(PERSONA_ID, name):
        raise ArchiveError(f"its {INFO_FILE} has no id that can be a folder's name")
    return name


def _install(folders: list[Path], personas: Path) -> list[PersonaInfo]:
    """Renames checked folders into the library; where one fails, those before are taken out again."""
    here = {info.digest: info for info in known_infos(personas)}
    placed: list[Path] = []
    added: list[PersonaInfo] = []
    try:
        for folder in folders:
            info = load_info(folder)
            if info.digest in here:
                added.append(here[info.digest])
                continue
            target = personas / free_id(personas, info.id)
            if target.name != info.id:
                info = msgspec.structs.replace(info, id=target.name)
                write_info(folder, info)
            folder.chmod(0o700)
            folder.rename(target)
            placed.append(target)
            here[info.digest] = info
            added.append(info)
    except BaseException:
        for target in placed:
            shutil.rmtree(target, ignore_errors=True)
        raise
    return added


@contextmanager
def hidden_room(personas: Path) -> Iterator[Path]:
    """A hidden folder beside the personas, gone afterwards; what a run that was killed left a day ago goes, too."""
    personas.mkdir(parents=True, exist_ok=True)
    for old in personas.glob(f"{_ROOM}*"):
        if time.time() - old.stat().st_mtime > 24 * 3600:
            shutil.rmtree(old, ignore_errors=True)
    room = Path(tempfile.mkdtemp(prefix=_ROOM, dir=personas))
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _shown(name: str) -> str:
    return repr(plain(name, 60))


def _refuse(path: Path, why: str) -> NoReturn:
    raise ArchiveError(f"{path.name} was not added: {plain(why, 400)}.")
