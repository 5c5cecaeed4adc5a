"""The engine's end of a block: takes the newest frame, puts results. Trusts nothing that lies in the block."""

from __future__ import annotations

import ctypes
import threading
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from obs_facelive.frame import Frame, Patch
from obs_facelive.link import layout as at
from obs_facelive.link.atomic import read_word, write_word
from obs_facelive.link.memory import SharedMemory


@dataclass(frozen=True, slots=True)
class _Held:
    """A frame in the engine's hands: where it lies, the slot's sequence number, and the header word that says so."""

    slot: int
    seq: int
    word: int


class EngineEnd:
    """One filter's block, as the engine sees it.

    Parameters
    ----------
    name : of the shared memory
    capacity, patch_capacity : bytes of an input slot and of an output slot, as told over the control channel.
        Offsets are computed from these and from the mapping's own size, never from what the block says.
    """

    def __init__(self, name: str, capacity: int, patch_capacity: int) -> None:
        possible = 0 < capacity <= at.MAX_CAPACITY and 0 < patch_capacity <= at.MAX_PATCH_CAPACITY
        if not possible or capacity % 8 or patch_capacity % 8:
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
        self._lock = threading.Lock()
        self._in_hand: dict[int, _Held] = {}
        self._mark()
        self.refuse(0)
        for word in range(at.CLAIMED, at.CLAIMED + at.IN_HAND):
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

    def fresh(self) -> bool:
        """Whether a frame has come that was not taken yet."""
        return len(self._in_hand) < at.IN_HAND and self.sent() != self._last_frame

    def sent(self) -> int:
        """The id of the newest frame that OBS sent; `layout.NONE` before the first."""
        slot = self._header(at.INPUT_NEWEST)
        return self._slot(slot, at.SLOT_FRAME) if 0 <= slot < at.INPUT_SLOTS else at.NONE

    def on_their_way(self) -> int:
        """Frames that were taken and not given back; the newest, which can still be taken, is one of them."""
        return len(self._in_hand) + (self.sent() != self._last_frame)

    def take(self) -> Frame | None:
        """The newest frame if it was not taken yet, to be given back by `give_back`; None also while `IN_HAND` frames are out.

        Its pixels are the block's own; OBS leaves the slot alone until then. Any thread may give back what another has taken.
        """
        with self._lock:
            slot = self._header(at.INPUT_NEWEST)
            if not 0 <= slot < at.INPUT_SLOTS or len(self._in_hand) >= at.IN_HAND:
                return None
            if any(held.slot == slot for held in self._in_hand.values()):
                return None
            self._mark(slot)
            words = (at.SLOT_SEQ, at.SLOT_FRAME, at.SLOT_WIDTH, at.SLOT_HEIGHT, at.SLOT_TIME)
            seq, frame_id, width, height, time = (self._slot(slot, word) for word in words)
            whole = not seq & 1 and 0 < width <= at.MAX_SIDE and 0 < height <= at.MAX_SIDE
            known = frame_id == self._last_frame or frame_id in self._in_hand
            too_big = width * height * 4 > self._capacity
            if not whole or known or too_big or self._slot(slot, at.SLOT_SEQ) != seq:
                self._mark()
                return None
            self._last_frame = frame_id
            taken = {held.word for held in self._in_hand.values()}
            word = next(w for w in range(at.CLAIMED, at.CLAIMED + at.IN_HAND) if w not in taken)
            self._set(word, frame_id)
            self._in_hand[frame_id] = _Held(slot, seq, word)
        pixels = self._bytes(at.input_offset(slot, self._capacity) + at.SLOT_WORDS * 8, width * height * 4)
        pixels.flags.writeable = False
        return Frame(pixels.reshape(height, width, 4), frame_id, time / 1e9)

    def whole(self, frame: Frame) -> bool:
        """False: OBS wrote into the taken frame meanwhile, so what was made from it is torn."""
        held = self._in_hand[frame.id]
        return self._slot(held.slot, at.SLOT_SEQ) == held.seq

    def give_back(self, frame: Frame) -> None:
        """Gives the taken frame's slot back, and the claim to its texture: after `put`, not before."""
        with self._lock:
            held = self._in_hand.pop(frame.id)
            self._set(held.word, at.NONE)
            self._mark()

    def _slot(self, slot: int, word: int) -> int:
        return read_word(self._memory.address + at.input_offset(slot, self._capacity) + 8 * word)

    def _mark(self, *more: int) -> None:
        """Tells OBS which slots are read: those in hand, and ``more``."""
        self._set(at.INPUT_READING, sum(1 << slot for slot in {held.slot for held in self._in_hand.values()} | {*more}))

    def feedback(self) -> tuple[float, float]:
        """(milliseconds of delay that the newest shown picture has, share 0..1 of OBS's frames that lagged lately)."""
        delay, lagged = self._header(at.DELAY_US), self._header(at.LAG_PERMILLE)
        return min(max(delay, 0), 10_000_000) / 1e3, min(max(lagged, 0), 1000) / 1e3

    def put(self, frame: Frame, status: int, patches: list[Patch], faces: int, settings_seq: int) -> None:
        """Publishes what was made of ``frame``. Raises `ValueError` if the patches do not fit into the frame or the slot."""
        if len(patches) > at.MAX_PATCHES or sum(p.pixels.nbytes for p in patches) > self._patch_capacity:
            raise ValueError(f"{len(patches)} patches are too many or too big for the block")
        newest, reading = self._header(at.OUTPUT_NEWEST), self._header(at.OUTPUT_READING)
        slot = next(s for s in range(at.OUTPUT_SLOTS) if s not in (newest, reading))
        offset = at.output_offset(slot, self._capacity, self._patch_capacity)
        base = self._memory.address + offset
        seq = read_word(base) % at.MAX_SEQ | 1
        write_word(base, seq)
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
        write_word(base, seq + 1)
        self._set(at.OUTPUT_NEWEST, slot)

    def refuse(self, status: int) -> None:
        """Says that nothing of the worn face may be seen from now on, before any result says so; 0: it may."""
        self._set(at.REFUSAL, status)

    def applied(self, settings_seq: int) -> None:
        """Says which settings are in force."""
        self._set(at.APPLIED_SEQ, settings_seq)

    def put_status(self, text: bytes) -> None:
        """Publishes the status JSON (at most `layout.TEXT_BYTES` - 1 bytes)."""
        if len(text) >= at.TEXT_BYTES:
            raise ValueError(f"a status of {len(text)} bytes is too long")
        seq = self._header(at.STATUS_SEQ) % at.MAX_SEQ | 1
        self._set(at.STATUS_SEQ, seq)
        self._bytes(at.STATUS_TEXT, len(text) + 1)[:] = np.frombuffer(text + b"\0", np.uint8)
        self._set(at.STATUS_SEQ, seq + 1)

    def close(self) -> None:
        """Unmaps the block. Frames taken from it must be gone."""
        self._memory.close()
