"""The settings one by one, for whoever shows or parses them, and what more a panel holds.

Standard library and msgspec only: OBS's own interpreter imports it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from obs_facelive.settings import Settings


@dataclass(frozen=True)
class Field:
    """One setting, described for whoever shows or parses it.

    Attributes
    ----------
    kind : ``bool``, ``int``, ``choice`` or ``text``
    low, high : range of an ``int`` (both ends belong to it)
    choices : value → label of a ``choice``
    """

    name: str
    kind: Literal["bool", "int", "choice", "text"]
    default: bool | int | str
    title: str
    help: str
    group: str
    unit: str
    low: int
    high: int
    choices: dict[str, str]


def _field(name: str, hint: Any, default: bool | int | str) -> Field:
    metas: list[msgspec.Meta] = []
    while get_origin(hint) is Annotated:
        hint, *more = get_args(hint)
        metas += [m for m in more if isinstance(m, msgspec.Meta)]
    about = next(m for m in metas if m.title)
    extra = about.extra or {}
    kind: Literal["bool", "int", "choice", "text"] = (
        "choice" if get_origin(hint) is Literal else "bool" if hint is bool else "int" if hint is int else "text"
    )
    low, high = (next((getattr(m, end) for m in metas if getattr(m, end) is not None), 0) for end in ("ge", "le"))
    return Field(
        name=name,
        kind=kind,
        default=default,
        title=about.title or name,
        help=about.description or "",
        group=extra["group"],
        unit=extra["unit"],
        low=int(low),
        high=int(high),
        choices=dict(extra["choices"]),
    )


CAMERA = Field(
    name="camera",
    kind="text",
    default="",
    title="Camera",
    help="The source that you wear the persona on. It is hidden in the scenes that show this one, and stays hidden.",
    group="Camera",
    unit="",
    low=0,
    high=0,
    choices={},
)
"""What a FaceLive camera has and a filter has not: the name of the source that it shows."""

IN_STEP = Field(
    name="in_step:",
    kind="bool",
    default=False,
    title="Keep {} in step",
    help=(
        "Your picture comes a little later than your voice. This source is delayed as much: OBS's sync offset (Advanced "
        "Audio Properties) becomes your own offset plus the picture's delay. Untick it and your own one is back; set another "
        "one by hand and the tick goes away."
    ),
    group="Sound",
    unit="",
    low=0,
    high=0,
    choices={},
)
"""One for each source that has sound: its name follows the field's name, and takes the place of the title's braces."""


def in_step_key(source: str) -> str:
    """The setting's name for a source that has sound."""
    return IN_STEP.name + source


def in_step_names(text: bytes | str) -> frozenset[str] | None:
    """The sources that are ticked in a filter's JSON; None if that is no JSON object."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(raw, dict):
        return None
    return frozenset(key[len(IN_STEP.name) :] for key, on in raw.items() if key.startswith(IN_STEP.name) and on is True)


def fields() -> list[Field]:
    """All settings in the order in which a person meets them."""
    hints = get_type_hints(Settings, include_extras=True)
    defaults = msgspec.structs.asdict(Settings())
    return [_field(name, hints[name], defaults[name]) for name in Settings.__struct_fields__]


def read(text: bytes | str) -> tuple[Settings, list[str]]:
    """Settings out of JSON that anybody may have written (OBS's scene file, obs-websocket, a person).

    Returns the settings and, for people, what was wrong: a number out of range goes to the range's end, any other bad
    value to its default; unknown names are left alone. Never raises on bad input.
    """
    try:
        raw = json.loads(text)
    except (ValueError, UnicodeDecodeError, RecursionError) as error:
        return Settings(), [f"settings are not JSON ({error}); the defaults are used"]
    if not isinstance(raw, dict):
        return Settings(), ["settings are not a JSON object; the defaults are used"]
    values: dict[str, Any] = {}
    problems: list[str] = []
    for field in fields():
        if field.name not in raw:
            continue
        value = raw[field.name]
        good: Any = field.default
        if (
            field.kind == "int"
            and isinstance(value, int | float)
            and not isinstance(value, bool)
            and abs(value) < 2**53
        ):
            good = min(max(round(value), field.low), field.high)
        elif (
            (field.kind == "choice" and isinstance(value, str) and value in field.choices)
            or (field.kind == "bool" and isinstance(value, bool))
            or (field.kind == "text" and isinstance(value, str))
        ):
            good = value
        if good != value:
            problems.append(f"{field.name}: {_short(value)} is not possible; {good!r} is used")
        values[field.name] = good
    return Settings(**values), problems


def _short(value: object) -> str:
    words = repr(value)
    return words if len(words) <= 100 else words[:99] + "…"
