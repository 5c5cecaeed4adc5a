"""Orders on their way from the panel to the engine, which finds them in its settings. On the supervisor's thread."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from obs_facelive.obs import abi
from obs_facelive.obs import rows as r
from obs_facelive.obs.filter import SourceTypes
from obs_facelive.obs.instances import Instance

_PATIENCE: Final = 5.0
"""Seconds that an order waits for the engine to know its settings."""

Order: TypeAlias = dict[str, str | bool]
"""Settings by name."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """An order: when it was given, and the settings that it is in."""

    since: float
    order: Order


class Orders(Protocol):
    """All filters' and cameras' orders of one kind."""

    def line(self, instance: Instance | None, row: int) -> str:
        """What there is to say about them, in words; empty if nothing is."""
        ...

    def tend(self, instances: Iterable[Instance], tell: Callable[..., Any] | None, now: float) -> None:
        """See `Ordering.tend`."""
        ...


class Ordering:
    """One kind of order, of all filters and cameras.

    Parameters
    ----------
    command : what the engine is told, with the name of a block
    order : reads it from the ``obs_data_t`` at an address
    """

    def __init__(self, types: SourceTypes, command: str, order: Callable[[int], Order]) -> None:
        self._types, self._words = types, types.rows.words
        self._command, self._order = command, order
        self._obs = {name: abi.bind(types.libobs, name) for name in abi.FUNCTIONS}
        self._asked: dict[int, _Asked] = {}
        self._refused: set[int] = set()

    def ask(self, row: int) -> None:
        """The panel's button was pressed. On the UI thread, whose settings these are."""
        self._refused.discard(row)
        if source := self._types.strong_source(self._words[row].ctypes.data):
            data = self._obs["obs_source_get_settings"](source)
            self._asked[row] = _Asked(time.monotonic(), self._order(data))
            self._obs["obs_data_release"](data)
            self._obs["obs_source_release"](source)

    def refused(self, row: int) -> bool:
        """Whether the last order of that row met no engine."""
        return row in self._refused

    def tend(self, instances: Iterable[Instance], tell: Callable[..., Any] | None, now: float) -> None:
        """Passes orders on; ``tell`` sends the engine a command, None without an engine."""
        for instance in instances:
            if not (asked := self._asked.get(instance.row)):
                continue
            if tell and instance.block and self._known(instance, asked.order):
                tell(**{self._command: instance.block.memory.name})
            elif now - asked.since > _PATIENCE:
                self._refused.add(instance.row)
            else:
                continue
            self._asked.pop(instance.row, None)

    def _known(self, instance: Instance, order: Order) -> bool:
        """Whether the engine has the settings that the button was pressed with: libobs tells a filter of them a frame later."""
        block, sent = instance.block, self._words[instance.row, r.JSON_SEQ]
        if not block or block.link[r.L_SENT_SEQ] != sent:
            return False
        try:
            known = json.loads(self._types.rows.json(instance.row))
        except (ValueError, RecursionError):  # it is being written, or made to harm
            return False
        return isinstance(known, dict) and all(known.get(name, type(said)()) == said for name, said in order.items())
