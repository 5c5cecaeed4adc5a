"""A photo to be added to the library, as a filter's settings speak of it: written by the panel, checked by the engine."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

Whose = Literal["self", "granted", "synthetic"]
WHOSE: Final[dict[Whose, str]] = {
    "self": "My own face",
    "granted": "Somebody who gave me permission",
    "synthetic": "Nobody's: a made-up picture, as I declare",
}
PHOTO, NAME, WHOSE_FACE, BY, PURPOSE = "add_photo", "add_name", "add_whose", "add_by", "add_for"
"""Names of the settings. They are no part of `obs_facelive.settings`: nothing of them says what is shown."""


def _text(most: int) -> msgspec.Meta:
    return msgspec.Meta(max_length=most)


class _Raw(msgspec.Struct, frozen=True):
    """Settings that have nothing else that matters here."""

    add_photo: Annotated[str, _text(4096)] = ""
    add_name: Annotated[str, _text(200)] = ""
    add_whose: Annotated[str, _text(20)] = ""
    add_by: Annotated[str, _text(1000)] = ""
    add_for: Annotated[str, _text(1000)] = ""


class Order(msgspec.Struct, frozen=True):
    """What is to be added.

    Attributes
    ----------
    photo : path of the file, not looked at yet
    name : for people
    whose, by, purpose : see `obs_facelive.personas.consent.stated`
    """

    photo: str
    name: str
    whose: Whose
    by: str
    purpose: str


def read_order(text: bytes) -> Order:
    """The order in a filter's settings. Raises `ValueError`, in words for people, where something is missing or wrong."""
    try:
        raw = msgspec.json.decode(text, type=_Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"the settings of the photo cannot be read: {error}") from error
    if not raw.add_photo or "\0" in raw.add_photo:
        raise ValueError("choose a photo first")
    if not raw.add_name.strip():
        raise ValueError("give the persona a name")
    for whose in WHOSE:
        if raw.add_whose == whose:
            return Order(raw.add_photo, raw.add_name, whose, raw.add_by, raw.add_for)
    raise ValueError("say whose face it is")
