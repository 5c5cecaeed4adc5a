"""Two honest ends that stop each other in the middle of whatever they do."""

from __future__ import annotations

import threading
from collections.abc import Callable

import hypothesis
from hypothesis import strategies as st

from obs_facelive.link import layout as at
from obs_facelive.obs import rows as r
from tests.link.fuzz.world import (
    CAPACITY,
    HEIGHT,
    INPUTS,
    OUTPUTS,
    PATCH_CAPACITY,
    WIDTH,
    Engine,
    Point,
    World,
    patches_of,
    pixels,
    points,
)


def kind(offset: int) -> str:
    """What lies there: a word of the header by its number, or a part of the rings."""
    if offset < INPUTS[0]:
        return str(offset // 8)
    for name, bases, words in (("out", OUTPUTS, at.RESULT_WORDS), ("in", INPUTS, at.SLOT_WORDS)):
        for base in reversed(bases):
            if offset >= base:
                word = (offset - base) // 8
                return f"{name} {'seq' if word == 0 else 'words' if word < words else 'pixels'}"
    raise AssertionError(offset)


_rings = [f"{ring} {part}" for ring in ("in", "out") for part in ("seq", "words", "pixels")]
KINDS = [str(word) for word in (at.INPUT_NEWEST, at.INPUT_READING, at.OUTPUT_NEWEST, at.OUTPUT_READING)] + _rings

WINDOWS = (
    # The engine has looked which frame is the newest; OBS writes two more, the second one over it; it is marked, and taken.
    [(str(at.INPUT_READING), 1), ("in seq", 4), ("in pixels", 1), ("in seq", 2)],
    [(str(at.INPUT_READING), 1), ("in seq", 5), ("in pixels", 1), ("in pixels", 1)],
    # OBS has looked which result is the newest; the engine writes two more, the second one over it, while it is read.
    [(str(at.OUTPUT_READING), 1), ("out seq", 5), ("out seq", 2), ("out words", 3), ("out words", 3)],
    [(str(at.OUTPUT_READING), 1), ("out seq", 5), ("out words", 1), ("out words", 9), ("out pixels", 2)],
)
"""Where two that do not wait for each other come closest."""


class Turns:
    """Two threads, one of which runs, until it is about to touch something of a kind for the n-th time: ``plan``."""

    def __init__(self, plan: list[tuple[str, int]]) -> None:
        self._plan = iter(plan)
        self._go = (threading.Semaphore(0), threading.Semaphore(0))
        self._gone = False
        self._draw()

    def _draw(self) -> None:
        self._kind, self._left = next(self._plan, ("", 0))

    def point(self, me: int, offset: int) -> None:
        if self._gone or kind(offset) != self._kind:
            return
        self._left -= 1
        if self._left == 0:
            self._draw()
            self._go[1 - me].release()
            self._go[me].acquire()

    def wait(self, me: int) -> None:
        self._go[me].acquire()

    def leave(self, me: int) -> None:
        """Ends; the other runs on alone."""
        self._gone = True
        self._go[1 - me].release()


def side_by_side(world: World, plan: bytes, engine: Callable[[Point], None], obs: Callable[[], None]) -> None:
    """Runs both, in two threads that take turns as ``plan`` says: two bytes a turn."""
    turns: list[tuple[str, int]] = []
    for which, count in zip(plan[::2], plan[1::2], strict=False):
        if which < 128:
            turns.append((KINDS[which % len(KINDS)], 1 + count % 6))
        else:
            turns += WINDOWS[which % len(WINDOWS)]
    turn = Turns(turns)
    failed: list[BaseException] = []

    def of_obs() -> None:
        turn.wait(1)
        try:
            obs()
        except BaseException as error:
            failed.append(error)
        turn.leave(1)

    def point(offset: int) -> None:
        turn.point(0, offset)

    thread = threading.Thread(target=of_obs)
    thread.start()
    try:
        with points(world, point, lambda offset: turn.point(1, offset)):
            engine(point)
            turn.leave(0)
            thread.join()
    except BaseException:
        turn.leave(0)
        thread.join()
        raise
    if failed:
        raise failed[0]


plans = st.binary(min_size=16, max_size=100)


@hypothesis.given(plans, st.binary(min_size=4, max_size=24), st.binary(min_size=4, max_size=24))
def race(world: World, plan: bytes, engine_work: bytes, obs_work: bytes) -> None:
    """Whatever is accepted is whole: frames in the engine, results in OBS."""
    world.begin("race", plan, engine_work, obs_work)
    block, obs_end = world.block.theirs.address, world.obs.obs_end
    number = 0

    def send() -> None:
        nonlocal number
        number += 1
        width, height = 1 + number % WIDTH, 1 + number % 2
        world.obs.picture.write(0, pixels(number, width, height))
        obs_end.send_frame(block, CAPACITY, number, 0, world.obs.picture.address, width * 4, width, height)

    def look() -> None:
        base = obs_end.open_result(block, CAPACITY, PATCH_CAPACITY)
        if not base:
            return
        load = world.obs.space.load
        seq, frame = load(base + 8 * at.RESULT_SEQ), load(base + 8 * at.RESULT_FRAME)
        found = []
        for index in range(obs_end.patch_count(base)):
            x, y, w, h, data = obs_end.patch(base, index, WIDTH, HEIGHT, PATCH_CAPACITY)
            if w:
                world.obs.space.copy(world.obs.picture.address, data, w * h * 4)
            found.append((x, y, w, h, world.obs.picture.read(0, w * h * 4)))
        if not obs_end.close_result(block, base, seq):
            world.seen["results torn"] += 1
        else:
            world.seen["results accepted"] += 1
            assert found == patches_of(frame, 1 + frame % WIDTH, 1 + frame % 2), f"the result for {frame} is torn"

    def obs() -> None:
        for what in obs_work:
            (send, look)[what % 2]()

    def at_work(point: Point) -> None:
        engine = Engine(world.seen)
        for index, what in enumerate(engine_work):
            if what % 4 == 0:
                engine.put(1000 + index)
                continue
            engine.take()
            if what % 4 > 1:
                engine.finish(what, point, True)
        engine.close()

    send()
    side_by_side(world, plan, at_work, obs)


@hypothesis.given(plans, st.binary(min_size=1, max_size=12), st.integers(1, 8))
def race_to_the_screen(world: World, plan: bytes, engine_work: bytes, ticks: int) -> None:
    """Whatever a viewer sees is of one moment."""
    world.begin("race_to_the_screen", plan, engine_work, ticks)
    for _ in range(3):  # the first frame is on its way
        world.obs.tick()

    def obs() -> None:
        for _ in range(ticks):
            world.obs.tick()
            drawing = world.obs.shown()
            if drawing is not None:
                world.seen["pictures shown"] += 1
                made = patches_of(drawing.picture, WIDTH, HEIGHT)
                assert drawing.patches == made, f"picture {drawing.picture} is torn"

    def at_work(point: Point) -> None:
        engine = Engine(world.seen)
        for what in engine_work:
            engine.take()
            if what % 3:
                engine.finish(what, point, True)
            else:
                engine.rest()
        engine.close()

    side_by_side(world, plan, at_work, obs)
    world.seen["results torn"] += int(world.obs.row[r.TORN])
    assert world.obs.row[r.BAD_RESULTS] == 0
