"""Both ends of a block in one process: OBS's compiled end and the engine's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from obs_facelive.frame import Pixels
from obs_facelive.link import layout as at
from obs_facelive.link.memory import SharedMemory
from obs_facelive.link.obs_end import format_block, send_frame
from obs_facelive.link.ring import EngineEnd

CAPACITY = 64 * 48 * 4
PATCH_CAPACITY = CAPACITY + 4096


class Link:
    """A block with both ends open."""

    def __init__(self) -> None:
        self.memory = SharedMemory.create(at.block_bytes(CAPACITY, PATCH_CAPACITY))
        format_block(self.memory.address, CAPACITY, PATCH_CAPACITY)
        self.address = self.memory.address
        self.engine = EngineEnd(self.memory.name, CAPACITY, PATCH_CAPACITY)

    def send(self, frame: int, pixels: Pixels) -> bool:
        """What the render callback does with a mapped picture."""
        height, width = pixels.shape[:2]
        return send_frame(
            self.address, CAPACITY, frame, frame * 1000, pixels.ctypes.data, pixels.strides[0], width, height
        )

    def word(self, index: int) -> int:
        """A word of the header."""
        return int(np.frombuffer(self.memory.buffer, np.int64, 1, index * 8)[0])

    def close(self) -> None:
        """Both ends."""
        self.engine.close()
        self.memory.close()


@pytest.fixture
def link() -> Iterator[Link]:
    both = Link()
    yield both
    both.close()
