"""One filter's frames through one pipeline."""

from __future__ import annotations

import json
import logging
import time
from concurrent.futures import Executor, Future

import numpy as np

from obs_facelive.engine.patience import Patience
from obs_facelive.engine.stages import PROVIDERS, Stages
from obs_facelive.engine.stamp import Stamp
from obs_facelive.frame import Patch
from obs_facelive.link.layout import FAILED, LOADING, NO_FACE, SWAPPED, TURNED
from obs_facelive.link.ring import EngineEnd
from obs_facelive.pipeline import Pipeline
from obs_facelive.settings import Settings, read

log = logging.getLogger(__name__)

_REPORT_EVERY = 0.25


class Session:
    """Serves one filter: follows its settings, swaps its newest frame.

    Loading happens on ``loader``, never here: what was loaded before goes on until the new is ready.
    """

    def __init__(self, end: EngineEnd, stages: Stages, loader: Executor, stamp: Stamp | None = None) -> None:
        self._end, self._stages, self._loader, self._stamp = end, stages, loader, stamp
        self._settings = Settings()
        self._seq = 0
        self._pipeline: Pipeline | None = None
        self._loading: Future[Pipeline] | None = None
        self._loaded: Settings | None = None
        self._persona = self._error = ""
        self._error_in_frame = False
        self._patience = Patience()
        self._results = 0
        self._reported = time.monotonic()
        self._fps = 0.0

    def step(self) -> bool:
        """Does what there is to do; False if that was nothing."""
        self._follow_settings()
        if self._seq == 0:
            return False
        # Where an empty picture is shown bare, each must have been looked at.
        patient = self._settings.no_face != "camera"
        frame = self._end.take() if not patient or self._patience.due(time.monotonic()) else None
        if frame is None:
            self._report()
            return False
        status, patches, faces = LOADING, list[Patch](), 0
        if self._pipeline:
            try:
                outcome = self._pipeline.process(frame, self._settings)
                faces, patches = len(outcome.faces), outcome.patches
                self._patience.saw(faces > 0, time.monotonic())
                status = TURNED if outcome.turned else SWAPPED if faces else NO_FACE
                if self._stamp:
                    patches += self._stamp.patches(frame)
                if self._error_in_frame:
                    self._error, self._error_in_frame = "", False
            except Exception as error:  # one bad frame must not end the session; the picture is covered meanwhile
                status, patches, self._error_in_frame = FAILED, [], True
                self._failed(error)
        elif not self._loading:
            status = FAILED
        if self._end.whole(frame):
            self._end.put(frame, status, patches, faces, self._seq)
            self._results += 1
        self._end.give_back(frame)
        self._report()
        return True

    def beat(self, count: int) -> None:
        """Says that the engine lives."""
        self._end.beat(count)

    def close(self) -> None:
        """Lets go of the block."""
        self._end.close()

    def _follow_settings(self) -> None:
        changed = self._end.settings()
        if changed:
            self._seq = changed[0]
            self._settings, problems = read(changed[1])
            for problem in problems:
                log.warning("%s", problem)
        wanted = _to_load(self._settings)
        if (self._loaded is None or wanted != _to_load(self._loaded)) and self._loading is None:
            self._loaded = self._settings
            self._loading = self._loader.submit(self._stages.pipeline, self._settings)
        if self._loaded and self._loading and self._loading.done():
            try:
                self._pipeline = self._loading.result()
                self._persona, self._error = self._stages.persona_folder(self._loaded).name, ""
                self._publish()  # before the first picture, so that nobody sees one without its persona's name
            except Exception as error:
                self._failed(error)
            self._loading = None
            changed = (self._seq, b"")
        if changed and self._loading is None and self._loaded and wanted == _to_load(self._loaded):
            self._end.applied(self._seq)

    def _failed(self, error: Exception) -> None:
        words = str(error) or type(error).__name__
        if words != self._error:
            log.error("%s", words, exc_info=error)
        self._error = words

    def _report(self) -> None:
        now = time.monotonic()
        elapsed = now - self._reported
        if elapsed < _REPORT_EVERY:
            return
        rate = self._results / elapsed
        self._fps = rate if self._fps == 0 else self._fps * 0.5 + rate * 0.5
        self._results, self._reported = 0, now
        self._publish()

    def _publish(self) -> None:
        stages = self._pipeline.stopwatch.ms if self._pipeline else {}
        report = {
            "fps": round(self._fps, 1),
            "stages_ms": {k: round(float(np.float64(v)), 2) for k, v in stages.items()},
            "provider": PROVIDERS[self._stages.device(self._settings)],
            "persona": self._persona,
            "error": self._error[:500],
        }
        self._end.put_status(json.dumps(report).encode())


def _to_load(settings: Settings) -> tuple[str, str, str]:
    """What needs loading when it changes; everything else takes effect with the next frame."""
    return settings.persona, settings.engine, settings.device
