"""A persona on disk: a folder with ``persona.json``, ``mesh.npz`` and ``thumbnail.jpg``, read only after it was checked."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import re
import shutil
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from obs_facelive.files import read_at_most
from obs_facelive.frame import Floats, Pixels
from obs_facelive.home import MAX_INFO_BYTES
from obs_facelive.landmark import BLENDSHAPES
from obs_facelive.personas.suited import suited_problem
from obs_facelive.shape.proportions import SURFACE

FORMAT = 4
INFO_FILE, MESH_FILE, THUMBNAIL_FILE = "persona.json", "mesh.npz", "thumbnail.jpg"
MAX_BYTES = 16 << 20
"""A larger data file is not one of ours: they have about one megabyte."""
MAX_UNPACKED = 64 << 20
MAX_EXPRESSIONS = 32
MOUTH = (64, 96)
"""Height and width of a picture of what is between the lips."""
LINES_UNIT = 1 / 96
"""Log-odds that 1 in the stored expression lines stands for."""
MAX_SHAPE = 40.0
"""Centimetres from a head's middle that no point of a face is away."""
EMBEDDING = 128
"""Numbers by which the product's recogniser knows a face."""
MAX_TAGS = 16
RATINGS = 5

_ARRAYS = ("texture", "skin", "expressions", "neutral", "lines", "mouths", "gaps", "shape", "iris", "embedding")
_FILE = re.compile(r"mesh\.npz|thumbnail\.jpg|photos/[0-7]\.jpg")
_HASH = re.compile(r"[0-9a-f]{64}")

Kind = Literal["synthetic", "self", "granted"]
Origin = Literal["shipped", "pack", "mix", "photo"]


class PersonaError(Exception):
    """A persona cannot be read or made; the text says why and what to do."""


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
    """

    format: int = FORMAT
    id: str
    name: str
    kind: Kind
    origin: Origin = "photo"
    made: str = ""
    source: str = ""
    licence: str = ""
    pack: str = ""
    tags: tuple[str, ...] = ()
    rating: Annotated[int, msgspec.Meta(ge=0, le=RATINGS)] = 0
    recipe: dict[str, Any] = {}
    settings: dict[str, bool | int | str] = {}
    files: dict[str, str] = {}

    @property
    def real(self) -> bool:
        """Whether it counts as a real person's face: the badge stays on, and it is worn only with a record of consent.

        A photo is somebody's, also where the person who added it says that nobody is seen on it.
        """
        return self.kind != "synthetic" or self.origin == "photo"

    @property
    def digest(self) -> str:
        """SHA-256, in hex, over kind, origin and `files`: the same for as long as it is the same face."""
        facts = [self.kind, self.origin, sorted(self.files.items())]
        return hashlib.sha256(json.dumps(facts, separators=(",", ":")).encode()).hexdigest()


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


def persona_id(name: str) -> str:
    """``name`` as the name of a folder."""
    return re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-")[:48] or "persona"


def load_persona(folder: Path) -> Persona:
    """The persona in ``folder``. Raises `PersonaError` where a file is missing, damaged, or not what it should be."""
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
    if len(info.tags) > MAX_TAGS:
        return f"it has {len(info.tags)} tags; at most {MAX_TAGS} are possible"
    for name, hash in info.files.items():
        if not _FILE.fullmatch(name):
            return f"it lists the file {name!r}, which no persona has"
        if not _HASH.fullmatch(hash):
            return f"what it has for {name} is no SHA-256"
    return suited_problem(info.settings)


def save_persona(personas: Path, persona: Persona, portrait: Pixels) -> Path:
    """Writes ``persona`` into its folder under ``personas``, replacing what was there, and returns the folder.

    Everything is written beside it first and then renamed: nobody ever sees half a persona. ``portrait`` (h, w, 3) becomes
    the thumbnail. Raises `PersonaError` if its id cannot be a folder's name.
    """
    if persona.info.id != persona_id(persona.info.id):
        raise PersonaError(f"{persona.info.id!r} cannot be a persona's id: use lower-case letters, digits, - and _")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: getattr(persona, name) for name in _ARRAYS})
    content = buffer.getvalue()
    info = msgspec.structs.replace(persona.info, files={MESH_FILE: hashlib.sha256(content).hexdigest()})
    _, thumbnail = cv2.imencode(".jpg", cv2.resize(portrait, (256, 256), interpolation=cv2.INTER_AREA))
    folder = personas / info.id
    fresh, old = personas / f".{info.id}.{os.getpid()}.new", personas / f".{info.id}.{os.getpid()}.old"
    shutil.rmtree(fresh, ignore_errors=True)
    personas.mkdir(parents=True, exist_ok=True)
    fresh.mkdir(mode=0o700)  # somebody's face
    (fresh / MESH_FILE).write_bytes(content)
    (fresh / THUMBNAIL_FILE).write_bytes(thumbnail.tobytes())
    (fresh / INFO_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(info), indent=2))
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    return folder


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
