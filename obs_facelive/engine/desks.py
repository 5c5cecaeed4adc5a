"""What the panel may order of one filter's engine, beside its frames."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Final

from obs_facelive.engine.adding import AddingDesk
from obs_facelive.engine.consenting import ConsentDesk
from obs_facelive.engine.fetching import FetchingDesk
from obs_facelive.engine.stages import Stages
from obs_facelive.link.commands import Add, Get, Ordered, Permit, Withdraw

_MOST: Final = 1000
"""Characters of what is said of one of them."""


class Desks:
    """One session's; one thread."""

    def __init__(self, stages: Stages, loader: Executor) -> None:
        self._adding = AddingDesk(stages.add, loader)
        self._fetching = FetchingDesk(stages.fetch, stages.fetcher)
        self._consent = ConsentDesk(stages.persona_folder, stages.is_owner, loader)
        self._open: dict[type[Ordered], Callable[[bytes], None]] = {
            Add: self._adding.open,
            Get: self._fetching.open,
            Permit: self._consent.permit,
            Withdraw: self._consent.withdraw,
        }
        self._ordered: list[type[Ordered]] = []

    def order(self, kind: type[Ordered]) -> None:
        """Remembers an order: the command may come before the settings that say more."""
        self._ordered.append(kind)

    def tend(self, settings: bytes, now: float) -> None:
        """Takes orders by ``settings``, and goes on, at `time.monotonic`'s ``now``; never waits."""
        while self._ordered:
            self._open[self._ordered.pop(0)](settings)
        for desk in (self._adding, self._fetching, self._consent):
            desk.tend(now)

    def said(self) -> dict[str, str]:
        """For the status."""
        words = {"adding": self._adding, "getting": self._fetching, "consent": self._consent}
        return {name: desk.words[:_MOST] for name, desk in words.items()} | {"added": self._adding.added}
