"""Where a filter's owner is enrolled: looks for two seconds, keeps what was seen, says how it went."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Final

from obs_facelive.catalog import ModelError
from obs_facelive.identity.collector import Collector
from obs_facelive.identity.enrolment import Enrolment, EnrolmentError
from obs_facelive.identity.owner import Embedder
from obs_facelive.pipeline import Pipeline

log = logging.getLogger(__name__)

_PATIENCE: Final = 10.0
"""Seconds after which no pictures are coming."""
_SAID_FOR: Final = 20.0
"""Seconds for which the outcome is told."""


class EnrolmentDesk:
    """Enrols whom one filter's camera sees. All but the collector's work happens on one thread.

    Parameters
    ----------
    recogniser : may take half a second when it is asked for first
    save : keeps an enrolment; what is kept. Raises `EnrolmentError`
    worker : does what takes long

    Attributes
    ----------
    words : what is going on, for people; empty where nothing is
    """

    def __init__(
        self, recogniser: Callable[[], Embedder], save: Callable[[Enrolment], Enrolment], worker: Executor
    ) -> None:
        self._recogniser, self._save, self._worker = recogniser, save, worker
        self._collector: Collector | None = None
        self._saving: Future[Enrolment] | None = None
        self._since = 0.0
        self.words = ""

    def open(self) -> None:
        """Begins anew."""
        self._collector, self._saving = Collector(self._recogniser), None
        self._since = time.monotonic()
        self.words = "remembering your face: look into the camera, and turn your head a little"

    def tend(self, pipeline: Pipeline | None) -> None:
        """Goes on; ``pipeline`` is the one that is shown the camera's frames now, if any."""
        now = time.monotonic()
        if self._collector:
            if pipeline:
                pipeline.collector = self._collector
            late = now - self._since > _PATIENCE
            if self._collector.finished or late:
                if pipeline:
                    pipeline.collector = None
                self._saving = self._worker.submit(self._keep, self._collector)
                self._collector = None
        elif self._saving:
            if not self._saving.done():
                return
            try:
                self._say(f"your face is remembered ({len(self._saving.result().poses)} pictures)", now)
            except (EnrolmentError, ModelError) as error:
                self._say(str(error), now)
                log.warning("enrolment: %s", error)
            self._saving = None
        elif self.words and now - self._since > _SAID_FOR:
            self.words = ""

    def _keep(self, collector: Collector) -> Enrolment:
        return self._save(collector.enrolment())

    def _say(self, words: str, now: float) -> None:
        self.words, self._since = words, now
