"""One end at work while somebody writes whatever they like, wherever they like, whenever they like."""

from __future__ import annotations

import ctypes

import hypothesis
from hypothesis import strategies as st

from obs_facelive.link import layout as at
from obs_facelive.link import obs_end
from obs_facelive.obs import rows as r
from obs_facelive.obs.status import engine_report
from tests.link.fuzz.guarded import Guarded
from tests.link.fuzz.world import (
    CAPACITY,
    HEIGHT,
    INPUTS,
    OUTPUTS,
    PATCH_CAPACITY,
    SIZE,
    WIDTH,
    Engine,
    World,
    nothing,
    points,
)

_numbers = (*range(-1, 9), 15, 16, 63, 64, 768, 4096, 2**31 - 1, 2**31, 2**32, 2**62, 2**63 - 1, -(2**63))
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
    with points(world, vandal.point, nothing):
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
        engine.finish(0, nothing, False)
        with points(world, nothing, vandal.point):
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
            engine.finish(which, nothing, False)
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
