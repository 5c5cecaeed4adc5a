"""The engine's end of a block: takes the newest frame, puts results. Trusts nothing that lies in the block."""

from __future__ import annotations

import ctypes

import numpy as np
import numpy.typing as npt

from obs_facelive.frame import Frame, Patch
from obs_facelive.link import layout as at
from obs_facelive.link.atomic import read_word, write_word
from obs_facelive.link.memory import SharedMemory


class EngineEnd:
    """One filter's block, as the engine sees it.

    Parameters
    ----------
    name : of the shared memory
    capacity, patch_capacity : bytes of an input slot and of an output slot, as told over the control channel.
        Offsets are computed from these and from the mapping's own size, never from what the block says.
    """

    def __init__(self, name: str, capacity: int, patch_capacity: int) -> None:
        if not (0 < capacity <= at.MAX_SIDE**2 * 4 and 0 < patch_capacity <= 2 * at.MAX_SIDE**2 * 4):
            raise ValueError(f"a block of {capacity} + {patch_capacity} bytes a slot is not possible")
        self._memory = SharedMemory.open(name, at.block_bytes(capacity, patch_capacity))
        self._capacity, self._patch_capacity = capacity, patch_capacity
        if self._header(at.MAGIC) != at.MAGIC_VALUE or self._header(at.LAYOUT) != at.LAYOUT_VERSION:
            version = self._header(at.LAYOUT)
            self._memory.close()
            raise ValueError(
                f"the block {name} has layout {version}, this engine speaks {at.LAYOUT_VERSION}: restart OBS"
            )
        self._last_frame = at.NONE
        self._settings_seq = at.NONE
        self._output = 0
        for word in (at.INPUT_READING, at.CLAIMED):
            self._set(word, at.NONE)

    def _header(self, word: int) -> int:
        return read_word(self._memory.address + word * 8)

    def _set(self, word: int, value: int) -> None:
        write_word(self._memory.address + word * 8, value)

    def _bytes(self, offset: int, size: int) -> npt.NDArray[np.uint8]:
        kind = ctypes.c_uint8 * size
        return np.ctypeslib.as_array(kind.from_address(self._memory.address + offset))

    def beat(self, count: int) -> None:
        """Says that the engine lives: OBS looks whether ``count`` changes."""
        self._set(at.HEARTBEAT, count)

    def settings(self) -> tuple[int, bytes] | None:
        """The settings' JSON and its sequence number, if they changed since the last call that gave some.

        None until OBS has written the first.
        """
        before = self._header(at.SETTINGS_SEQ)
        if before in (0, self._settings_seq) or before & 1:
            return None
        text = self._bytes(at.SETTINGS_TEXT, at.TEXT_BYTES).tobytes().split(b"\0", 1)[0]
        if self._header(at.SETTINGS_SEQ) != before:
            return None
        self._settings_seq = before
        return before, text

    def take(self) -> Frame | None:
        """The newest frame if it was not taken yet, to be given back by `give_back`.

        Its pixels are the block's own; OBS leaves the slot alone until then.
        """
        slot = self._header(at.INPUT_NEWEST)
        if not 0 <= slot < at.INPUT_SLOTS:
            return None
        self._set(at.INPUT_READING, slot)
        base = self._memory.address + at.input_offset(slot, self._capacity)
        seq, frame_id, width, height, time = (
            read_word(base + 8 * w) for w in (at.SLOT_SEQ, at.SLOT_FRAME, at.SLOT_WIDTH, at.SLOT_HEIGHT, at.SLOT_TIME)
        )
        whole = not seq & 1 and 0 < width <= at.MAX_SIDE and 0 < height <= at.MAX_SIDE
        if not whole or frame_id == self._last_frame or width * height * 4 > self._capacity or read_word(base) != seq:
            self._set(at.INPUT_READING, at.NONE)
            return None
        self._last_frame = frame_id
        self._set(at.CLAIMED, frame_id)
        self._slot, self._slot_seq = slot, seq
        pixels = self._bytes(at.input_offset(slot, self._capacity) + at.SLOT_WORDS * 8, width * height * 4)
        pixels.flags.writeable = False
        return Frame(pixels.reshape(height, width, 4), frame_id, time / 1e9)

    def give_back(self) -> bool:
        """Gives the taken frame's slot back. False: OBS wrote into it meanwhile, so what was made from it is torn."""
        torn = read_word(self._memory.address + at.input_offset(self._slot, self._capacity)) != self._slot_seq
        self._set(at.INPUT_READING, at.NONE)
        return not torn

    def put(self, frame: Frame, status: int, patches: list[Patch], faces: int, settings_seq: int) -> None:
        """Publishes what was made of ``frame``. Raises `ValueError` if the patches do not fit into the frame or the slot."""
        if len(patches) > at.MAX_PATCHES or sum(p.pixels.nbytes for p in patches) > self._patch_capacity:
            raise ValueError(f"{len(patches)} patches are too many or too big for the block")
        newest, reading = self._header(at.OUTPUT_NEWEST), self._header(at.OUTPUT_READING)
        slot = next(s for s in range(at.OUTPUT_SLOTS) if s not in (newest, reading))
        offset = at.output_offset(slot, self._capacity, self._patch_capacity)
        base = self._memory.address + offset
        write_word(base, read_word(base) | 1)
        for word, value in (
            (at.RESULT_FRAME, frame.id),
            (at.RESULT_STATUS, status),
            (at.RESULT_FACES, faces),
            (at.RESULT_SETTINGS, settings_seq),
            (at.RESULT_PATCHES, len(patches)),
        ):
            write_word(base + word * 8, value)
        used = 0
        for index, patch in enumerate(patches):
            height, width = patch.pixels.shape[:2]
            if not (0 <= patch.x <= frame.width - width and 0 <= patch.y <= frame.height - height):
                raise ValueError(
                    f"patch {width}x{height} at {patch.x},{patch.y} is outside of {frame.width}x{frame.height}"
                )
            for word, value in enumerate((patch.x, patch.y, width, height, used)):
                write_word(base + (at.PATCH_FIRST + index * at.PATCH_WORDS + word) * 8, value)
            self._bytes(offset + at.RESULT_WORDS * 8 + used, patch.pixels.nbytes).reshape(patch.pixels.shape)[:] = (
                patch.pixels
            )
            used += patch.pixels.nbytes
        write_word(base, (read_word(base) | 1) + 1)
        self._set(at.OUTPUT_NEWEST, slot)

    def applied(self, settings_seq: int) -> None:
        """Says which settings are in force."""
        self._set(at.APPLIED_SEQ, settings_seq)

    def put_status(self, text: bytes) -> None:
        """Publishes the status JSON (at most `layout.TEXT_BYTES` - 1 bytes)."""
        if len(text) >= at.TEXT_BYTES:
            raise ValueError(f"a status of {len(text)} bytes is too long")
        seq = self._header(at.STATUS_SEQ) | 1
        self._set(at.STATUS_SEQ, seq)
        self._bytes(at.STATUS_TEXT, len(text) + 1)[:] = np.frombuffer(text + b"\0", np.uint8)
        self._set(at.STATUS_SEQ, seq + 1)

    def close(self) -> None:
        """Unmaps the block. Frames taken from it must be gone."""
        self._memory.close()
