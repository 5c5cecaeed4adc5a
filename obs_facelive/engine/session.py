"""One filter's frames through one pipeline."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace

from obs_facelive.engine.adding import AddingDesk
from obs_facelive.engine.enrolling import EnrolmentDesk
from obs_facelive.engine.fetching import FetchingDesk
from obs_facelive.engine.governor import Governor, Load
from obs_facelive.engine.line import Job, Line
from obs_facelive.engine.loading import load
from obs_facelive.engine.patience import Patience
from obs_facelive.engine.slow import Slow
from obs_facelive.engine.stages import Stages
from obs_facelive.engine.stamp import Stamp
from obs_facelive.engine.told import in_words
from obs_facelive.engine.wardrobe import Loaded, Wardrobe, to_load
from obs_facelive.engine.worn import Refusal
from obs_facelive.fields import read
from obs_facelive.frame import Frame, Patch
from obs_facelive.link.layout import FAILED, LOADING, NO_FACE, NOT_ENROLLED, SWAPPED, TURNED
from obs_facelive.link.ring import EngineEnd
from obs_facelive.pipeline import Pipeline
from obs_facelive.quality import ENHANCING, LADDER, Rung
from obs_facelive.settings import Settings

log = logging.getLogger(__name__)

_REPORT_EVERY = 0.25
_TRY_AGAIN = 1.0
"""Seconds after which what could not be loaded is tried again: a file may have come back."""
_REST = 4.0
"""Times as long as a vain attempt took is rested after it: a network that nearly fits is not read once a second."""
_WARM_UP = 1.0
"""Seconds after a pipeline's first swap that say nothing about its speed: kernels and models are being fetched."""


@dataclass(frozen=True, slots=True)
class _Orders:
    """What is to be done with the next frame.

    Attributes
    ----------
    seq : sequence number of the settings
    loading : a pipeline is on its way
    refused : the status of all results while the persona may not be worn (`obs_facelive.engine.worn`); 0: it may
    """

    settings: Settings
    seq: int
    pipeline: Pipeline | None = None
    rung: Rung = LADDER[0]
    loading: bool = False
    refused: int = 0


class Session:
    """Serves one filter: follows its settings, swaps its newest frame, keeps to its budget of delay.

    Loading happens on ``loader``: what was loaded before goes on until the new is ready. The frames go through a `Line` of
    threads; `tend` is for one other thread, some times a frame.
    """

    def __init__(
        self, end: EngineEnd, stages: Stages, loader: Executor, stamp: Stamp | None = None, slow: Slow | None = None
    ) -> None:
        self._end, self._stages, self._loader, self._stamp, self._slow = end, stages, loader, stamp, slow
        self._orders = _Orders(Settings(), 0)
        self._line: Line | None = None
        self._loading: Future[Loaded] | None = None
        self._wardrobe = Wardrobe()
        self._taken_off: Pipeline | None = None
        self._loaded: Settings | None = None
        self._try_again = self._began = 0.0
        self._governor = Governor(Settings().most_delay)
        self._patience = Patience()
        self._desk = EnrolmentDesk(stages.recogniser, stages.remember, loader)
        self._adding = AddingDesk(stages.add, loader)
        self._fetching = FetchingDesk(stages.fetch, stages.fetcher)
        self._text = b""
        self._ordered: list[Callable[[bytes], None]] = []
        self._persona = self._load_error = self._frame_error = ""
        self._first_swap: float | None = None
        self._results = 0
        self._status = LOADING
        self._counted = (time.monotonic(), -1, 0, 0, 0)
        self._fps = self._swap_fps = 0.0

    def tend(self) -> None:
        """Does what there is to do, without waiting for anything."""
        self._follow_settings(time.monotonic())
        if self._orders.seq == 0:
            return
        self._look_after(time.monotonic())
        if self._line is None:
            self._line = Line(self._take, self._done, self._drop)
        if self._end.fresh():
            self._line.wake()
        self._desk.tend(self._orders.pipeline)
        while self._ordered:  # the command came with settings that only now are known
            self._ordered.pop()(self._text)
        self._adding.tend(time.monotonic())
        self._fetching.tend(time.monotonic())
        self._count(time.monotonic())

    def remember(self) -> None:
        """Enrols the face that is seen as the owner's; what becomes of it is told in the status."""
        self._desk.open()

    def add(self) -> None:
        """Adds the photo that the settings speak of to the library; what becomes of it is told in the status."""
        self._ordered.append(self._adding.open)

    def get(self) -> None:
        """Fetches the model that the settings speak of; what becomes of it is told in the status."""
        self._ordered.append(self._fetching.open)

    @property
    def started(self) -> bool:
        """Whether a face was swapped, or there was none."""
        return self._status in (SWAPPED, NO_FACE, TURNED, NOT_ENROLLED)

    def busy_for(self, now: float) -> float:
        """Seconds that one piece of work has already taken."""
        return self._line.busy_for(now) if self._line else 0.0

    def beat(self, count: int) -> None:
        """Says that the engine lives."""
        self._end.beat(count)

    def close(self) -> None:
        """Begins to end: work in hand is finished; see `try_unmap`."""
        if self._line:
            self._line.close()

    def try_unmap(self) -> bool:
        """Lets go of the block once nobody works in it any more; False: not yet."""
        if self._line and not self._line.closed:
            return False
        self._end.close()
        return True

    # Called by the line's threads

    def _take(self) -> Job | None:
        orders = self._orders
        # Where an empty picture is shown bare, each must have been looked at.
        if orders.settings.no_face != "camera" and not orders.refused and not self._patience.due(time.monotonic()):
            return None
        frame = self._end.take()
        if frame is None:
            return None
        return Job(frame, orders.settings, orders.seq, orders.pipeline, orders.rung)

    def _done(self, job: Job) -> None:
        # Its persona may not be seen any more, even where another one has been put on while this frame was on its way.
        if job.pipeline is not None and job.pipeline is self._taken_off:
            return
        forbidden = self._orders.refused
        status, patches, faces = forbidden or (LOADING if self._orders.loading else FAILED), list[Patch](), 0
        if (outcome := job.outcome) and not forbidden:
            faces, patches = len(outcome.faces), outcome.patches
            self._patience.saw(faces > 0 or outcome.company, time.monotonic())
            status = (
                NOT_ENROLLED if not outcome.enrolled else TURNED if outcome.turned else SWAPPED if faces else NO_FACE
            )
            if self._stamp:
                patches = patches + self._stamp.patches(job.frame)
        elif job.error and not forbidden:
            status = FAILED
        error = job.error
        if self._end.whole(job.frame):
            try:
                self._end.put(job.frame, status, patches, faces, job.seq)
            except ValueError as refused:
                status, error = FAILED, refused
                self._end.put(job.frame, status, [], faces, job.seq)
            self._results += 1
            self._status = status
            if status == SWAPPED and self._first_swap is None:
                self._first_swap = time.monotonic()
        if error:
            self._frame_error = in_words(error, self._frame_error)
        elif job.outcome:
            self._frame_error = ""

    def _drop(self, frame: Frame) -> None:
        self._end.give_back(frame)
        if self._line and self._end.fresh():
            self._line.wake()

    # Called by `tend`

    def _follow_settings(self, now: float) -> None:
        changed = self._end.settings()
        if changed:
            self._text = changed[1]
            settings, problems = read(self._text)
            for problem in problems:
                log.warning("%s", problem)
            self._govern(settings)
            self._orders = replace(self._orders, settings=settings, seq=changed[0])
        settings = self._orders.settings
        if self._orders.seq == 0:
            return
        wanted = self._loaded is not None and to_load(settings) == to_load(self._loaded)
        if self._loading is None and (not wanted or (self._load_error and now >= self._try_again)):
            self._loaded, self._began = settings, now
            self._loading = self._loader.submit(load, self._stages, settings, self._wardrobe.settings, self._slow)
        finished = self._loading is not None and self._loading.done()
        if finished:
            self._finish_loading(now)
        self._orders = replace(self._orders, loading=self._loading is not None)
        if (changed or finished) and self._loading is None and self._loaded and wanted:
            self._end.applied(self._orders.seq)

    def _finish_loading(self, now: float) -> None:
        assert self._loading and self._loaded
        try:
            loaded = self._loading.result()
            self._persona, self._load_error = loaded.worn.folder.name, loaded.problem
            self._try_again = now + _TRY_AGAIN  # where there is a problem
            self._publish()  # before the first picture, so that nobody sees one without its persona's name
            self._wardrobe.change(loaded, now)
            self._orders = replace(self._orders, pipeline=loaded.pipeline, refused=0)
            self._end.refuse(0)
            self._first_swap = None
        except Exception as error:
            self._load_error = in_words(error, self._load_error)
            self._try_again = now + max(_TRY_AGAIN, _REST * (now - self._began))
            # Whoever wears another persona goes on wearing that.
            if self._orders.pipeline is None and (refusal := Refusal.of(error)):
                self._publish()  # with the words that say what to do
                self._orders = replace(self._orders, refused=refusal.status)
                self._end.refuse(refusal.status)
        self._loading = None

    def _look_after(self, now: float) -> None:
        """Ends the swap where the worn persona may not be worn any more; what is on its way is not shown either."""
        if refusal := self._wardrobe.refusal(now):
            log.warning("%s", refusal.words)
            self._end.refuse(refusal.status)
            self._taken_off = self._orders.pipeline
            self._orders = replace(self._orders, pipeline=None, refused=refusal.status)
            self._persona, self._load_error = "", refusal.words
            self._try_again = now + _TRY_AGAIN  # it may be permitted anew
            self._publish()

    def _govern(self, settings: Settings) -> None:
        before = self._orders.settings
        if (settings.quality, bool(settings.enhancer)) != (before.quality, bool(before.enhancer)):
            ladder = ENHANCING if settings.enhancer else LADDER
            self._governor = Governor(settings.most_delay, ladder if settings.quality == "auto" else ladder[:1])
        self._governor.most_delay_ms = settings.most_delay

    def _count(self, now: float) -> None:
        """Some times a second: looks at what was achieved, and publishes it."""
        then, sent, kept, results, swaps = self._counted
        elapsed = now - then
        if elapsed < _REPORT_EVERY or not self._line:
            return
        # What is on its way is not lost.
        whole = self._results + self._end.on_their_way()
        self._counted = now, self._end.sent(), whole, self._results, self._line.swaps
        fps = (self._results - results) / elapsed
        camera_fps, kept_fps = (self._counted[1] - sent) / elapsed, max(0.0, (whole - kept) / elapsed)
        self._fps, self._swap_fps = (
            _smooth(self._fps, fps),
            _smooth(self._swap_fps, (self._line.swaps - swaps) / elapsed),
        )
        # Two personas at once cost more, for a moment: that is no reason to change the quality.
        warm = (
            self._first_swap is not None and now - self._first_swap - elapsed > _WARM_UP and not self._wardrobe.fading
        )
        if self._status == SWAPPED and self._orders.pipeline and warm:
            delay, lagged = self._end.feedback()
            times = self._orders.pipeline.stages_ms
            rung = self._governor.observe(Load(now, camera_fps, kept_fps, delay, times, lagged))
            self._orders = replace(self._orders, rung=rung)
        self._publish()

    def _publish(self) -> None:
        pipeline = self._orders.pipeline
        times = pipeline.stages_ms if pipeline else {}
        enhancing = pipeline.enhancing.problem if pipeline and pipeline.enhancing else ""
        report = {
            "fps": round(self._fps, 1),
            "swap_fps": round(self._swap_fps, 1),
            "stages_ms": {stage: round(ms, 2) for stage, ms in times.items()},
            "provider": self._stages.provider(self._orders.settings)[:300],
            "persona": self._persona,
            "error": (self._load_error or self._frame_error or enhancing)[:500],
            "enrolment": self._desk.words[:500],
            "adding": self._adding.words[:1000],
            "added": self._adding.added,
            "getting": self._fetching.words[:500],
            "rung": self._governor.rung.name,
            "rung_why": self._governor.why,
        }
        self._end.put_status(json.dumps(report).encode())


def _smooth(old: float, new: float) -> float:
    return new if old == 0 else 0.5 * (old + new)
