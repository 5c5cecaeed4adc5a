"""The real engine process on a block into which somebody writes whatever they like while it works: it goes on."""

from __future__ import annotations

import os
import random
from pathlib import Path

import cv2
import numpy as np
import pytest

from obs_facelive.frame import Pixels
from obs_facelive.home import Home
from obs_facelive.link import layout as at
from obs_facelive.link.atomic import write_word
from obs_facelive.link.memory import SharedMemory
from obs_facelive.link.obs_end import format_block, send_frame
from obs_facelive.obs.status import engine_report
from tests.link.test_engine import Obs, wait

WIDTH, HEIGHT = 320, 180
SIZES = ((WIDTH, HEIGHT), (1, 1), (1, HEIGHT), (WIDTH, 1), (2, 3), (WIDTH * HEIGHT, 1), (1, 16384), (33, 180))
NUMBERS = (-1, 0, 1, 2, 5, 63, 4096, 16384, 2**31, 2**62, 2**63 - 1, -(2**63))
TEXTS = (
    b"{}",
    b"[" * 5000,
    b'{"persona": "../.."}',
    b'{"face": "all", "view": "side"}',
    b"\xff" * 100,
    b'{"opacity": 1e999}',
)


class Another(Obs):
    """A second filter, served by the same engine."""

    def __init__(self, first: Obs) -> None:
        self.size, self.capacity, self.patch_capacity = first.size, first.capacity, first.patch_capacity
        self.bell, self.engine, self.frame = first.bell, first.engine, 0
        self.memory = SharedMemory.create(first.memory.size)
        format_block(self.memory.address, self.capacity, self.patch_capacity)
        self.settings("{}")
        self.open()


def vandalise(obs: Obs, dice: random.Random, picture: Pixels) -> None:
    """One thing of all that a broken or hostile OBS might do to the block."""
    what = dice.randrange(8)
    address, size = obs.memory.address, obs.memory.size
    if what < 4:  # a frame, often of an odd size
        obs.frame += 1
        width, height = dice.choice(SIZES)
        send_frame(address, obs.capacity, obs.frame, obs.frame, picture.ctypes.data, width * 4, width, height)
        os.write(obs.bell.handle, b"\0")
    elif what == 4:
        write_word(address + 8 * dice.randrange(at.HEADER_WORDS), dice.choice(NUMBERS))
    elif what == 5:
        slot = at.input_offset(dice.randrange(at.INPUT_SLOTS), obs.capacity)
        write_word(address + slot + 8 * dice.randrange(at.SLOT_WORDS), dice.choice(NUMBERS))
    elif what == 6:
        offset = dice.randrange(size - 64)
        obs.memory.buffer[offset : offset + 64] = dice.randbytes(64)
    else:
        obs.settings(dice.choice(TEXTS).decode("latin-1"))


def test_the_engine_survives_whatever_is_written_into_its_block(tmp_path: Path) -> None:
    home = Home.find()
    if not home.python.exists() or not home.persona_names():
        pytest.skip(f"no complete installation in {home.root}: run 'python3 install.py'")
    picture = cv2.VideoCapture(str(home.root / "demo" / "camera.mp4")).read()[1]
    face = np.ascontiguousarray(cv2.cvtColor(cv2.resize(picture, (WIDTH, HEIGHT)), cv2.COLOR_BGR2BGRA), np.uint8)
    obs, honest = Obs(home, WIDTH, HEIGHT), None
    try:
        assert obs.swap_when_loaded(face)[0] == at.SWAPPED
        dice = random.Random(7)
        for _ in range(40):
            for _ in range(25):
                vandalise(obs, dice, face)
            beats = obs.word(at.HEARTBEAT)
            wait("the heartbeat", lambda beats=beats: obs.word(at.HEARTBEAT) != beats)  # type: ignore[misc]
            assert obs.engine.exit_code() is None
        honest = Another(obs)
        assert honest.swap_when_loaded(face)[0] == at.SWAPPED
        assert engine_report(honest.memory).persona
        assert obs.engine.exit_code() is None
    finally:
        if honest:
            honest.memory.close()
        obs.close()
