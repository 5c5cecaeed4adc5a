"""A block between two guards, both of its ends, and what they do with it."""

from __future__ import annotations

import ctypes
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import numpy as np

from obs_facelive.fields import read
from obs_facelive.frame import Frame, Patch
from obs_facelive.link import layout as at
from obs_facelive.link import obs_end, ring
from obs_facelive.link.memory import SharedMemory
from tests.link.fuzz.guarded import PAGE, Guarded
from tests.link.fuzz.interpreted import ObsSide

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


def nothing(offset: int) -> None:
    """Nobody is there."""


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
        world.obs.space.point = nothing


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
