"""Photos on their way from the panel to the engine, and back as a persona that is put on. On the supervisor's thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
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


class Adding:
    """All filters' and cameras'."""

    def __init__(self, types: SourceTypes) -> None:
        self._types, self._words = types, types.rows.words
        self._release = abi.bind(types.libobs, "obs_source_release")
        self._asked: dict[int, float] = {}
        self._refused: set[int] = set()

    def ask(self, row: int) -> None:
        """The panel's button was pressed; from any thread."""
        self._refused.discard(row)
        self._asked[row] = time.monotonic()

    def line(self, instance: Instance | None, row: int) -> str:
        """What there is to say about it, in words; empty if nothing is."""
        if row in self._refused:
            return NO_PICTURE
        return engine_report(instance.block.memory).adding if instance and instance.block else ""

    def tend(self, instances: Iterable[Instance], tell: Callable[..., Any] | None, now: float) -> None:
        """Passes orders on, and puts on what was made of them; ``tell`` sends the engine a command, None without an engine."""
        for instance in instances:
            if (since := self._asked.get(instance.row)) is not None:
                block = instance.block
                # The engine reads the order in the settings: it must have the newest.
                current = block and block.link[r.L_SENT_SEQ] == self._words[instance.row, r.JSON_SEQ]
                if tell and block and current:
                    tell(add=block.memory.name)
                elif now - since > _PATIENCE:
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
            empty = dict.fromkeys((PHOTO, NAME, WHOSE_FACE, BY, PURPOSE), "")
            self._types.scenes.change_settings(source, {**empty, "persona": added})
            self._release(source)
        instance.added = added
