"""How a mixed person was made, in a few words: whose, how much of whom, and a seed; and the recipes that FaceLive ships."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from obs_facelive.personas.library import Persona, PersonaError, persona_id

METHOD = 1
"""Counts up whenever the same parents, weights and seed would give another person."""
SHIPPED_FILE = Path(__file__).parent / "mixes.toml"
FEWEST, MOST = 2, 6
"""Parents."""
MAX_SEED = 999_999_999
_SHARE = msgspec.Meta(ge=1, le=1000)


class MixError(PersonaError):
    """What is asked for is no mix; the text says why."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mix to be made.

    Attributes
    ----------
    name : for people
    parents : their ids
    ratio : how much of whom, in whatever unit, one number a parent
    seed : which of all their children
    tags : words to find the persona by
    """

    name: str
    parents: Annotated[tuple[str, ...], msgspec.Meta(min_length=FEWEST, max_length=MOST)]
    ratio: tuple[Annotated[int, _SHARE], ...]
    seed: Annotated[int, msgspec.Meta(ge=0, le=MAX_SEED)]
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.ratio) != len(self.parents):
            raise ValueError(f"{len(self.parents)} parents need as many numbers in the ratio, not {len(self.ratio)}")
        if len(set(self.parents)) < len(self.parents):
            raise ValueError("a parent is named twice: say with the ratio how much of whom")

    @property
    def id(self) -> str:
        """The persona's."""
        return persona_id(self.name)

    @property
    def weights(self) -> list[float]:
        """The ratio, 1 together."""
        return [share / sum(self.ratio) for share in self.ratio]

    def record(self, parents: Sequence[Persona]) -> dict[str, Any]:
        """What is written into the persona's description."""
        return {
            "method": METHOD,
            "parents": [{"id": parent.info.id, "digest": parent.info.digest} for parent in parents],
            "ratio": list(self.ratio),
            "seed": self.seed,
        }


def recipe_of(name: str, parents: Sequence[str], ratio: str, seed: int) -> Recipe:
    """The recipe that somebody asks for; ``ratio`` as ``60:40``, or empty for equal shares. Raises `MixError`."""
    if not FEWEST <= len(parents) <= MOST:
        raise MixError(f"a mix needs {FEWEST} to {MOST} parents, and {len(parents)} are named.")
    parts = ratio.split(":") if ratio else ["1"] * len(parents)
    if not all(part.strip().isascii() and part.strip().isdigit() and 1 <= int(part) <= 1000 for part in parts):
        raise MixError(f"the ratio {ratio!r} is not understood: write whole numbers from 1 to 1000, as in 60:40.")
    if len(parts) != len(parents):
        raise MixError(f"the ratio {ratio} has {len(parts)} numbers, and there are {len(parents)} parents: one each.")
    shares = tuple(int(part) for part in parts)
    try:
        recipe = Recipe(name=name, parents=tuple(parents), ratio=shares, seed=seed)
        return msgspec.convert(msgspec.to_builtins(recipe), Recipe)
    except (ValueError, msgspec.ValidationError) as error:
        raise MixError(f"this cannot be mixed: {error}.") from error


def shipped_recipes(file: Path = SHIPPED_FILE) -> tuple[Recipe, ...]:
    """The recipes in ``file``, a TOML file. Raises `PersonaError` where one is malformed, or two make the same persona."""
    try:
        recipes = msgspec.toml.decode(file.read_bytes(), type=dict[str, tuple[Recipe, ...]]).get("mix", ())
    except (OSError, msgspec.DecodeError) as error:
        raise PersonaError(f"{file}: {error}") from error
    ids = [recipe.id for recipe in recipes]
    if twice := sorted({id for id in ids if ids.count(id) > 1}):
        raise PersonaError(f"{file}: there are two mixes with the id {twice[0]}")
    return recipes
