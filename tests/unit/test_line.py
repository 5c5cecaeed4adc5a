"""Three threads, one order: nothing is shown twice or too late, nothing is kept for ever, nothing broken is shown."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as example
from hypothesis import strategies as st

from obs_facelive.engine.line import Job, Line, SwapError
from obs_facelive.frame import Face, Frame, Layer
from obs_facelive.pipeline import Pipeline
from obs_facelive.quality import LADDER, Rung
from obs_facelive.settings import Settings
from obs_facelive.steps import Looked, Outcome, Swapped

FULL, EVERY_SECOND, OWN_PACE = LADDER[0], LADDER[3], LADDER[4]
FACE = Face(1, np.zeros((478, 3), np.float32), np.zeros(52, np.float32), 1.0)
NOISE = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
OPAQUE = np.full((64, 64), 255, np.uint8)


def frame(number: int) -> Frame:
    return Frame(np.zeros((64, 64, 4), np.uint8), number, number / 30)


class Steps:
    """A pipeline whose steps are told what to do; `swapped_from` says which frame's swap a shown frame carries."""

    def __init__(self) -> None:
        self.may_swap = threading.Event()
        self.may_swap.set()
        self.fails: set[tuple[str, int]] = set()
        self.empty: set[int] = set()
        self.flat: set[int] = set()
        self.looked_at: list[int] = []
        self.swapping: list[int] = []
        self.moves = True
        self.swapped_from: dict[int, int] = {}

    def look(self, picture: Frame, settings: Settings, rung: Rung) -> Looked:
        self.looked_at.append(picture.id)
        self._fail("look", picture)
        return Looked(picture, [] if picture.id in self.empty else [FACE])

    def swap(self, looked: Looked, settings: Settings, rung: Rung) -> Swapped:
        self.swapping.append(looked.frame.id)
        assert self.may_swap.wait(20)
        self._fail("swap", looked.frame)
        pixels = np.zeros_like(NOISE) if looked.frame.id in self.flat else NOISE
        return Swapped(looked, [Layer(0, 0, pixels, OPAQUE)])

    def rewarp(self, swapped: Swapped, looked: Looked) -> Swapped | None:
        self.swapped_from[looked.frame.id] = swapped.looked.frame.id
        return Swapped(looked, swapped.layers) if self.moves else None

    def merge(self, looked: Looked, swapped: Swapped, settings: Settings) -> Outcome:
        self._fail("merge", looked.frame)
        return Outcome(looked.faces, [])

    def _fail(self, step: str, picture: Frame) -> None:
        if (step, picture.id) in self.fails:
            raise ValueError(f"{step} {picture.id}")


def until(what: str, test: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not test():
        assert time.monotonic() < end, what
        time.sleep(0.001)


class Running:
    """A line with a queue of frames before it, and what came out."""

    def __init__(self) -> None:
        self.steps, self.rung = Steps(), FULL
        self.waiting: deque[Frame] = deque()
        self.taken: list[int] = []
        self.dropped: list[int] = []
        self.done: list[Job] = []
        self.pipeline: Pipeline | None = cast(Pipeline, self.steps)
        self.line = Line(self._take, self.done.append, lambda picture: self.dropped.append(picture.id))

    def _take(self) -> Job | None:
        if not self.waiting:
            return None
        picture = self.waiting.popleft()
        self.taken.append(picture.id)
        return Job(picture, Settings(), 1, self.pipeline, self.rung)

    def send(self, *numbers: int) -> None:
        for number in numbers:
            self.waiting.append(frame(number))
        self.line.wake()

    def send_slowly(self, *numbers: int) -> None:
        """One after the other: each has come to its end before the next."""
        for number in numbers:
            self.send(number)
            self.settle()

    def shows(self, number: int) -> bool:
        return self.shown[-1] == number

    def settle(self) -> None:
        until("the frames to be dropped", lambda: not self.waiting and sorted(self.dropped) == sorted(self.taken))

    @property
    def shown(self) -> list[int]:
        return [job.frame.id for job in self.done]


@pytest.fixture()
def running() -> Iterator[Running]:
    made = Running()
    yield made
    made.steps.may_swap.set()
    made.line.close()
    until("the threads to end", lambda: made.line.closed)


def test_every_frame_is_shown_and_given_back_once(running: Running) -> None:
    running.send_slowly(*range(20))
    assert running.shown == running.dropped == list(range(20))
    assert all(job.outcome and not job.error for job in running.done)
    assert running.line.swaps == 20


def test_in_a_crowd_the_newest_win_and_the_order_is_kept(running: Running) -> None:
    running.send(*range(200))
    running.settle()
    assert running.shown == sorted(set(running.shown))
    assert running.shown[-1] == 199
    assert sorted(running.dropped) == list(range(200))


def test_where_each_frame_is_swapped_nothing_is_looked_at_in_vain(running: Running) -> None:
    running.steps.may_swap.clear()
    running.send(*range(10))
    until("the swapper to have one", lambda: running.steps.swapping == [0])
    until("one more to be looked at", lambda: running.steps.looked_at == [0, 1])
    assert len(running.waiting) == 8  # and they go stale where they are: in the ring, where the newest wins
    running.steps.may_swap.set()
    running.settle()
    assert running.shown[-1] == 9


def test_a_swapper_at_its_own_pace_does_not_hold_the_picture_up(running: Running) -> None:
    running.rung = OWN_PACE
    running.send_slowly(0)
    running.steps.may_swap.clear()
    running.send(1)
    until("the swapper to have the next", lambda: running.steps.swapping[-1] == 1)
    for number in range(2, 9):
        running.send(number)
        until(f"{number} to be shown", partial(running.shows, number))
    assert running.steps.swapped_from[8] == 0
    running.steps.may_swap.set()
    running.settle()
    running.send_slowly(9)
    running.steps.may_swap.clear()
    running.send(10)
    until("it to be shown", partial(running.shows, 10))
    running.steps.may_swap.set()
    running.settle()
    assert running.shown == sorted(set(running.shown))
    assert running.steps.swapped_from[10] > 0


def test_every_second_frame_is_swapped(running: Running) -> None:
    running.rung = EVERY_SECOND
    running.send_slowly(*range(10))
    assert running.steps.swapping == [0, 2, 4, 6, 8]
    assert running.shown == list(range(10))


def test_a_face_that_a_swap_fits_no_more_is_not_shown(running: Running) -> None:
    running.rung = OWN_PACE
    running.send_slowly(0)
    running.steps.moves = False
    running.steps.may_swap.clear()
    running.send(1)
    until("the swapper to have it", lambda: running.steps.swapping[-1] == 1)
    running.send(2, 3)
    until("both to be looked at", lambda: running.steps.looked_at[-1] == 3)
    assert running.shown == [0]
    running.steps.may_swap.set()
    running.settle()
    assert running.shown[-1] == 3  # late, with a swap of its own


def test_nobody_wears_what_was_made_for_another_persona(running: Running) -> None:
    running.rung = OWN_PACE
    running.send_slowly(0)
    other = Steps()
    other.may_swap.clear()
    running.pipeline = cast(Pipeline, other)
    running.send(1)
    until("the new swapper to have it", lambda: other.swapping == [1])
    running.send(2)
    until("it to be looked at", lambda: other.looked_at == [1, 2])
    assert running.shown == [0] and not other.swapped_from
    other.may_swap.set()
    running.settle()


def test_without_faces_the_swapper_is_not_asked(running: Running) -> None:
    running.steps.empty = {0, 1}
    running.send_slowly(0, 1, 2)
    assert running.steps.swapping == [2]
    assert [job.outcome.faces if job.outcome else None for job in running.done] == [[], [], [FACE]]


@pytest.mark.parametrize("rung", [FULL, EVERY_SECOND, OWN_PACE], ids=lambda rung: rung.name)
@pytest.mark.parametrize("step", ["look", "swap", "merge"])
def test_an_error_is_told_and_the_next_frame_is_another_chance(running: Running, step: str, rung: Rung) -> None:
    running.rung = rung
    running.steps.fails = {(step, 0)}
    running.send_slowly(0, 1, 2, 3)
    errors = [job for job in running.done if job.error]
    assert [str(job.error) for job in errors] == [f"{step} 0"] and not errors[0].outcome
    assert running.shown[-1] == 3 and running.done[-1].outcome


@pytest.mark.parametrize("rung", [FULL, OWN_PACE], ids=lambda rung: rung.name)
def test_a_flat_picture_is_an_error_and_is_never_moved(running: Running, rung: Rung) -> None:
    running.rung, running.steps.flat = rung, {1, 2, 3}
    running.send_slowly(0, 1, 2, 3)
    assert all(isinstance(job.error, SwapError) or job.frame.id in (0, 1) for job in running.done)
    assert sum(isinstance(job.error, SwapError) for job in running.done) == 3
    assert set(running.steps.swapped_from.values()) <= {0}  # 1 may show 0's, before its own has come to nothing


def test_without_a_pipeline_frames_come_back_as_they_are(running: Running) -> None:
    running.pipeline = None
    running.send_slowly(0, 1)
    assert running.shown == [0, 1]
    assert not any(job.outcome or job.error for job in running.done)


def test_work_that_does_not_end_is_seen(running: Running) -> None:
    assert running.line.busy_for(time.monotonic()) == 0.0
    running.steps.may_swap.clear()
    running.send(0)
    until("the swapper to have it", lambda: running.steps.swapping)
    assert running.line.busy_for(time.monotonic() + 60) >= 60
    running.steps.may_swap.set()
    running.settle()
    until("nobody to be busy", lambda: running.line.busy_for(time.monotonic()) == 0.0)


def test_a_dead_thread_is_seen_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    def no(_: Any) -> None:
        raise RuntimeError("no")

    jobs = deque([Job(frame(0), Settings(), 1, None)])
    line = Line(lambda: jobs.popleft() if jobs else None, no, lambda _: None)
    line.wake()
    until("the thread to die", lambda: line.busy_for(time.monotonic()) == float("inf"))
    assert "ended" in caplog.text
    line.close()
    until("the others to end", lambda: line.closed)


def test_closing_gives_every_frame_back(running: Running) -> None:
    running.steps.may_swap.clear()
    running.send(*range(5))
    until("two to be taken", lambda: running.steps.looked_at == [0, 1])
    running.line.close()
    running.steps.may_swap.set()
    until("the threads to end", lambda: running.line.closed)
    assert sorted(running.dropped) == sorted(running.taken)


@example(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(LADDER), st.sampled_from("...elsmf"), st.booleans()), max_size=40))
def test_whatever_happens_frames_come_in_order_and_none_is_lost(plan: list[tuple[Rung, str, bool]]) -> None:
    running = Running()
    try:
        for number, (rung, event, wait) in enumerate(plan):
            if step := {"l": "look", "s": "swap", "m": "merge"}.get(event):
                running.steps.fails.add((step, number))
            elif event in "ef":
                (running.steps.empty if event == "e" else running.steps.flat).add(number)
            running.rung = rung
            running.send(number)
            if wait:
                running.settle()
        running.settle()
    finally:
        running.line.close()
        until("the threads to end", lambda: running.line.closed)
    assert sorted(running.dropped) == sorted(running.taken) == list(range(len(plan)))
    good = [job.frame.id for job in running.done if not job.error]
    assert good == sorted(set(good))
    assert not running.steps.flat & set(running.steps.swapped_from.values())
