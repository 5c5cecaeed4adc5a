"""The embedded models: where each comes from, its hashes, licence and contract; and which of them are on disk.

The catalog is the folder ``models/`` of the project, one TOML file a model. Set-up builds the files into the data folder
(`tools/build_models.py`) and writes a manifest of what it made.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

import msgspec

MANIFEST = "manifest.json"

Status = Literal["ready", "missing", "outdated", "damaged"]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a model comes from: a file in a wheel on PyPI.

    Attributes
    ----------
    member : path of the file inside the wheel
    part : path inside ``member`` where that is a zip archive, else empty
    """

    package: str
    version: str
    wheel_sha256: str
    member: str
    member_sha256: str
    part: str = ""


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One embedded model.

    Attributes
    ----------
    name : how code asks for it
    file : its name in the models folder
    what : one line for people
    rename : names of inputs and outputs in the source → in the built file
    contract : input, output or array → dtype, shape, range and meaning, in words
    """

    name: str
    file: str
    what: str
    made_by: str
    licence: str
    source: Source
    contract: dict[str, str]
    rename: dict[str, str] = {}

    @property
    def recipe(self) -> str:
        """A hash of everything that decides what the built file is, apart from the converter."""
        content = msgspec.json.encode([self.file, self.source, self.rename], order="sorted")
        return hashlib.sha256(content).hexdigest()


class Built(msgspec.Struct, frozen=True):
    """A line of the manifest: the recipe that a file was built by, and the file's own hash."""

    recipe: str
    sha256: str


class ModelError(Exception):
    """A model file is not there, not whole, or not what was asked for; the text says what to do."""


def catalog_folder() -> Path:
    """The folder of TOML files: inside the installed package, else beside it in a checkout."""
    package = Path(__file__).parent
    installed = package / "_models"
    return installed if installed.is_dir() else package.parent / "models"


def load_catalog(folder: Path | None = None) -> dict[str, Model]:
    """All embedded models by name. Raises `ModelError` where a catalog file is malformed."""
    models: dict[str, Model] = {}
    for path in sorted((folder or catalog_folder()).glob("*.toml")):
        try:
            model = msgspec.toml.decode(path.read_bytes(), type=Model)
        except msgspec.DecodeError as error:
            raise ModelError(f"{path}: {error}") from error
        if model.name != path.stem or Path(model.file).stem != path.stem:
            raise ModelError(f"{path}: the model, its catalog file and its built file must have one name")
        models[model.name] = model
    return models


def read_manifest(models: Path) -> dict[str, Built]:
    """What was built into the folder ``models``, by model name; empty where the manifest is missing or unreadable."""
    try:
        return msgspec.json.decode((models / MANIFEST).read_bytes(), type=dict[str, Built])
    except (OSError, msgspec.DecodeError):
        return {}


def status(model: Model, models: Path) -> Status:
    """Whether ``model``'s file in the folder ``models`` is there, built by the catalog's present recipe, and whole."""
    path = models / model.file
    if not path.is_file():
        return "missing"
    built = read_manifest(models).get(model.name)
    if built is None or built.recipe != model.recipe:
        return "outdated"
    return "ready" if sha256(path) == built.sha256 else "damaged"


def sha256(path: Path) -> str:
    """A file's SHA-256 in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def model_file(models: Path, file: str) -> Path:
    """The path of ``file`` in the folder ``models``. Raises `ModelError` that says what to do where it is missing."""
    path = models / file
    if not path.is_file():
        raise ModelError(f"the model {file} is not in {models}; run `python3 install.py` to build it")
    return path
