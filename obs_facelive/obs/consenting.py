"""Consent on its way from the panel to the engine, which records it. On the supervisor's thread."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable, Iterable
from typing import Any, Final

from obs_facelive.home import Home
from obs_facelive.link.permission import GIVEN_BY, GIVEN_FOR
from obs_facelive.obs import abi
from obs_facelive.obs.filter import SourceTypes
from obs_facelive.obs.instances import Instance
from obs_facelive.obs.ordering import Order, Ordering
from obs_facelive.obs.status import engine_report
from obs_facelive.personas.errors import PersonaError
from obs_facelive.personas.info import load_info

NO_PICTURE: Final = (
    "Nothing was recorded: FaceLive's engine is not running here. Show a camera's picture and switch the swap on."
)


class Consenting:
    """All filters' and cameras'."""

    def __init__(self, types: SourceTypes, home: Home) -> None:
        self._rows, self._home = types.rows, home
        self._obs = {name: abi.bind(types.libobs, name) for name in abi.FUNCTIONS}
        self._given, self._taken = (Ordering(types, command, self._order) for command in ("permit", "withdraw"))
        self.permit, self.withdraw = self._given.ask, self._taken.ask

    def _order(self, data: int) -> Order:
        texts = {
            name: self._obs["obs_data_get_string"](data, name.encode()) for name in ("persona", GIVEN_BY, GIVEN_FOR)
        }
        return {name: ctypes.string_at(text).decode(errors="replace") if text else "" for name, text in texts.items()}

    def needed(self, row: int) -> bool:
        """Whether the persona that is chosen there is worn only with consent."""
        return needs_consent(self._home, self._rows.json(row))

    def line(self, instance: Instance | None, row: int) -> str:
        """What there is to say about it, in words; empty if nothing is."""
        if self._given.refused(row) or self._taken.refused(row):
            return NO_PICTURE
        return engine_report(instance.block.memory).consent if instance and instance.block else ""

    def tend(self, instances: Iterable[Instance], tell: Callable[..., Any] | None, now: float) -> None:
        """Passes orders on; see `Ordering.tend`."""
        for orders in (self._given, self._taken):
            orders.tend(instances, tell, now)


def needs_consent(home: Home, settings: bytes) -> bool:
    """Whether the persona that a filter's ``settings`` name counts as a real person's face; also where nobody can tell."""
    try:
        persona = json.loads(settings).get("persona")
        return bool(persona) and load_info(home.personas / str(persona)).real
    except (ValueError, AttributeError, RecursionError):  # being written, or made to harm
        return False
    except PersonaError:
        return True
