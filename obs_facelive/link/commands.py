"""What OBS tells the engine over its standard input: one JSON object a line. Checked here, wholly, before anybody uses it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Annotated, Final, TypeAlias

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


class Remember(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"name": "remember"}):
    """Remember the face that is seen in the block ``name`` as the owner's."""

    name: _Name


class Add(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"name": "add"}):
    """Add the photo that the settings in the block ``name`` speak of (`obs_facelive.link.order`) to the library."""

    name: _Name


class Get(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"name": "get"}):
    """Fetch the known model that the settings in the block ``name`` speak of (`obs_facelive.link.wanted`)."""

    name: _Name


class Permit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"name": "permit"}):
    """Record the consent that the settings in the block ``name`` speak of (`obs_facelive.link.permission`)."""

    name: _Name


class Withdraw(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"name": "withdraw"}):
    """Take back the consent for the persona that the settings in the block ``name`` speak of."""

    name: _Name


Ordered: TypeAlias = Add | Get | Permit | Withdraw
Command: TypeAlias = Open | Close | Remember | Ordered


def read(line: bytes) -> Command:
    """The command in ``line``. Raises `ValueError`, and nothing else, where there is none."""
    kinds: tuple[type[Command], ...] = (Open, Close, Remember, Add, Get, Permit, Withdraw)
    reasons: list[str] = []
    for kind in kinds:
        try:
            return msgspec.json.decode(line, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            reasons.append(str(error))
    names = ("open", "close", "remember", "add", "get", "permit", "withdraw")
    raise ValueError("neither " + " nor ".join(f"{name} ({why})" for name, why in zip(names, reasons, strict=True)))


def lines(stream: IO[bytes]) -> Iterator[bytes]:
    """The lines of ``stream`` until its end; one longer than `LINE_BYTES` comes as an empty one, and is never held whole."""
    whole = True
    while part := stream.readline(LINE_BYTES):
        ends = part.endswith(b"\n")
        if ends:
            yield part if whole else b""
        whole = ends
