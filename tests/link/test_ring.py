"""Frames one way, results the other: whole, newest first, inside the block, whatever the other end does."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obs_facelive.frame import Frame, Patch, Pixels
from obs_facelive.link import layout as at
from obs_facelive.link.atomic import read_word, write_word
from obs_facelive.link.memory import SharedMemory, sweep
from obs_facelive.link.obs_end import close_result, open_result, patch, patch_count, send_settings
from obs_facelive.link.ring import EngineEnd
from tests.link.conftest import CAPACITY, PATCH_CAPACITY, Link


def picture(value: int, width: int = 64, height: int = 48) -> Pixels:
    return np.full((height, width, 4), value, np.uint8)


def result(link: Link) -> tuple[int, int, list[tuple[int, int, Pixels]]] | None:
    """(frame, status, patches) as the render callback would take them."""
    base = open_result(link.address, CAPACITY, PATCH_CAPACITY)
    if not base:
        return None
    seq = read_word(base)
    frame, status = (read_word(base + 8 * w) for w in (at.RESULT_FRAME, at.RESULT_STATUS))
    patches = []
    for index in range(patch_count(base)):
        x, y, w, h, pixels = patch(base, index, 64, 48, PATCH_CAPACITY)
        offset = pixels - link.address
        data = np.frombuffer(link.memory.buffer, np.uint8, w * h * 4, offset).reshape(h, w, 4).copy()
        patches.append((x, y, data))
    assert close_result(link.address, base, seq)
    return frame, status, patches


def test_a_frame_arrives_as_it_was_sent(link: Link) -> None:
    sent = np.random.default_rng(1).integers(0, 256, (48, 64, 4), np.uint8)
    assert link.send(7, sent)
    frame = link.engine.take()
    assert frame is not None
    assert (frame.id, frame.time) == (7, 7e-6)
    np.testing.assert_array_equal(frame.pixels, sent)
    assert not frame.pixels.flags.writeable
    assert link.engine.whole(frame)
    link.engine.give_back(frame)


def test_rows_with_gaps_arrive_without_them(link: Link) -> None:
    padded = np.random.default_rng(2).integers(0, 256, (48, 80, 4), np.uint8)
    assert link.send(1, padded[:, :64])
    frame = link.engine.take()
    assert frame is not None
    np.testing.assert_array_equal(frame.pixels, padded[:, :64])
    link.engine.give_back(frame)


def test_only_the_newest_frame_is_taken_and_only_once(link: Link) -> None:
    for number in range(5):
        link.send(number, picture(number))
    frame = link.engine.take()
    assert frame is not None and frame.id == 4 and frame.pixels[0, 0, 0] == 4
    link.engine.give_back(frame)
    assert link.engine.take() is None


def test_a_frame_in_the_engines_hands_is_not_overwritten(link: Link) -> None:
    link.send(1, picture(1))
    frame = link.engine.take()
    assert frame is not None
    for number in range(2, 20):
        link.send(number, picture(number))
    assert (frame.pixels == 1).all()
    assert link.engine.whole(frame)
    link.engine.give_back(frame)


def test_several_frames_may_be_in_hand_and_go_back_in_any_order(link: Link) -> None:
    taken = []
    for number in range(at.IN_HAND + 2):
        link.send(number, picture(number))
        frame = link.engine.take()
        if frame is not None:
            taken.append(frame)
    assert [frame.id for frame in taken] == list(range(at.IN_HAND))
    assert {link.word(at.CLAIMED + n) for n in range(at.IN_HAND)} == set(range(at.IN_HAND))
    for number in range(10, 30):
        assert link.send(number, picture(number))
    assert not link.engine.fresh()
    assert all((frame.pixels == frame.id).all() and link.engine.whole(frame) for frame in taken)
    link.engine.give_back(taken[2])
    assert link.engine.fresh()
    newest = link.engine.take()
    assert newest is not None and newest.id == 29
    for frame in (newest, taken[0], taken[3], taken[1]):
        link.engine.give_back(frame)
    assert link.word(at.INPUT_READING) == 0
    assert {link.word(at.CLAIMED + n) for n in range(at.IN_HAND)} == {at.NONE}


def test_an_engine_that_says_it_reads_everything_gets_nothing_and_harms_nobody(link: Link) -> None:
    for value in (-1, (1 << at.INPUT_SLOTS) - 1):
        write_word(link.address + 8 * at.INPUT_READING, value)
        assert not link.send(1, picture(1))


def test_feedback_is_kept_in_range(link: Link) -> None:
    write_word(link.address + 8 * at.DELAY_US, 80_500)
    write_word(link.address + 8 * at.LAG_PERMILLE, 20)
    assert link.engine.feedback() == (80.5, 0.02)
    write_word(link.address + 8 * at.DELAY_US, -5)
    write_word(link.address + 8 * at.LAG_PERMILLE, 2**62)
    assert link.engine.feedback() == (0.0, 1.0)


@pytest.mark.parametrize("size", [(65, 48), (64, 49), (0, 48)])
def test_a_picture_that_does_not_fit_is_not_sent(link: Link, size: tuple[int, int]) -> None:
    assert not link.send(1, np.zeros((size[1], size[0], 4), np.uint8))
    assert link.engine.take() is None


def test_results_carry_patches(link: Link) -> None:
    rng = np.random.default_rng(3)
    patches = [Patch(3, 4, rng.integers(0, 256, (10, 20, 4), np.uint8)), Patch(0, 0, picture(9, 64, 48))]
    link.engine.put(Frame(picture(0), 11, 0.0), at.SWAPPED, patches, 2, 2)
    got = result(link)
    assert got is not None and got[:2] == (11, at.SWAPPED)
    for (x, y, pixels), sent in zip(got[2], patches, strict=True):
        assert (x, y) == (sent.x, sent.y)
        np.testing.assert_array_equal(pixels, sent.pixels)


@pytest.mark.parametrize("x, y, w, h", [(-1, 0, 4, 4), (0, -1, 4, 4), (61, 0, 4, 4), (0, 45, 4, 4)])
def test_the_engine_refuses_a_patch_outside_of_its_frame(link: Link, x: int, y: int, w: int, h: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        link.engine.put(Frame(picture(0), 1, 0.0), at.SWAPPED, [Patch(x, y, picture(1, w, h))], 1, 0)
    assert result(link) is None


def test_too_many_patches_are_refused(link: Link) -> None:
    with pytest.raises(ValueError, match="too many"):
        link.engine.put(Frame(picture(0), 1, 0.0), at.SWAPPED, [Patch(0, 0, picture(1, 1, 1))] * 9, 1, 0)


def test_settings_arrive_once_and_whole(link: Link) -> None:
    assert link.engine.settings() is None
    for text in (b'{"opacity": 50}', b"{}", b'{"persona": "x"}'):
        data = np.frombuffer(text + b"\0", np.uint8)
        send_settings(link.address, data.ctypes.data, len(text))
        changed = link.engine.settings()
        assert changed is not None and changed[1] == text
        assert link.engine.settings() is None


def test_a_status_can_be_read_and_one_that_is_too_long_is_refused(link: Link) -> None:
    link.engine.put_status(b'{"fps": 30}')
    assert link.memory.buffer[at.STATUS_TEXT : at.STATUS_TEXT + 12] == b'{"fps": 30}\0'
    with pytest.raises(ValueError, match="too long"):
        link.engine.put_status(b"x" * at.TEXT_BYTES)


def test_another_layout_is_refused_with_advice(link: Link) -> None:
    write_word(link.address + 8 * at.LAYOUT, 99)
    with pytest.raises(ValueError, match="restart OBS"):
        EngineEnd(link.memory.name, CAPACITY, PATCH_CAPACITY)


def test_a_block_smaller_than_it_is_said_to_be_is_refused(link: Link) -> None:
    with pytest.raises(ValueError, match="bytes"):
        EngineEnd(link.memory.name, CAPACITY * 2, PATCH_CAPACITY)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no files for shared memory")
def test_a_block_is_for_its_owner_only_and_its_name_goes_with_it() -> None:
    memory = SharedMemory.create(4096)
    if sys.platform == "linux":
        assert Path("/dev/shm", memory.name).stat().st_mode & 0o777 == 0o600
    memory.close()
    with pytest.raises(FileNotFoundError):
        SharedMemory.open(memory.name, 4096)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists its blocks")
def test_blocks_of_killed_processes_are_swept_and_no_others() -> None:
    program = (
        "import os; from obs_facelive.link.memory import SharedMemory; "
        "print(SharedMemory.create(4096).name, flush=True); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout.strip()
    mine = SharedMemory.create(4096)
    assert Path("/dev/shm", killed).exists()
    sweep()
    assert not Path("/dev/shm", killed).exists()
    assert Path("/dev/shm", mine.name).exists()
    mine.close()


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(st.integers(0, at.block_bytes(CAPACITY, PATCH_CAPACITY) // 8 - 1), st.integers(-(2**63), 2**63 - 1)),
        max_size=12,
    )
)
def test_garbage_in_the_block_harms_neither_end(garbage: list[tuple[int, int]]) -> None:
    link = Link()
    link.send(1, picture(1))
    link.engine.put(Frame(picture(0), 1, 0.0), at.SWAPPED, [Patch(1, 2, picture(3, 4, 5))], 1, 0)
    for word, value in garbage:
        write_word(link.address + 8 * word, value)
    frame = link.engine.take()
    if frame is not None:
        assert frame.pixels.nbytes <= CAPACITY
        assert int(frame.pixels.sum()) >= 0  # every byte can be read
        link.engine.give_back(frame)
        del frame
    link.engine.settings()
    base = open_result(link.address, CAPACITY, PATCH_CAPACITY)
    if base:
        assert link.address < base < link.address + link.memory.size
        for index in range(patch_count(base)):
            x, y, w, h, pixels = patch(base, index, 64, 48, PATCH_CAPACITY)
            if w:
                assert 0 <= x <= 64 - w and 0 <= y <= 48 - h
                assert base < pixels <= pixels + w * h * 4 <= base + at.RESULT_WORDS * 8 + PATCH_CAPACITY
    link.send(2, picture(2))
    link.close()


def test_no_torn_frame_or_result_under_load(link: Link) -> None:
    """A writer at full speed beside a slow reader, both ways: every accepted thing is of one piece."""
    stop = threading.Event()

    def obs() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            link.send(number, picture(number % 251))

    writer = threading.Thread(target=obs)
    writer.start()
    accepted = 0
    try:
        end = time.monotonic() + 60
        while accepted < 200 and time.monotonic() < end:
            frame = link.engine.take()
            if frame is None:
                continue
            colours = {int(frame.pixels.min()), int(frame.pixels.max())}
            whole = link.engine.whole(frame)
            if whole:
                accepted += 1
                assert colours == {frame.id % 251}
                link.engine.put(frame, at.SWAPPED, [Patch(0, 0, picture(frame.id % 251))], 1, 0)
                got = result(link)
                if got is not None:
                    assert (got[2][0][2] == got[0] % 251).all()
            link.engine.give_back(frame)
    finally:
        stop.set()
        writer.join()
    assert accepted == 200
