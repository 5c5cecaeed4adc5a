"""Photos on their way from the panel to the engine, and back as a persona that is put on. On the supervisor's thread."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable
from typing import Any, Final

from obs_facelive.link.order import BY, NAME, PHOTO, PURPOSE, WHOSE_FACE
from obs_facelive.obs import abi
from obs_facelive.obs.filter import SourceTypes
from obs_facelive.obs.instances import Instance
from obs_facelive.obs.ordering import Order, Ordering
from obs_facelive.obs.status import engine_report

NO_PICTURE: Final = (
    "Nothing was added: FaceLive's engine is not running here. Show a camera's picture and switch the swap on."
)
_FIELDS: Final = (PHOTO, NAME, WHOSE_FACE, BY, PURPOSE)


class Adding:
    """All filters' and cameras'."""

    def __init__(self, types: SourceTypes) -> None:
        self._types, self._words = types, types.rows.words
        self._obs = {name: abi.bind(types.libobs, name) for name in abi.FUNCTIONS}
        self._orders = Ordering(types, "add", self._order)
        self.ask = self._orders.ask

    def _order(self, data: int) -> Order:
        texts = {name: self._obs["obs_data_get_string"](data, name.encode()) for name in _FIELDS}
        return {name: ctypes.string_at(text).decode(errors="replace") if text else "" for name, text in texts.items()}

    def line(self, instance: Instance | None, row: int) -> str:
        """What there is to say about it, in words; empty if nothing is."""
        if self._orders.refused(row):
            return NO_PICTURE
        return engine_report(instance.block.memory).adding if instance and instance.block else ""

    def tend(self, instances: Iterable[Instance], tell: Callable[..., Any] | None, now: float) -> None:
        """Passes orders on, and puts on what was made of them; see `Ordering.tend`."""
        self._orders.tend(instances, tell, now)
        for instance in instances:
            self._put_on(instance)

    def _put_on(self, instance: Instance) -> None:
        added = engine_report(instance.block.memory).added if instance.block else ""
        if added == instance.added:
            return
        if added:
            source = self._types.strong_source(self._words[instance.row].ctypes.data)
            if not source:
                return
            self._types.scenes.change_settings(source, {**dict.fromkeys(_FIELDS, ""), "persona": added})
            self._obs["obs_source_release"](source)
        instance.added = added
