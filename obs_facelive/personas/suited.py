"""A persona's own settings: what suits its face, wherever the person has not chosen otherwise."""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec

from obs_facelive import settings

NEVER = frozenset(
    (
        "swap",
        "persona",
        "crossfade_ms",
        "privacy",
        "no_face",
        "hold_ms",
        "face",
        "badge",
        "badge_style",
        "badge_size",
        "badge_language",
        "view",
        "engine",
        "device",
        "quality",
        "most_delay",
    )
)
"""What is the wearer's to decide and no persona's: who is seen, what is said about it, what the computer does."""


def suited_problem(own: Mapping[str, bool | int | str]) -> str:
    """What is wrong with a persona's own settings, in words for people; empty if nothing is."""
    possible = {field.name for field in settings.fields()} - NEVER
    for name in own:
        if name not in possible:
            return f"the setting {name!r} is none that a persona can have"
    _, problems = settings.read(json.dumps(dict(own)))
    return "; ".join(problems)


def suited(chosen: settings.Settings, own: Mapping[str, bool | int | str]) -> settings.Settings:
    """``chosen`` with the persona's ``own`` settings where they are at their defaults."""
    default = msgspec.structs.asdict(settings.Settings())
    taken = {name: value for name, value in own.items() if getattr(chosen, name) == default[name]}
    return msgspec.structs.replace(chosen, **taken) if taken else chosen
