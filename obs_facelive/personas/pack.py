"""Packs: several personas in one file, or portraits of people who do not exist that personas are made of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

import cv2
import msgspec

from obs_facelive.files import read_at_most
from obs_facelive.home import Home
from obs_facelive.identity.recogniser import mean_embedding
from obs_facelive.personas.add import Progress, free_id
from obs_facelive.personas.advice import judge
from obs_facelive.personas.archive import PACK_FILE, ArchiveError, hidden_room, import_personas, opened, read_part
from obs_facelive.personas.errors import PersonaError
from obs_facelive.personas.info import INFO_FILE, MAX_NAME, MAX_TEXT, PersonaInfo, known_infos, load_info
from obs_facelive.personas.library import save_persona
from obs_facelive.personas.look import Studio
from obs_facelive.personas.make import make_persona, thumbnail
from obs_facelive.personas.photos import limited, open_photo

PICTURES: Final = (".jpg", ".jpeg", ".png", ".webp")
MAX_PORTRAITS: Final = 1000
MAX_PORTRAIT: Final = 8 << 20
MAX_PACK_INFO: Final = 1 << 16


class PackInfo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``pack.json``.

    Attributes
    ----------
    name : for people
    licence, source : of the pictures
    synthetic : nobody on them exists, as whoever made the pack says
    """

    format: Literal[1] = 1
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
    licence: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)]
    source: Annotated[str, msgspec.Meta(max_length=MAX_TEXT)] = ""
    synthetic: bool = False


@dataclass(frozen=True, slots=True)
class PackReport:
    """What became of a pack.

    Attributes
    ----------
    name : the pack's; empty where it has none
    added : personas that are in the library now
    here : how many of them were there before
    left_out : picture → why, for people
    """

    name: str
    added: tuple[PersonaInfo, ...]
    here: int
    left_out: Mapping[str, str]


def add_pack(
    path: Path, home: Home, studio: Callable[[], Studio], only: int | None = None, progress: Progress = lambda *_: None
) -> PackReport:
    """Puts a pack into the library: a zip of personas, or a zip or folder of portraits with `PACK_FILE`.

    Parameters
    ----------
    studio : opens the networks, if they are needed
    only : at the most so many portraits

    Raises `PersonaError`; then nothing of it was added.
    """
    if path.is_dir():
        return add_portraits(_pack_of_folder(path), pictures_in(path), home, studio(), only, progress)
    with opened(path) as (archive, parts):
        pack = next((part for part in parts if part.name == PACK_FILE), None)
        info = _read_pack(read_part(archive, pack, MAX_PACK_INFO)) if pack else None
        portraits = not any(part.name.endswith(INFO_FILE) for part in parts)
        pictures = [part for part in parts if part is not pack]
        if portraits:
            if info is None:
                raise ArchiveError(f"{path.name} was not added: there is neither a persona nor a {PACK_FILE} in it.")
            with hidden_room(home.personas) as room:
                files = {}
                for number, part in enumerate(pictures[: MAX_PORTRAITS + 1]):
                    if not part.name.lower().endswith(PICTURES):
                        raise ArchiveError(f"{path.name} was not added: {part.name!r} in it is no picture.")
                    # A name of our own: theirs says nothing to a disk.
                    files[part.name] = room / f"{number}{Path(part.name).suffix.lower()}"
                    files[part.name].write_bytes(read_part(archive, part, MAX_PORTRAIT))
                return add_portraits(info, files, home, studio(), only, progress)
    before = {known.digest for known in known_infos(home.personas)}
    added = import_personas(path, home.personas, info.name if info else "")
    here = sum(persona.digest in before for persona in added)
    return PackReport(info.name if info else "", tuple(added), here, {})


def pictures_in(folder: Path) -> dict[str, Path]:
    """The pictures in ``folder`` and the folders in it, by their paths there, sorted."""
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in PICTURES and p.is_file())
    return {path.relative_to(folder).as_posix(): path for path in found}


def add_portraits(
    pack: PackInfo,
    pictures: Mapping[str, Path],
    home: Home,
    studio: Studio,
    only: int | None = None,
    progress: Progress = lambda *_: None,
) -> PackReport:
    """Makes a persona of each of the pack's ``pictures`` (name → file) that is not there yet.

    A picture that is no good is left out, and the report says why. Raises `PersonaError` if the pack shows real people.
    """
    if not pack.synthetic:
        raise PersonaError(
            f'the pack {pack.name!r} does not say that nobody in it exists ("synthetic": true). Real people are added one by '
            "one, each with their own consent: 'facelive persona add'."
        )
    if len(pictures) > MAX_PORTRAITS:
        raise PersonaError(
            f"the pack {pack.name!r} has {len(pictures)} pictures; at most {MAX_PORTRAITS} are possible."
        )
    there = {info.made: info for info in known_infos(home.personas) if info.pack == pack.name}
    chosen = list(pictures.items())[:only]
    added: list[PersonaInfo] = []
    left_out: dict[str, str] = {}
    here = 0
    for number, (name, path) in enumerate(chosen):
        progress(number, len(chosen), name)
        try:
            hash = hashlib.sha256(read_at_most(path, MAX_PORTRAIT)).hexdigest()
            made = f"made of the portrait {Path(name).name[:80]} ({hash[:16]})"
            if made in there:
                added.append(there[made])
                here += 1
                continue
            added.append(_portrait(pack, name, made, path, home, studio))
        except (PersonaError, OSError, ValueError, cv2.error) as error:
            left_out[name] = str(error)
    progress(len(chosen), len(chosen), "done")
    return PackReport(pack.name, tuple(added), here, left_out)


def _portrait(pack: PackInfo, name: str, made: str, path: Path, home: Home, studio: Studio) -> PersonaInfo:
    portrait = studio.portrait(limited(open_photo(path)))
    judgement = judge(studio.look(portrait))
    if not judgement.usable:
        raise PersonaError(f"{judgement.remarks[0].text}. {judgement.remarks[0].better}")
    title = f"{pack.name} {label(name)}"[:MAX_NAME]
    info = PersonaInfo(
        id=free_id(home.personas, title),
        name=title,
        kind="synthetic",
        origin="pack",
        made=made,
        source=pack.source,
        licence=pack.licence,
        pack=pack.name,
    )
    persona = make_persona(info, portrait, studio.canonical, embedding=mean_embedding([studio.embed(portrait)]))
    return load_info(save_persona(home.personas, persona, thumbnail(portrait), [portrait.pixels]))


def label(name: str) -> str:
    """What tells one portrait of a pack from the others: its folder's name and its own, without sizes."""
    steps = [step for step in Path(name).with_suffix("").parts if not step.isdigit()]
    stem = Path(name).stem
    return " ".join([*steps[:1], stem] if steps and steps[0] != stem else [stem])


def _pack_of_folder(folder: Path) -> PackInfo:
    try:
        return _read_pack(read_at_most(folder / PACK_FILE, MAX_PACK_INFO))
    except OSError as error:
        text = f"there is no {PACK_FILE} in {folder}, which says the pack's name, licence, and whether anybody in it exists."
        raise PersonaError(text) from error
    except ValueError as error:
        raise PersonaError(f"{folder / PACK_FILE} cannot be read: {error}") from error


def _read_pack(content: bytes) -> PackInfo:
    try:
        return msgspec.json.decode(content, type=PackInfo)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise PersonaError(f"the pack's {PACK_FILE} cannot be read: {error}") from error
