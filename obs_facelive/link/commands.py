"""What OBS tells the engine over its standard input: one JSON object a line. Checked here, wholly, before anybody uses it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Annotated, Final

import msgspec

from obs_facelive.link.layout import MAX_CAPACITY, MAX_PATCH_CAPACITY
from obs_facelive.link.memory import NAME

LINE_BYTES: Final = 1024
"""Longest line that can be a command."""

_Name = Annotated[str, msgspec.Meta(pattern=NAME)]


class Open(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"name": "open"}):
    """Serve the block ``name``; capacities are bytes of an input slot and of an output slot."""

    name: _Name
    capacity: Annotated[int, msgspec.Meta(ge=8, le=MAX_CAPACITY, multiple_of=8)]
    patch_capacity: Annotated[int, msgspec.Meta(ge=8, le=MAX_PATCH_CAPACITY, multiple_of=8)]


class Close(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"name": "close"}):
    """Let go of the block ``name``."""

    name: _Name


def read(line: bytes) -> Open | Close:
    """The command in ``line``. Raises `ValueError`, and nothing else, where there is none."""
    kinds: tuple[type[Open | Close], ...] = (Open, Close)
    reasons: list[str] = []
    for kind in kinds:
        try:
            return msgspec.json.decode(line, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            reasons.append(str(error))
    raise ValueError(f"neither open ({reasons[0]}) nor close ({reasons[1]})")


def lines(stream: IO[bytes]) -> Iterator[bytes]:
    """The lines of ``stream`` until its end; one longer than `LINE_BYTES` comes as an empty one, and is never held whole."""
    whole = True
    while part := stream.readline(LINE_BYTES):
        ends = part.endswith(b"\n")
        if ends:
            yield part if whole else b""
        whole = ends
