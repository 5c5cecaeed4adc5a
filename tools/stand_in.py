"""What stands in for OBS at its end of one filter's block, so that the real engine can be tested and measured without OBS."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import numpy as np

from obs_facelive.frame import Pixels
from obs_facelive.home import Home
from obs_facelive.link import layout as at
from obs_facelive.link.atomic import read_word, write_word
from obs_facelive.link.bell import Bell
from obs_facelive.link.memory import SharedMemory
from obs_facelive.link.obs_end import (
    close_result,
    format_block,
    open_result,
    patch,
    patch_count,
    send_frame,
    send_settings,
)
from obs_facelive.obs.engine_process import EngineProcess

_PATCH_AIR = 1 << 18


@dataclass(frozen=True)
class Result:
    """What the engine says of one frame.

    Attributes
    ----------
    status : as in `obs_facelive.link.layout`
    rectangles : (x, y, width, height) of each patch
    """

    frame: int
    status: int
    rectangles: list[tuple[int, int, int, int]]


class StandIn:
    """What the supervisor and the render callback do for one filter, with an engine process of its own.

    Attributes
    ----------
    capacity, patch_capacity : bytes of a frame and of a result's patches
    frame : the id of the last frame sent
    """

    def __init__(self, home: Home, width: int, height: int, settings: str = "{}") -> None:
        self.size = width, height
        self.capacity = width * height * 4
        self.patch_capacity = self.capacity + _PATCH_AIR
        self.memory = SharedMemory.create(at.block_bytes(self.capacity, self.patch_capacity))
        format_block(self.memory.address, self.capacity, self.patch_capacity)
        self.bell = Bell()
        self.engine = EngineProcess(home, "auto", self.bell)
        self.frame = 0
        self.settings(settings)
        self.open()

    def open(self) -> None:
        """Tells the engine of the block."""
        self.engine.tell(open=self.memory.name, capacity=self.capacity, patch_capacity=self.patch_capacity)

    def settings(self, text: str) -> None:
        """Sends the settings' JSON."""
        data = np.frombuffer(text.encode() + b"\0", np.uint8)
        send_settings(self.memory.address, data.ctypes.data, len(data) - 1)

    def word(self, index: int) -> int:
        """A word of the block's header."""
        return int(read_word(self.memory.address + 8 * index))

    def tell(self, index: int, value: int) -> None:
        """Writes a word of the block's header."""
        write_word(self.memory.address + 8 * index, value)

    def show(self, picture: Pixels) -> None:
        """Sends the camera's next picture, (height, width, 4) of this size, and waits for nothing."""
        self.frame += 1
        data, line = picture.ctypes.data, picture.strides[0]
        now = time.monotonic_ns()
        if not send_frame(self.memory.address, self.capacity, self.frame, now, data, line, *self.size):
            raise ValueError("the engine reads all slots, or the picture has another size")
        os.write(self.bell.handle, b"\0")

    def result(self) -> Result | None:
        """The newest result; None if there is none, or a new one came while it was read."""
        base = open_result(self.memory.address, self.capacity, self.patch_capacity)
        if not base:
            return None
        seq, count = read_word(base), patch_count(base)
        rectangles = [patch(base, index, *self.size, self.patch_capacity)[:4] for index in range(count)]
        frame, status = (read_word(base + 8 * word) for word in (at.RESULT_FRAME, at.RESULT_STATUS))
        return Result(frame, status, rectangles) if close_result(self.memory.address, base, seq) else None

    def close(self) -> None:
        """Ends the engine."""
        self.engine.close()
        self.memory.close()
