"""A persona that is whole, and so small that hundreds can be written and read in a test."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from obs_facelive.frame import Pixels
from obs_facelive.personas.info import Kind, Origin, PersonaInfo
from obs_facelive.personas.library import MOUTH, Persona, save_persona


def tiny_persona(
    personas: Path,
    name: str = "tiny",
    kind: Kind = "synthetic",
    origin: Origin = "pack",
    photos: int = 2,
    seed: int = 0,
) -> Path:
    """Its folder under ``personas``. Another ``seed`` gives another face."""
    random = np.random.default_rng(seed)
    vector = random.normal(size=128)
    persona = Persona(
        info=PersonaInfo(id=name, name=name.title(), kind=kind, origin=origin, licence="CC0-1.0", tags=("small",)),
        texture=random.integers(0, 255, (64, 64, 3), np.uint8),
        skin=np.zeros(3, np.float32),
        expressions=np.zeros((0, 52), np.float32),
        neutral=np.zeros(52, np.float32),
        lines=np.zeros((0, 16, 16), np.int8),
        mouths=np.zeros((0, *MOUTH, 3), np.uint8),
        gaps=np.zeros(0, np.float32),
        shape=random.normal(size=(468, 3)).astype(np.float32),
        iris=np.zeros(3, np.float32),
        embedding=(vector / np.linalg.norm(vector)).astype(np.float32),
    )
    pictures = [_picture(random) for _ in range(photos)]
    return save_persona(personas, persona, _picture(random), pictures)


def _picture(random: np.random.Generator) -> Pixels:
    return np.full((32, 32, 3), random.integers(0, 255), np.uint8)
