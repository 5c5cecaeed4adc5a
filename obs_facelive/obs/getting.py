"""Known models on their way from the panel to the engine, which fetches them. On the supervisor's thread."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable
from typing import Any, Final

from obs_facelive.home import Home
from obs_facelive.link.wanted import GET_FILE, accept_key
from obs_facelive.obs import abi
from obs_facelive.obs.filter import SourceTypes
from obs_facelive.obs.instances import Instance
from obs_facelive.obs.ordering import Order, Ordering
from obs_facelive.obs.status import engine_report

NO_PICTURE: Final = (
    "No model was fetched: FaceLive's engine is not running here. Show a camera's picture and switch the swap on."
)


class Getting:
    """All filters' and cameras'."""

    def __init__(self, types: SourceTypes, home: Home) -> None:
        self._home = home
        self._obs = {name: abi.bind(types.libobs, name) for name in abi.FUNCTIONS}
        self._orders = Ordering(types, "get", self._order)
        self.ask = self._orders.ask

    def _order(self, data: int) -> Order:
        text = self._obs["obs_data_get_string"](data, GET_FILE.encode())
        keys = {accept_key(known.licence) for known in self._home.known_models() if not known.free}
        accepted = {key: bool(self._obs["obs_data_get_bool"](data, key.encode())) for key in keys}
        return {GET_FILE: ctypes.string_at(text).decode(errors="replace") if text else "", **accepted}

    def line(self, instance: Instance | None, row: int) -> str:
        """What there is to say about it, in words; empty if nothing is."""
        if self._orders.refused(row):
            return NO_PICTURE
        return engine_report(instance.block.memory).getting if instance and instance.block else ""

    def tend(self, instances: Iterable[Instance], tell: Callable[..., Any] | None, now: float) -> None:
        """Passes orders on; see `Ordering.tend`."""
        self._orders.tend(instances, tell, now)
