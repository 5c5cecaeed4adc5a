"""A real person's persona, as far as FaceLive can know: one of the shipped faces, said to be somebody's photo."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import msgspec

from obs_facelive.home import Home
from obs_facelive.personas.consent import Consent, stated, write_consent
from obs_facelive.personas.library import (
    THUMBNAIL_FILE,
    Kind,
    Persona,
    load_info,
    load_persona,
    save_persona,
    stored_persona,
)

NAME = "somebody"


def real_persona(home: Home, kind: Kind = "granted") -> Persona:
    """As it is in memory after somebody's photo was read, without a record."""
    shipped = load_persona(home.personas / home.persona_names()[1])
    info = msgspec.structs.replace(shipped.info, id=NAME, name="Somebody", kind=kind, origin="photo", files={})
    return replace(shipped, info=info)


def add_real_persona(home: Home, personas: Path, kind: Kind = "granted") -> Path:
    """Its folder in the library ``personas``, without a record."""
    persona = real_persona(home, kind)
    folder = save_persona(personas, persona, persona.texture)
    assert (folder / THUMBNAIL_FILE).is_file() and stored_persona(folder).info.real
    return folder


def consent_to(folder: Path, by: str = "Somebody", purpose: str = "tests") -> Consent:
    """Gives the record that it needs."""
    return write_consent(folder, stated(load_info(folder), by=by, purpose=purpose))


def home_with(home: Home, root: Path) -> Home:
    """A home of its own with the same environment and models, copies of two shipped personas, and nothing else."""
    other = Home(root)
    other.personas.mkdir(parents=True)
    for name in ("env", "models", "demo"):
        (other.root / name).symlink_to((home.root / name).resolve())
    # What is written there about this home's networks stays in it.
    (other.root / "cache").mkdir()
    for kept in (home.root / "cache").glob("*"):
        if kept not in (home.devices, home.known_models_file):
            (other.root / "cache" / kept.name).symlink_to(kept.resolve())
    for name in home.persona_names()[:2]:
        shutil.copytree(home.personas / name, other.personas / name)
    return other
