"""Where FaceLive keeps its things: one data folder per user. Standard library only: install.py uses it, too."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from obs_facelive.files import read_at_most
from obs_facelive.words import plain

PERSONA_ID: Final = r"^[a-z0-9_-]{1,48}\Z"
MAX_INFO_BYTES: Final = 1 << 16
"""A larger ``persona.json`` is not one of ours."""
BROUGHT_FILE: Final = "brought.json"
"""In the models' folder: which of them the person brought; see `obs_facelive.brought`."""
MAX_BROUGHT_BYTES: Final = 1 << 20
"""A longer list is not one of ours."""
MAX_KNOWN_MODELS: Final = 200
"""Known models that a panel lists, at the most."""
MAX_TITLE: Final = 64
"""Characters of a persona's name that are shown."""


def default_root() -> Path:
    """The user's data folder for FaceLive; the environment variable ``FACELIVE_HOME`` overrides it."""
    if override := os.environ.get("FACELIVE_HOME"):
        return Path(override).expanduser().absolute()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local")) / "FaceLive"
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/FaceLive"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "facelive"


@dataclass(frozen=True)
class KnownModel:
    """A model that can be fetched.

    Attributes
    ----------
    file, kind : its name in the models folder, and what it is, in a word
    licence : in words; where it is not ``free`` to everybody for everything, it has to be accepted
    bytes : of the file; 0: not known
    """

    file: str
    kind: str
    licence: str
    free: bool
    bytes: int


@dataclass(frozen=True)
class Home:
    """The data folder's rooms."""

    root: Path

    @classmethod
    def find(cls) -> Home:
        """``FACELIVE_HOME``, else the home whose environment this code is installed in, else the user's data folder."""
        if "FACELIVE_HOME" not in os.environ:
            for folder in Path(__file__).absolute().parents:
                if folder.name == "env" and (folder / "pyvenv.cfg").is_file():
                    return cls(folder.parent)
        return cls(default_root())

    @property
    def env(self) -> Path:
        """The Python environment that the engine runs in."""
        return self.root / "env"

    @property
    def python(self) -> Path:
        """The environment's interpreter, by full path (never ``sys.executable``: inside OBS that is not ours)."""
        return self.env / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")

    @property
    def program(self) -> Path:
        """The command ``facelive`` of that environment."""
        return self.python.with_name("facelive.exe" if sys.platform == "win32" else "facelive")

    @property
    def models(self) -> Path:
        """ONNX files, built at set-up or brought by the person."""
        return self.root / "models"

    @property
    def personas(self) -> Path:
        """One folder a persona; see `obs_facelive.personas`."""
        return self.root / "personas"

    @property
    def identity(self) -> Path:
        """The camera's owner (`obs_facelive.identity.enrolment`), for nobody else to read."""
        return self.root / "identity"

    @property
    def devices(self) -> Path:
        """What was measured and compiled for this computer's devices; it may be deleted at any time."""
        return self.root / "cache" / "devices"

    @property
    def logs(self) -> Path:
        """Rotating logs of the engine."""
        return self.root / "logs"

    @property
    def known_models_file(self) -> Path:
        """What the engine writes down for panels: the models that can be fetched and are not here."""
        return self.root / "cache" / "known-models.json"

    def persona_names(self) -> list[str]:
        """The ids of the personas on disk (folders with a ``persona.json``), sorted."""
        if not self.personas.is_dir():
            return []
        folders = (path.parent.name for path in self.personas.glob("*/persona.json"))
        return sorted(name for name in folders if re.search(PERSONA_ID, name))

    def persona_titles(self) -> dict[str, str]:
        """Id → the name to show, for the personas on disk; a folder whose ``persona.json`` cannot be read shows its id."""
        titles: dict[str, str] = {}
        for name in self.persona_names():
            try:
                title = json.loads(read_at_most(self.personas / name / "persona.json", MAX_INFO_BYTES)).get("name")
            except (OSError, ValueError, AttributeError, RecursionError):
                title = None
            titles[name] = (plain(title, MAX_TITLE).strip() if isinstance(title, str) else "") or name
        return titles

    def swapper_titles(self) -> dict[str, str]:
        """File → the name to show, for the swappers that the person brought; none where their list cannot be read."""
        return self._titles("swapper", "dfm")

    def enhancer_titles(self) -> dict[str, str]:
        """The same for enhancers."""
        return self._titles("enhancer")

    def _titles(self, *kinds: str) -> dict[str, str]:
        try:
            listed = json.loads(read_at_most(self.models / BROUGHT_FILE, MAX_BROUGHT_BYTES))
            titles = {file: about["title"] for file, about in listed.items() if about["kind"] in kinds}
        except (OSError, ValueError, AttributeError, KeyError, TypeError, RecursionError):
            return {}
        return {file: plain(str(title), MAX_TITLE).strip() or file for file, title in sorted(titles.items())}

    def known_models(self) -> list[KnownModel]:
        """The models that can be fetched and are not here; none before the engine ran, or where its list cannot be read."""
        try:
            listed = json.loads(read_at_most(self.known_models_file, MAX_BROUGHT_BYTES))
            return [
                KnownModel(
                    plain(str(model["file"]), 100),
                    plain(str(model["kind"]), MAX_TITLE),
                    plain(str(model["licence"]), 200),
                    model["free"] is True,
                    int(model["bytes"]),
                )
                for model in listed[:MAX_KNOWN_MODELS]
            ]
        except (OSError, ValueError, OverflowError, KeyError, TypeError, RecursionError):
            return []
