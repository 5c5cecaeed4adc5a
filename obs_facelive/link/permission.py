"""Consent that is given or taken back in the panel, as a filter's settings speak of it: checked by the engine."""

from __future__ import annotations

from typing import Annotated

import msgspec

GIVEN_BY, GIVEN_FOR = "consent_by", "consent_for"
"""Names of the settings. They are no part of `obs_facelive.settings`: nothing of them says what is shown."""


class Permission(msgspec.Struct, frozen=True):
    """What somebody states.

    Attributes
    ----------
    persona : its id; empty: the first one
    consent_by, consent_for : see `obs_facelive.personas.consent.stated`
    """

    persona: Annotated[str, msgspec.Meta(max_length=64)] = ""
    consent_by: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    consent_for: Annotated[str, msgspec.Meta(max_length=1000)] = ""


def read_permission(text: bytes) -> Permission:
    """The statement in a filter's settings. Raises `ValueError`, in words for people."""
    try:
        return msgspec.json.decode(text, type=Permission)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"the settings of the consent cannot be read: {error}") from error
