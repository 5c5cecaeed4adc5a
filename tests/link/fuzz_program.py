"""Fuzzes the link, in a process of its own: whoever touches what is not theirs kills it.

``python -m tests.link.fuzz_program CASE SEED FLAW MACHINE=EXAMPLES ...``: CASE is a file that holds the case that is being
tried, FLAW one of `FLAWS`, planted to see whether it is found, or ``-``. Prints a JSON object of figures for each machine.
"""

from __future__ import annotations

import ctypes
import faulthandler
import json
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import hypothesis
import numpy as np
from hypothesis import strategies as st

from obs_facelive.frame import Frame, Patch
from obs_facelive.link import layout as at
from obs_facelive.link import obs_end, ring
from obs_facelive.link.memory import SharedMemory
from obs_facelive.obs import rows as r
from obs_facelive.obs.status import engine_report
from obs_facelive.settings import read
from tests.link.guarded import PAGE, Guarded
from tests.link.interpreted import ObsSide

WIDTH, HEIGHT = 16, 12
CAPACITY, PATCH_CAPACITY = WIDTH * HEIGHT * 4, 4480
SIZE = at.block_bytes(CAPACITY, PATCH_CAPACITY)
assert SIZE % PAGE == 0, "the guard is where the block ends"
INPUTS = [at.input_offset(slot, CAPACITY) for slot in range(at.INPUT_SLOTS)]
OUTPUTS = [at.output_offset(slot, CAPACITY, PATCH_CAPACITY) for slot in range(at.OUTPUT_SLOTS)]
NAME = "fl-" + "0" * 22


def pixels(number: int, width: int, height: int) -> bytes:
    """The camera's picture of that number: each of its pixels says which it is."""
    return ((number * 0x9E3779B1 + 1) & 0xFFFFFFFF).to_bytes(4, "little") * (width * height)


def patches_of(number: int, width: int, height: int) -> list[tuple[int, int, int, int, bytes]]:
    """What the engine makes of that picture."""
    wide, high = 1 + number % width, 1 + number % height
    places = ((0, 0, wide, high), (width - wide, height - high, wide, high))
    return [(x, y, w, h, pixels(~number, w, h)) for x, y, w, h in places[: 1 + number % 2]]


class Block:
    """The shared memory, as `SharedMemory` shows it to the engine's end: between two guards."""

    def __init__(self) -> None:
        self._shared = SharedMemory.create(SIZE)
        fd = os.open(Path("/dev/shm", self._shared.name), os.O_RDWR)
        self.theirs, self.ours = Guarded(SIZE, fd), Guarded(SIZE, fd)
        os.close(fd)
        self._shared.unlink()
        self.address, self.buffer = self.ours.address, self._shared.buffer

    def open(self, name: str, size: int) -> Block:
        """What `SharedMemory.open` does."""
        assert (name, size) == (NAME, SIZE)
        return self

    def close(self) -> None:
        """Nothing: the next case has the same one."""

    def begin(self) -> None:
        """A new block."""
        self.ours.clear()
        obs_end.format_block(self.theirs.address, CAPACITY, PATCH_CAPACITY)


@dataclass
class World:
    """What all cases of a process share."""

    block: Block
    obs: ObsSide
    case: int
    text: Guarded
    seen: Counter[str] = field(default_factory=Counter)

    def begin(self, *what: object) -> None:
        """A new case, told to whoever finds the process dead."""
        self.seen["cases"] += 1
        told = repr(what).encode()
        os.ftruncate(self.case, 0)
        os.pwrite(self.case, told, 0)
        self.block.begin()
        self.obs.begin(WIDTH, HEIGHT)


Point = Callable[[int], None]
"""Gets the offset of what will be touched next."""


def _nothing(offset: int) -> None:
    pass


@contextmanager
def points(world: World, engine: Point, obs: Point) -> Iterator[None]:
    """Calls ``engine`` before each word of the block that the engine's end touches, and ``obs`` before each of OBS's."""
    block = world.block.ours.address
    results = (OUTPUTS[0], SIZE)

    def read_there(address: int) -> int:
        engine(address - block)
        assert 0 <= address - block <= SIZE - 8 and address % 8 == 0
        return ctypes.c_int64.from_address(address).value

    def write_there(address: int, value: int) -> None:
        offset = address - block
        engine(offset)
        its_own = 16 <= offset // 8 < at.CLAIMED + at.IN_HAND or results[0] <= offset <= results[1] - 8
        assert its_own and offset % 8 == 0, f"the engine writes to {offset}"
        assert -(2**63) <= value < 2**63
        ctypes.c_int64.from_address(address).value = value

    world.obs.space.point = obs
    try:
        with patch.object(ring, "read_word", read_there), patch.object(ring, "write_word", write_there):
            yield
    finally:
        world.obs.space.point = _nothing


class Engine:
    """What the engine does with its end."""

    def __init__(self, seen: Counter[str]) -> None:
        self._seen = seen
        self.end = ring.EngineEnd(NAME, CAPACITY, PATCH_CAPACITY)
        self.hand: list[Frame] = []

    def take(self) -> None:
        self.end.fresh()
        frame = self.end.take()
        if frame is not None:
            assert frame.pixels.nbytes <= CAPACITY and not frame.pixels.flags.writeable
            self.hand.append(frame)
            self._seen["frames taken"] += 1

    def finish(self, which: int, point: Point, trusted: bool) -> None:
        """Looks at a frame, as long as OBS may write; puts what it made of it."""
        if not self.hand:
            return
        frame = self.hand.pop(which % len(self.hand))
        half = frame.height // 2
        seen = frame.pixels[:half].tobytes()
        point(at.input_offset(0, CAPACITY) + at.SLOT_WORDS * 8)
        seen += frame.pixels[half:].tobytes()
        if not self.end.whole(frame):
            self._seen["frames torn"] += 1
        else:
            self._seen["frames accepted"] += 1
            if trusted:
                assert seen == pixels(frame.id, frame.width, frame.height), f"frame {frame.id} is torn"
            patches = self._made(frame)
            fits = sum(patch.pixels.nbytes for patch in patches) <= PATCH_CAPACITY
            self.end.put(frame, at.SWAPPED, patches if fits else patches[:0], 1, 2)
        self.end.give_back(frame)

    def put(self, number: int) -> None:
        """A result out of nowhere."""
        width, height = 1 + number % WIDTH, 1 + number % 2
        frame = Frame(np.zeros((height, width, 4), np.uint8), number, 0.0)
        self.end.put(frame, at.SWAPPED, self._made(frame), 1, 2)

    def _made(self, frame: Frame) -> list[Patch]:
        made = patches_of(frame.id, frame.width, frame.height)
        return [Patch(x, y, np.frombuffer(p, np.uint8).reshape(h, w, 4)) for x, y, w, h, p in made]

    def rest(self) -> None:
        """Everything else."""
        if changed := self.end.settings():
            read(changed[1])
        delay, lag = self.end.feedback()
        assert 0 <= delay <= 10_000 and 0 <= lag <= 1
        self.end.beat(3)
        self.end.applied(2)
        self.end.put_status(b'{"fps": 30}')

    def close(self) -> None:
        for frame in self.hand:
            self.end.give_back(frame)
        self.hand.clear()


# Two honest ends that stop each other in the middle of whatever they do


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


# One end at work while somebody writes whatever they like, wherever they like, whenever they like

_numbers = (
    -1,
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    15,
    16,
    63,
    64,
    768,
    4096,
    2**31 - 1,
    2**31,
    2**32,
    2**62,
    2**63 - 1,
    -(2**63),
)
_slot_words = [8 * word for word in range(at.SLOT_WORDS)]
_result_words = [8 * word for word in range(at.PATCH_FIRST + 2 * at.PATCH_WORDS)]
_words = [
    *(8 * word for word in range(at.CLAIMED + at.IN_HAND)),
    *(base + word for base in INPUTS for word in _slot_words),
    *(base + word for base in OUTPUTS for word in _result_words),
]
_texts = (b'{"fps": 1e999}', b'{"error": "\\ud800"}', b"[" * 3000, b'{"persona": "%s"}' % (b"x" * 3000), b"\xff", b"{}")
_WRITE = 14
Write = tuple[int, bytes]


def write_of(plan: bytes, block: Guarded) -> Write:
    """Where to write, and what, out of 13 bytes."""
    what, which, place, value = plan[0], plan[1], int.from_bytes(plan[1:5], "little"), plan[5:13]
    if what < 208:
        number = int.from_bytes(value, "little", signed=True) if which % 4 == 0 else _numbers[value[0] % len(_numbers)]
        offset = _words[place % len(_words)]
        if what >= 128:  # what is looked at next
            newest, bases, words = [(at.INPUT_NEWEST, INPUTS, _slot_words), (at.OUTPUT_NEWEST, OUTPUTS, _result_words)][
                what % 2
            ]
            slot = int.from_bytes(block.read(8 * newest, 8), "little") % len(bases)
            offset = bases[slot] + words[place % len(words)]
        return offset, number.to_bytes(8, "little", signed=True)
    if what < 240:
        return place % (SIZE - 8), value
    return (at.SETTINGS_TEXT, at.STATUS_TEXT)[what % 2], _texts[which % len(_texts)]


def pieces(plan: bytes, size: int) -> list[bytes]:
    return [plan[first : first + size] for first in range(0, len(plan) - size + 1, size)]


class Vandal:
    """Writes what ``plan`` says into the block: each after so many points."""

    def __init__(self, block: Guarded, plan: bytes) -> None:
        self._block = block
        self._plan = iter(pieces(plan, _WRITE))
        self._draw()

    def _draw(self) -> None:
        self._piece = next(self._plan, b"")
        first = self._piece[0] if self._piece else 0
        self._left = (first % 40 if first < 128 else first % 8) if self._piece else -1

    def point(self, offset: int) -> None:
        while self._left == 0:
            self._block.write(*write_of(self._piece[1:], self._block))
            self._draw()
        self._left -= 1


vandals = st.binary(min_size=2 * _WRITE, max_size=12 * _WRITE)


@hypothesis.given(vandals, st.binary(min_size=2, max_size=12))
def vandal_at_engine(world: World, plan: bytes, work: bytes) -> None:
    """The engine's end works on, inside of the block, whoever wrote what into it."""
    world.begin("vandal_at_engine", plan, work)
    engine = Engine(world.seen)
    vandal = Vandal(world.block.theirs, plan)
    block, picture = world.block.theirs.address, world.obs.picture.address
    with points(world, vandal.point, _nothing):
        for number, what in enumerate(work):
            obs_end.send_frame(block, CAPACITY, number, number, picture, WIDTH * 4, WIDTH, HEIGHT)
            if what % 4 == 3:
                engine.rest()
                continue
            engine.take()
            if what % 4:
                engine.finish(what, vandal.point, False)
        engine.close()


@hypothesis.given(vandals, st.binary(min_size=2, max_size=10))
def vandal_at_obs(world: World, plan: bytes, work: bytes) -> None:
    """OBS's side touches nothing but its own, shows nothing that lies outside of its frame, and goes on."""
    world.begin("vandal_at_obs", plan, work)
    for _ in range(2):
        world.obs.tick()
    engine = Engine(world.seen)
    vandal = Vandal(world.block.ours, plan)
    for what in work:
        engine.take()
        engine.finish(0, _nothing, False)
        with points(world, _nothing, vandal.point):
            if what < 48:
                world.obs.resize(WIDTH // (1 + what % 2), HEIGHT - what % 3)
            elif what < 64:
                engine_report(world.block)  # type: ignore[arg-type]
            world.obs.tick()
            drawing = world.obs.shown()
        if drawing:
            world.seen["pictures shown"] += 1
            width, height = int(world.obs.row[r.WIDTH]), int(world.obs.row[r.HEIGHT])
            slot = int(world.obs.row[r.SHOWN])
            assert drawing.picture == world.obs.row[r.TEXTURE_FRAME + slot], "a picture that was forgotten is shown"
            assert drawing.patches or world.obs.row[r.SHOWN_RAW], "the bare picture is shown as a swapped one"
            for x, y, w, h, _ in drawing.patches:
                assert x >= 0 and y >= 0 and x + w <= width and y + h <= height
    engine.close()


@hypothesis.given(st.binary(min_size=2 * _WRITE, max_size=16 * _WRITE))
def vandal_at_machine_code(world: World, plan: bytes) -> None:
    """The compiled end, as OBS runs it, between two guards: garbage before each of its calls."""
    world.begin("vandal_at_machine_code", plan)
    engine = Engine(world.seen)
    block, source = world.block.theirs.address, world.obs.picture.address
    for number, piece in enumerate(pieces(plan, _WRITE)):
        what, which = piece[0] % 6, piece[0] // 6
        if what == 0:
            width, height = [(WIDTH, HEIGHT), (3, 2), (WIDTH + 1, HEIGHT), (0, 1), (-1, 5)][which % 5]
            if obs_end.send_frame(block, CAPACITY, number, number, source, width * 4, width, height):
                assert width * height * 4 <= CAPACITY
        elif what == 1:
            engine.put(number)
        elif what == 2:
            obs_end.send_settings(block, world.text.address, [0, 5, at.TEXT_BYTES - 1][which % 3])
        elif what == 3:
            engine_report(world.block)  # type: ignore[arg-type]
            engine.rest()
        elif what == 4:
            engine.take()
            engine.finish(which, _nothing, False)
        world.block.theirs.write(*write_of(piece[1:], world.block.theirs))
        if base := obs_end.open_result(block, CAPACITY, PATCH_CAPACITY):
            assert base - block in OUTPUTS
            for index in range(obs_end.patch_count(base)):
                x, y, w, h, data = obs_end.patch(base, index, WIDTH, HEIGHT, PATCH_CAPACITY)
                if w:
                    world.seen["patches read"] += 1
                    assert 0 <= x <= WIDTH - w and 0 <= y <= HEIGHT - h and h > 0
                    first = base + at.RESULT_WORDS * 8
                    assert first <= data and data + w * h * 4 <= first + PATCH_CAPACITY
                    assert len(ctypes.string_at(data, w * h * 4)) == w * h * 4
            obs_end.close_result(block, base, 2)
        obs_end.claimed(block, number)
    engine.close()


MACHINES: dict[str, Any] = {
    machine.__name__: machine
    for machine in (race, race_to_the_screen, vandal_at_engine, vandal_at_obs, vandal_at_machine_code)
}


def _accept_torn_frames(world: World) -> None:
    setattr(ring.EngineEnd, "whole", lambda end, frame: True)  # noqa: B010


def _accept_torn_results(world: World) -> None:
    setattr(world.obs.obs_end, "close_result", lambda link, base, seq: True)  # noqa: B010


def _believe_patches(world: World) -> None:
    load = world.obs.space.load

    def believing(base: int, index: int, *_: int) -> tuple[int, ...]:
        words = base + 8 * (at.PATCH_FIRST + index * at.PATCH_WORDS)
        *place, offset = (load(words + 8 * word) for word in range(at.PATCH_WORDS))
        return *place, base + 8 * at.RESULT_WORDS + offset

    setattr(world.obs.present, "patch", believing)  # noqa: B010


def _believe_sizes(world: World) -> None:
    setattr(at, "MAX_SIDE", 2**62)  # noqa: B010
    take = ring.EngineEnd.take

    def believing(end: ring.EngineEnd) -> Frame | None:
        end._capacity, capacity = 2**62, end._capacity
        with patch.object(at, "input_offset", lambda slot, _: INPUTS[0] + slot * (INPUTS[1] - INPUTS[0])):
            frame = take(end)
        end._capacity = capacity
        return frame

    setattr(ring.EngineEnd, "take", believing)  # noqa: B010


FLAWS: dict[str, Callable[[World], None]] = {
    "torn frames": _accept_torn_frames,
    "torn results": _accept_torn_results,
    "patches": _believe_patches,
    "sizes": _believe_sizes,
}
"""What can be planted."""


def main(case: Path, seed: int, flaw: str, wanted: dict[str, int]) -> None:
    """Tries as many cases of each machine as are wanted."""
    faulthandler.enable()
    block = Block()
    obs = ObsSide(block.theirs.address, CAPACITY, PATCH_CAPACITY, pixels)
    world = World(block, obs, os.open(case, os.O_RDWR | os.O_CREAT, 0o600), Guarded(at.TEXT_BYTES))
    setattr(ring, "SharedMemory", block)  # noqa: B010
    if flaw != "-":
        FLAWS[flaw](world)
    for machine, examples in wanted.items():
        settings = hypothesis.settings(
            max_examples=examples,
            deadline=None,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            print_blob=True,
        )
        settings(hypothesis.seed(seed)(MACHINES[machine]))(world)
        print(json.dumps({"machine": machine, **world.seen}), flush=True)
        world.seen.clear()


if __name__ == "__main__":
    pairs = (argument.split("=") for argument in sys.argv[4:])
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], {machine: int(examples) for machine, examples in pairs})
