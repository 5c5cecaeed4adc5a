"""A persona's folder: ``persona.json``, ``mesh.npz``, ``thumbnail.jpg`` and ``photos``, read only after it was checked."""

from __future__ import annotations

import hashlib
import io
import math
import os
import shutil
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from obs_facelive.files import read_at_most
from obs_facelive.frame import Floats, Pixels
from obs_facelive.landmark import BLENDSHAPES
from obs_facelive.personas.consent import Consent, check_consent
from obs_facelive.personas.errors import PersonaError
from obs_facelive.personas.info import (
    INFO_FILE,
    MAX_PHOTOS,
    MESH_FILE,
    THUMBNAIL_FILE,
    Kind,
    Origin,
    PersonaInfo,
    load_info,
    persona_id,
    write_info,
)
from obs_facelive.personas.photos import photo_file, read_photo
from obs_facelive.shape.proportions import SURFACE

__all__ = [
    "INFO_FILE",
    "MESH_FILE",
    "THUMBNAIL_FILE",
    "Kind",
    "Origin",
    "Persona",
    "PersonaError",
    "PersonaInfo",
    "check_persona",
    "load_info",
    "load_persona",
    "persona_id",
    "remove_persona",
    "save_persona",
    "stored_persona",
]

MAX_BYTES = 16 << 20
"""A larger data file is not one of ours: they have about one megabyte."""
MAX_UNPACKED = 64 << 20
PHOTOS = "photos"
MAX_EXPRESSIONS = 32
MOUTH = (64, 96)
"""Height and width of a picture of what is between the lips."""
LINES_UNIT = 1 / 96
"""Log-odds that 1 in the stored expression lines stands for."""
MAX_SHAPE = 40.0
"""Centimetres from a head's middle that no point of a face is away."""
EMBEDDING = 128
"""Numbers by which the product's recogniser knows a face."""
_ARRAYS = ("texture", "skin", "expressions", "neutral", "lines", "mouths", "gaps", "shape", "iris", "embedding")


@dataclass(frozen=True, slots=True)
class Persona:
    """A face to wear.

    Attributes
    ----------
    info : see there
    texture : (s, s, 3) uint8 BGR, the skin in flat light, in the canonical face's texture coordinates
    skin : (3,) float32, log-odds of blue, green, red of the skin's mean colour
    expressions : (k, 52) float32 0..1, blendshapes of each picture of the bank
    neutral : (52,) float32 0..1, those of the resting face
    lines : (k, e, e) int8, what each expression does to the brightness of the skin: log-odds in steps of `LINES_UNIT`
    mouths : (m, h, w, 3) uint8 BGR, what is between the open lips, as `obs_facelive.personas.unwrap.unwrap_mouth` lays it out
    gaps : (m,) float32, rising, how far the lips of each are open; see `mouth_gap`
    shape : (468, 3) float32 centimetres, the resting face in the head's frame, see `obs_facelive.shape.proportions`
    iris : (3,) float32, log-odds of blue, green, red of the irises' colour
    embedding : (e,) float32, unit vector of the product's recogniser, e = `EMBEDDING`; e = 0 where none was made
    consent : the record that allows a real person's face to be worn, see `obs_facelive.personas.consent`
    """

    info: PersonaInfo
    texture: Pixels
    skin: Floats
    expressions: Floats
    neutral: Floats
    lines: npt.NDArray[np.int8]
    mouths: Pixels
    gaps: Floats
    shape: Floats
    iris: Floats
    embedding: Floats
    consent: Consent | None = None


def load_persona(folder: Path) -> Persona:
    """The persona in ``folder``, to be worn.

    Raises `PersonaError` where a file is missing, damaged, or not what it should be, and `ConsentError`, one of them, where it
    is a real person without a valid record.
    """
    consent = check_consent(folder, load_info(folder))
    return replace(stored_persona(folder), consent=consent)


def stored_persona(folder: Path) -> Persona:
    """The persona in ``folder``, whoever it is: to be looked at, not to be worn. Raises `PersonaError` as `load_persona`."""
    info = load_info(folder)
    path = folder / MESH_FILE
    try:
        content = read_at_most(path, MAX_BYTES)
    except OSError as error:
        raise PersonaError(f"the persona {info.name!r} is not complete: {error}. Make it again.") from error
    except ValueError as error:
        raise PersonaError(f"{path} is no persona's data: {error}") from error
    if hashlib.sha256(content).hexdigest() != info.files.get(MESH_FILE):
        raise PersonaError(f"{path} was changed or damaged after it was made. Make the persona {info.name!r} again.")
    try:
        return _from_arrays(info, _read_arrays(content))
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise PersonaError(f"{path} is not a persona's data: {error}") from error


def save_persona(personas: Path, persona: Persona, portrait: Pixels, photos: Sequence[Pixels] = ()) -> Path:
    """Writes ``persona`` into its folder under ``personas``, replacing what was there, and returns the folder.

    Everything is written beside it first and then renamed: nobody ever sees half a persona. Raises `PersonaError` if its id
    cannot be a folder's name, or its description is not fit to be read back.

    Parameters
    ----------
    portrait : (h, w, 3), becomes the thumbnail
    photos : (h, w, 3) BGR each, what it was made of; the first `MAX_PHOTOS` are kept, see `photo_file`
    """
    if persona.info.id != persona_id(persona.info.id):
        raise PersonaError(f"{persona.info.id!r} cannot be a persona's id: use lower-case letters, digits, - and _")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: getattr(persona, name) for name in _ARRAYS})
    small = np.asarray(cv2.resize(portrait, (256, 256), interpolation=cv2.INTER_AREA), np.uint8)
    files = {MESH_FILE: buffer.getvalue(), THUMBNAIL_FILE: photo_file(small)}
    files |= {f"{PHOTOS}/{i}.jpg": photo_file(photo) for i, photo in enumerate(photos[:MAX_PHOTOS])}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    info = msgspec.structs.replace(persona.info, files=hashes)
    folder = personas / info.id
    fresh, old = personas / f".{info.id}.{os.getpid()}.new", personas / f".{info.id}.{os.getpid()}.old"
    shutil.rmtree(fresh, ignore_errors=True)
    personas.mkdir(parents=True, exist_ok=True)
    fresh.mkdir(mode=0o700)  # somebody's face
    try:
        for name, content in files.items():
            (fresh / name).parent.mkdir(exist_ok=True)
            (fresh / name).write_bytes(content)
        write_info(fresh, info)
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
    return folder


def remove_persona(folder: Path) -> None:
    """Deletes the persona in ``folder`` with all that was kept of it: out of sight at once, then from the disk."""
    gone = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    folder.rename(gone)
    shutil.rmtree(gone)


def check_persona(folder: Path) -> Persona:
    """As `stored_persona`, every file of the folder checked, pictures too. Raises `PersonaError`."""
    persona = stored_persona(folder)
    for name, hash in persona.info.files.items():
        path = folder / name
        try:
            content = read_at_most(path, MAX_BYTES)
        except (OSError, ValueError) as error:
            raise PersonaError(f"the persona {persona.info.name!r} is not complete: {error}") from error
        if hashlib.sha256(content).hexdigest() != hash:
            raise PersonaError(f"{path} was changed or damaged after it was made")
        if name != MESH_FILE:
            read_photo(content, path.name)
    return persona


def _read_arrays(content: bytes) -> dict[str, npt.NDArray[Any]]:
    if content.count(b"PK\1\2") > 100:  # each is an object for zipfile, and a file has room for hundreds of thousands
        raise ValueError("it holds too many parts")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {member.filename: member for member in archive.infolist()}
        if set(members) != {f"{name}.npy" for name in _ARRAYS} or len(archive.infolist()) != len(_ARRAYS):
            raise ValueError(f"it does not hold {', '.join(_ARRAYS)} and nothing else")
        if sum(member.file_size for member in members.values()) > MAX_UNPACKED:
            raise ValueError("it unpacks to more than a persona can be")
        return {name: _read_array(archive.read(members[f"{name}.npy"])) for name in _ARRAYS}


def _read_array(content: bytes) -> npt.NDArray[Any]:
    """An array out of a ``.npy`` file's content: what the header promises is there, before room is made for it."""
    file = io.BytesIO(content)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("an array is of another version")
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != len(content) - file.tell():
        raise ValueError(f"an array of {dtype} {shape} is not what is there")
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False)


def _from_arrays(info: PersonaInfo, arrays: dict[str, npt.NDArray[Any]]) -> Persona:
    weights = len(BLENDSHAPES)
    shape, iris, embedding = arrays["shape"], arrays["iris"], arrays["embedding"]
    texture, skin, lines = arrays["texture"], arrays["skin"], arrays["lines"]
    expressions, neutral, mouths, gaps = (arrays[name] for name in ("expressions", "neutral", "mouths", "gaps"))
    if (texture.ndim, expressions.ndim, lines.ndim, gaps.ndim) != (3, 2, 3, 1):
        raise ValueError("an array has the wrong number of dimensions")
    count, side, lines_side = len(expressions), texture.shape[0], lines.shape[1]
    _require(texture, "texture", np.uint8, (side, side, 3))
    _require(skin, "skin", np.float32, (3,))
    _require(expressions, "expressions", np.float32, (count, weights))
    _require(neutral, "neutral", np.float32, (weights,))
    _require(lines, "lines", np.int8, (count, lines_side, lines_side))
    _require(mouths, "mouths", np.uint8, (len(gaps), *MOUTH, 3))
    _require(gaps, "gaps", np.float32, (len(gaps),))
    _require(shape, "shape", np.float32, (SURFACE, 3))
    _require(iris, "iris", np.float32, (3,))
    _require(embedding, "embedding", np.float32, (EMBEDDING if embedding.size else 0,))
    if embedding.size and abs(float(np.linalg.norm(embedding)) - 1) > 1e-3:
        raise ValueError("the embedding is no unit vector")
    if np.abs(shape).max() > MAX_SHAPE:
        raise ValueError("the shape is no head's")
    if len(gaps) > MAX_EXPRESSIONS or (np.diff(gaps) <= 0).any():
        raise ValueError("the gaps of the mouths do not rise")
    if not 64 <= side <= 4096 or count > MAX_EXPRESSIONS or (count and not 16 <= lines_side <= 1024):
        raise ValueError(f"sizes out of range: texture {side}, {count} expressions of {lines_side}")
    for array in arrays.values():
        array.flags.writeable = False
    return Persona(info, texture, skin, expressions, neutral, lines, mouths, gaps, shape, iris, embedding)


def _require(array: npt.NDArray[Any], name: str, dtype: type, shape: tuple[int, ...]) -> None:
    if array.dtype != dtype or array.shape != shape:
        raise ValueError(f"{name} is {array.dtype} {array.shape}, not {np.dtype(dtype)} {shape}")
    if array.dtype == np.float32 and not np.isfinite(array).all():
        raise ValueError(f"{name} has numbers that are not finite")
