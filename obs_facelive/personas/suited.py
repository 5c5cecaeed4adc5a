"""A persona's own settings: what suits its face, wherever the person has not chosen otherwise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

import msgspec

from obs_facelive import fields
from obs_facelive.settings import Settings

POSSIBLE: Final = frozenset(
    (
        "opacity",
        "keep_eyes",
        "keep_mouth",
        "shape",
        "eye_colour",
        "mask_size",
        "mask_softness",
        "match_neck",
        "colour_match",
    )
)
"""What a persona may say: how its face is blended. Who is seen and what is said about it is the wearer's to decide."""


def suited_problem(own: Mapping[str, bool | int | str]) -> str:
    """What is wrong with a persona's own settings, in words for people; empty if nothing is."""
    for name in own:
        if name not in POSSIBLE:
            return f"the setting {name!r} is none that a persona can have"
    _, problems = fields.read(json.dumps(dict(own)))
    return "; ".join(problems)


def suited(chosen: Settings, own: Mapping[str, bool | int | str]) -> Settings:
    """``chosen`` with the persona's ``own`` settings where they are at their defaults."""
    if not own:
        return chosen
    default = msgspec.structs.asdict(Settings())
    taken = {name: value for name, value in own.items() if getattr(chosen, name) == default[name]}
    return msgspec.structs.replace(chosen, **taken) if taken else chosen
