"""One filter's frames on their way through three threads: look, swap, merge. The slowest sets the pace, not the sum.

::

    take ─► look ─┬─► [swap] ─► swap ─┬─► [merge] ─► merge ─► done
                  │                   └─ its newest work, for frames that are re-warped
                  └───────── no swap of their own ─────┘

Between two threads is room for one frame, and the newest wins. Where each frame is swapped, a look waits until the swapper has
taken the frame before, so that it begins with the newest picture there is and nothing is looked at in vain.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from obs_facelive.engine.mailbox import Mailbox
from obs_facelive.frame import Frame
from obs_facelive.pipeline import Pipeline, unswapped
from obs_facelive.quality import LADDER, Rung
from obs_facelive.settings import Settings
from obs_facelive.steps import Looked, Outcome, Swapped
from obs_facelive.swap.sane import sane

log = logging.getLogger(__name__)


class SwapError(Exception):
    """The swapper's work must not be seen."""


@dataclass(frozen=True, slots=True)
class Job:
    """A frame on its way, and what is to happen to it: the settings of the moment when it was taken.

    Attributes
    ----------
    seq : sequence number of the settings
    pipeline : None while there is none yet
    outcome, error : what became of it; neither where there was no pipeline
    """

    frame: Frame
    settings: Settings
    seq: int
    pipeline: Pipeline | None
    rung: Rung = LADDER[0]
    looked: Looked | None = None
    swapped: Swapped | None = None
    outcome: Outcome | None = None
    error: Exception | None = None


class Line:
    """The three threads of one session.

    Parameters
    ----------
    take : gives the next frame to be worked on, or None if there is none now; called by the look thread
    done : gets each finished job, in the frames' order; called by the merge thread
    drop : gets each frame that nobody works on any more, exactly once, from any thread

    Attributes
    ----------
    swaps : swaps finished so far
    """

    def __init__(
        self, take: Callable[[], Job | None], done: Callable[[Job], None], drop: Callable[[Frame], None]
    ) -> None:
        self._take, self._done, self._drop = take, done, drop
        self._to_swap, self._to_merge = Mailbox[Job](), Mailbox[Job]()
        self._lock = threading.Lock()
        self._holders: dict[int, int] = {}
        self._wake = threading.Event()
        self._closed = False
        self._newest: tuple[Pipeline, Swapped] | None = None
        self._last = -1
        self._busy: dict[str, float] = {}
        self.swaps = 0
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), name=work.__name__.strip("_"), daemon=True)
            for work in (self._look, self._swap, self._merge)
        ]
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """There may be a new frame."""
        self._wake.set()

    def busy_for(self, now: float) -> float:
        """Seconds that the slowest call now under way has taken at `time.monotonic`'s ``now``; infinity if a thread died."""
        return max((now - began for began in list(self._busy.values())), default=0.0)

    def close(self) -> None:
        """Ends the threads after the work in hand; does not wait for them."""
        self._closed = True
        self._wake.set()
        for box in (self._to_swap, self._to_merge):
            if job := box.close():
                self._let_go(job.frame)

    @property
    def closed(self) -> bool:
        """Whether all threads have ended."""
        return not any(thread.is_alive() for thread in self._threads)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            log.exception("the thread '%s' ended", threading.current_thread().name)
            self._busy["dead"] = float("-inf")

    @contextmanager
    def _working(self, stage: str) -> Iterator[None]:
        self._busy[stage] = time.monotonic()
        try:
            yield
        finally:
            self._busy.pop(stage, None)

    def _hold(self, frame: Frame) -> None:
        with self._lock:
            self._holders[frame.id] = self._holders.get(frame.id, 0) + 1

    def _let_go(self, frame: Frame) -> None:
        with self._lock:
            left = self._holders.pop(frame.id) - 1
            if left:
                self._holders[frame.id] = left
        if not left:
            self._drop(frame)

    def _hand(self, box: Mailbox[Job], job: Job) -> None:
        self._hold(job.frame)
        if left := box.put(job):
            self._let_go(left.frame)

    def _look(self) -> None:
        exact, turn = True, 0
        while not self._closed:
            self._wake.wait()
            self._wake.clear()
            while not self._closed:
                if exact:
                    self._to_swap.wait_empty()
                job = self._take()
                if job is None:
                    break
                self._hold(job.frame)
                with self._working("look"):
                    job = self._looked(job)
                every = job.rung.swap_every
                exact = every == 1
                shown = bool(job.looked and job.looked.faces and not job.looked.turned)
                if not shown or not exact:
                    self._hand(self._to_merge, job)
                if shown and (every == 0 or turn % every == 0):
                    self._hand(self._to_swap, job)
                turn += 1
                self._let_go(job.frame)

    def _looked(self, job: Job) -> Job:
        if not job.pipeline:
            return job
        try:
            looked = job.pipeline.look(job.frame, job.settings, job.rung)
        except Exception as error:  # one bad frame must not end the session; the picture is covered meanwhile
            return replace(job, error=error)
        if looked.faces and not looked.turned:
            return replace(job, looked=looked)
        return replace(job, looked=looked, outcome=unswapped(looked))

    def _swap(self) -> None:
        while (job := self._to_swap.take()) is not None:
            with self._working("swap"):
                job = self._swapped(job)
            self.swaps += 1
            # Where others are re-warped, they have overtaken this one, unless there was nothing to re-warp.
            if job.rung.swap_every == 1 or job.error or self._last < job.frame.id:
                self._hand(self._to_merge, job)
            self._let_go(job.frame)

    def _swapped(self, job: Job) -> Job:
        assert job.pipeline and job.looked
        try:
            swapped = job.pipeline.swap(job.looked, job.settings, job.rung)
            if not all(sane(layer) for layer in swapped.layers):
                raise SwapError("the swapper's picture is empty: one flat colour. Its model may be broken.")
        except Exception as error:
            self._newest = None
            return replace(job, error=error)
        self._newest = job.pipeline, swapped
        return replace(job, swapped=swapped)

    def _merge(self) -> None:
        while (job := self._to_merge.take()) is not None:
            if job.frame.id > self._last or job.error:
                with self._working("merge"):
                    finished = self._merged(job)
                if finished:
                    self._last = max(self._last, job.frame.id)
                    self._done(finished)
            self._let_go(job.frame)

    def _merged(self, job: Job) -> Job | None:
        """None: the frame can only be shown when it is swapped itself."""
        if not job.pipeline or not job.looked or job.outcome or job.error:
            return job
        try:
            swapped = job.swapped
            if swapped is None:
                newest = self._newest
                if newest is None or newest[0] is not job.pipeline:
                    return None
                swapped = job.pipeline.rewarp(newest[1], job.looked)
                if swapped is None:
                    return None
            return replace(job, outcome=job.pipeline.merge(job.looked, swapped, job.settings))
        except Exception as error:
            return replace(job, error=error)
