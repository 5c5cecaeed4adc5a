"""Where photos from the panel become personas: in the loader's thread, while the frames go on; says how it goes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Final, TypeAlias

from obs_facelive.catalog import ModelError
from obs_facelive.link.order import Order, read_order
from obs_facelive.personas.add import AddReport, Progress
from obs_facelive.personas.errors import PersonaError

log = logging.getLogger(__name__)

Add: TypeAlias = Callable[[Order, Progress], AddReport]
_SAID_FOR: Final = 120.0
"""Seconds for which the outcome is told: it is to be read, and another photo looked for."""


class AddingDesk:
    """One filter's; one thread, but for the work itself.

    Parameters
    ----------
    add : makes the persona; takes seconds. Raises `PersonaError` or `ModelError`
    worker : does what takes long

    Attributes
    ----------
    words : what is going on, for people; empty where nothing is
    added : id of the persona that was made last; empty before
    """

    def __init__(self, add: Add, worker: Executor) -> None:
        self._add, self._worker = add, worker
        self._working: Future[AddReport] | None = None
        self._until = 0.0
        self.words = self.added = ""

    def open(self, settings: bytes) -> None:
        """Begins with the photo that ``settings`` speak of, unless another is in hand."""
        if self._working:
            return
        self._until = float("inf")
        try:
            order = read_order(settings)
        except ValueError as error:
            self.words, self._until = f"Nothing was added: {error}.", 0.0
            return
        self.words, self.added = "Adding the photo …", ""
        self._working = self._worker.submit(self._add, order, self._progress)

    def tend(self, now: float) -> None:
        """Goes on, at `time.monotonic`'s ``now``; never waits."""
        if self._working and self._working.done():
            try:
                report = self._working.result()
                self.words, self.added = told(report), report.info.id
            except (PersonaError, ModelError) as error:
                self.words = f"Nothing was added: {error}"
            except Exception as error:  # a photo must not end the session
                log.exception("a photo could not be added")
                self.words = f"Nothing was added: {error or type(error).__name__}"
            self._working, self._until = None, 0.0
        if self._until == 0.0 and self.words:
            self._until = now + _SAID_FOR
        if now > self._until:
            self.words = ""

    def _progress(self, done: int, steps: int, words: str) -> None:
        self.words = f"Adding the photo, step {done + 1} of {steps}: {words} …"


def told(report: AddReport) -> str:
    """What became of a photo, and what would make a better persona, in one line."""
    judgement = report.photos[report.best].judgement
    parts = [f"{report.info.name} was added"]
    if judgement:
        parts[0] += f": the photo is {judgement.word} ({judgement.score} of 100)"
        parts += [f"{remark.text[:1].upper()}{remark.text[1:]}. {remark.better}" for remark in judgement.remarks[:3]]
    return ". ".join(part.rstrip(".") for part in parts) + "."
