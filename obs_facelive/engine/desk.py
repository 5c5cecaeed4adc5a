"""A piece of work that takes long and was ordered in a panel: done beside the frames, told of in words."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Final

from obs_facelive.catalog import ModelError
from obs_facelive.personas.errors import PersonaError

log = logging.getLogger(__name__)

_SAID_FOR: Final = 120.0
"""Seconds for which the outcome is told: it is to be read, and something else looked for."""


class Desk:
    """One filter's, for one kind of work; one thread, but for the work itself.

    Parameters
    ----------
    failed : what is said before the reason, where nothing came of it
    worker : does what takes long

    Attributes
    ----------
    words : what is going on, for people; empty where nothing is
    """

    def __init__(self, failed: str, worker: Executor) -> None:
        self._failed, self._worker = failed, worker
        self._working: Future[str] | None = None
        self._until = 0.0
        self.words = ""

    @property
    def busy(self) -> bool:
        """Whether something is in hand."""
        return self._working is not None

    def begin(self, words: str, work: Callable[[], str]) -> None:
        """Sets about ``work``, which gives what is to be said afterwards, or raises `PersonaError` or `ModelError`."""
        self.words, self._until = words, float("inf")
        self._working = self._worker.submit(work)

    def refuse(self, why: object) -> None:
        """Says why nothing is done."""
        self.words, self._until = f"{self._failed}: {why}", 0.0

    def tend(self, now: float) -> None:
        """Goes on, at `time.monotonic`'s ``now``; never waits."""
        if self._working and self._working.done():
            try:
                self.words, self._until = self._working.result(), 0.0
            except (PersonaError, ModelError) as error:
                self.refuse(error)
            except Exception as error:  # what a person brings must not end the session
                log.exception("%s", self._failed)
                self.refuse(error or type(error).__name__)
            self._working = None
        if self._until == 0.0 and self.words:
            self._until = now + _SAID_FOR
        if now > self._until:
            self.words = ""
