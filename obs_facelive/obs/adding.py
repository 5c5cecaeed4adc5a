"""Photos on their way from the panel to the engine, and back as a persona that is put on. On the supervisor's thread."""

from __future__ import annotations

import ctypes
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from obs_facelive.link.order import BY, NAME, PHOTO, PURPOSE, WHOSE_FACE
from obs_facelive.obs import abi
from obs_facelive.obs import rows as r
from obs_facelive.obs.filter import SourceTypes
from obs_facelive.obs.instances import Instance
from obs_facelive.obs.status import engine_report

NO_PICTURE: Final = (
    "Nothing was added: FaceLive's engine is not running here. Show a camera's picture and switch the swap on."
)
_PATIENCE: Final = 5.0
"""Seconds that an order waits for the engine to know its settings."""


_FIELDS: Final = (PHOTO, NAME, WHOSE_FACE, BY, PURPOSE)


@dataclass(frozen=True, slots=True)
class _Asked:
    """An order: when it was given, and the settings that it is in."""

    since: float
    order: dict[str, str]


class Adding:
    """All filters' and cameras'."""

    def __init__(self, types: SourceTypes) -> None:
        self._types, self._words = types, types.rows.words
        self._obs = {name: abi.bind(types.libobs, name) for name in abi.FUNCTIONS}
        self._asked: dict[int, _Asked] = {}
        self._refused: set[int] = set()

    def ask(self, row: int) -> None:
        """The panel's button was pressed. On the UI thread, whose settings these are."""
        self._refused.discard(row)
        if source := self._types.strong_source(self._words[row].ctypes.data):
            self._asked[row] = _Asked(time.monotonic(), self._order(source))
            self._obs["obs_source_release"](source)

    def _order(self, source: int) -> dict[str, str]:
        data, order = self._obs["obs_source_get_settings"](source), dict[str, str]()
        for name in _FIELDS:
            text = self._obs["obs_data_get_string"](data, name.encode())
            order[name] = ctypes.string_at(text).decode(errors="replace") if text else ""
        self._obs["obs_data_release"](data)
        return order

    def _known(self, instance: Instance, order: dict[str, str]) -> bool:
        """Whether the engine has the settings that the button was pressed with: libobs tells a filter of them a frame later."""
        block, sent = instance.block, self._words[instance.row, r.JSON_SEQ]
        if not block or block.link[r.L_SENT_SEQ] != sent:
            return False
        try:
            known = json.loads(self._types.rows.json(instance.row))
        except (ValueError, RecursionError):  # it is being written, or made to harm
            return False
        return isinstance(known, dict) and all(known.get(name, "") == text for name, text in order.items())

    def line(self, instance: Instance | None, row: int) -> str:
        """What there is to say about it, in words; empty if nothing is."""
        if row in self._refused:
            return NO_PICTURE
        return engine_report(instance.block.memory).adding if instance and instance.block else ""

    def tend(self, instances: Iterable[Instance], tell: Callable[..., Any] | None, now: float) -> None:
        """Passes orders on, and puts on what was made of them; ``tell`` sends the engine a command, None without an engine."""
        for instance in instances:
            if asked := self._asked.get(instance.row):
                if tell and instance.block and self._known(instance, asked.order):
                    tell(add=instance.block.memory.name)
                elif now - asked.since > _PATIENCE:
                    self._refused.add(instance.row)
                else:
                    continue
                self._asked.pop(instance.row, None)
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
