"""The embedded models: where each comes from, its hashes, licence and contract; and which of them are on disk.

The catalog is the folder ``models/`` of the project, one TOML file for each wheel that carries models. Set-up builds the
models into the data folder (`tools/build_models.py`) and leaves a manifest of what it made.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

MANIFEST = "manifest.json"
BUILDER = 1
"""Raised by one when `tools.build_models` makes other files of the same source, so that they are built again."""

Status: TypeAlias = Literal["ready", "missing", "outdated", "damaged"]


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One embedded model.

    Attributes
    ----------
    file : its name in the models folder
    what : one line for people
    part : path inside the source's file where that is a zip archive, else empty
    rename : names of inputs and outputs in the source → in the built file
    contract : input, output or array → direction, dtype, shape, range and meaning, in words
    """

    file: str
    what: str
    contract: dict[str, str]
    part: str = ""
    rename: dict[str, str] = {}


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file in a wheel on PyPI, or one of our own beside the catalog, and the models that are made from it.

    Attributes
    ----------
    member : path of the file inside the wheel; without a ``package``, in the catalog's folder
    made_by, licence : of the models
    """

    member: str
    member_sha256: str
    made_by: str
    licence: str
    models: list[Model]
    package: str = ""
    version: str = ""
    wheel_sha256: str = ""

    def recipe(self, model: Model) -> str:
        """A hash of everything that decides what ``model``'s file is."""
        content = msgspec.json.encode([BUILDER, self.member_sha256, model.part, model.rename], order="sorted")
        return hashlib.sha256(content).hexdigest()


class Built(msgspec.Struct, frozen=True):
    """What the manifest says of a file: the recipe that it was built by, and its own hash."""

    recipe: str
    sha256: str


class ModelError(Exception):
    """A model file is not there, not whole, or not what was asked for; the text says what to do."""


def catalog_folder() -> Path:
    """The folder of TOML files: inside the installed package, else beside it in a checkout."""
    package = Path(__file__).parent
    installed = package / "_models"
    return installed if installed.is_dir() else package.parent / "models"


def load_catalog(folder: Path | None = None) -> list[Source]:
    """All sources of embedded models. Raises `ModelError` where a file of the catalog is malformed."""
    sources: list[Source] = []
    for path in sorted((folder or catalog_folder()).glob("*.toml")):
        try:
            sources.append(msgspec.toml.decode(path.read_bytes(), type=Source))
        except msgspec.DecodeError as error:
            raise ModelError(f"{path}: {error}") from error
    return sources


def read_manifest(models: Path) -> dict[str, Built]:
    """What was built into the folder ``models``, by file name; empty where the manifest is missing or unreadable."""
    try:
        return msgspec.json.decode((models / MANIFEST).read_bytes(), type=dict[str, Built])
    except (OSError, msgspec.DecodeError):
        return {}


def status(source: Source, model: Model, models: Path) -> Status:
    """Whether ``model``'s file in the folder ``models`` is there, built by the catalog's present recipe, and whole."""
    path = models / model.file
    if not path.is_file():
        return "missing"
    built = read_manifest(models).get(model.file)
    if built is None or built.recipe != source.recipe(model):
        return "outdated"
    return "ready" if hashlib.sha256(path.read_bytes()).hexdigest() == built.sha256 else "damaged"


def model_file(models: Path, file: str) -> Path:
    """The path of ``file`` in the folder ``models``. Raises `ModelError` that says what to do where it is missing."""
    path = models / file
    if not path.is_file():
        raise ModelError(f"the model {file} is not in {models}; run `python3 install.py` to build it")
    return path
