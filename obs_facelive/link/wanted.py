"""A known model to be fetched, as a filter's settings speak of it: written by the panel, checked by the engine."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Final

GET_FILE: Final = "get_file"
"""Name of the setting that says which. It is no part of `obs_facelive.settings`: nothing of it says what is shown."""
_ACCEPT: Final = "get_accept:"
_LONGEST: Final = 200


def accept_key(licence: str) -> str:
    """Name of the setting by which somebody accepts the licence of these words, and no other."""
    return _ACCEPT + hashlib.sha256(licence.encode(errors="replace")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be fetched.

    Attributes
    ----------
    file : its name among those that are known
    accepted : settings (see `accept_key`) that are ticked
    """

    file: str
    accepted: frozenset[str]


def read_wanted(text: bytes) -> Wanted:
    """The order in a filter's settings. Raises `ValueError`, in words for people, where there is none."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the settings of the model cannot be read: {error}") from error
    file = raw.get(GET_FILE) if isinstance(raw, dict) else None
    if not isinstance(file, str) or not 0 < len(file) <= _LONGEST:
        raise ValueError("choose a model first")
    return Wanted(file, frozenset(key for key, on in raw.items() if key.startswith(_ACCEPT) and on is True))
