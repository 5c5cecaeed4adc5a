"""What the compiled callbacks remember: one row of 64-bit words per filter instance, and one table of constants for all.

Rows lie in memory that is never freed and never moves: libobs keeps a row's address as the filter's ``data``. Interpreted
code (the supervisor, the panel) reads them; each word has one writer.
"""

from __future__ import annotations

import ctypes
from typing import Final

import numpy as np
import numpy.typing as npt

MAX_FILTERS: Final = 128
"""One more row, never alive, is for whoever comes too late: it draws nothing."""
RING: Final = 10
"""GPU textures in a filter's ring: the shown one, the newest, the engine's four, the input ring's newest, the one being staged,
a result's that was not taken yet, and the one to draw into."""
MAX_PATCHES: Final = 8

# Life (create and destroy).
FREE, CLAIMED, ALIVE, DYING = range(4)
(USED, SOURCE, SERIAL, JSON, JSON_SEQ, WEAK, WEAK_BUSY, KIND) = range(8)
KIND_FILTER, KIND_CAMERA = 0, 1
KIND_NAMES = ("filter", "camera")
# Settings that decide what may be seen (update); see `obs_facelive.states`.
# OPEN: the person chose a view with their bare face in it.
(SWAP, PRIVACY, NO_FACE_CHOICE, HOLD_NS, OPEN) = range(8, 13)
# From the supervisor.
(LINK, ENGINE) = range(16, 18)
# A camera's target: a weak reference, how many callbacks are looking at it, the one drawn last, and its size
# when the frame began (width << 32 | height).
(TARGET, TARGET_READERS, TARGET_SEEN, TARGET_SIZE) = range(18, 22)
# What LINK points to: one load gives a render call all of it, the block and what it has been sent.
L_BLOCK, L_CAPACITY, L_PATCH_CAPACITY, L_SENT_SEQ, LINK_WORDS = range(5)
# Hotkeys pressed so often.
(HOTKEY_SWAP, HOTKEY_NEXT, HOTKEY_PREVIOUS) = range(24, 27)
# Rendering (graphics thread only).
(
    EPOCH,
    TICKED,
    WIDTH,
    HEIGHT,
    NEXT_FRAME,
    NEWEST,
    SHOWN,
    SHOWN_RAW,
    SHOWN_AT,
    LAST_RESULT,
    LAST_STATUS,
    LAST_RESULT_AT,
    LAST_FACES,
    STATE,
    REASON,
    COVERED,
    STAGED_FRAME,
    STAGED_AT,
    STAGE_INDEX,
    DELAY_NS,
    MAP_DATA,
    MAP_LINE,
    WAS_OPEN,
) = range(32, 55)
# Counters, for people and tests; AGE_NS / AGED: how old pictures were when OBS drew them, once a frame, while they move;
# TICKS: frames that OBS began, in each of which RENDERS counts every drawing and CAPTURES the work.
(
    RENDERS,
    CAPTURES,
    SENT,
    RESULTS,
    WITH_FACE,
    SWAPPED_FRAMES,
    STALE,
    TORN,
    RAW_SHOWN,
    RENDER_NS,
    COPY_NS,
    BAD_RESULTS,
    AGE_NS,
    AGED,
    TICKS,
) = range(64, 79)
# GPU objects.
STAGE = 80  # two
COVER_TARGET = 84  # states.COVER_STEPS texrenders, the last one is the covered picture
TEXTURE = 96  # RING texrenders
TEXTURE_FRAME = TEXTURE + RING
TEXTURE_AT = TEXTURE_FRAME + RING
TEXTURE_DONE = TEXTURE_AT + RING
DONE_SWAPPED, DONE_BARE = 1, 2  # with patches on it; a bare frame, of which the engine says that nobody is in it
PATCH = TEXTURE_DONE + RING  # MAX_PATCHES textures
PATCH_W = PATCH + MAX_PATCHES
PATCH_H = PATCH_W + MAX_PATCHES
PLACE = PATCH_H + MAX_PATCHES  # four words a patch
AUDIO_MIX = PLACE + 4 * MAX_PATCHES  # ``struct obs_source_audio_mix``: 6 mixes of 8 channels
ROW_WORDS: Final = AUDIO_MIX + 48

JSON_BYTES: Final = 65536

# The table of constants.
(T_ROWS, T_IMAGE, T_DRAW, T_ZERO, T_BELL, T_BYTE, T_DEFAULTS, T_DEFAULT_COUNT, T_SERIAL, T_SUPERVISED) = range(10)
(T_KEY_SWAP, T_KEY_PRIVACY, T_KEY_NO_FACE, T_KEY_HOLD_MS, T_KEY_VIEW) = range(12, 17)
(T_NAME, T_CAMERA_NAME) = range(17, 19)
T_CAPTION = 32  # one texture a reason
T_CAPTION_W = 48
T_CAPTION_H = 64
TABLE_WORDS: Final = 80

# A list that C callbacks write: its room, how many there were, two sources that they look for, and the entries.
C_ROOM, C_LENGTH, C_FIRST, C_SECOND, C_ENTRIES = range(5)

# A default: its key's address, its kind, its value (or the text's address).
DEFAULT_WORDS: Final = 3
DEFAULT_BOOL, DEFAULT_INT, DEFAULT_TEXT = 0, 1, 2


class Rows:
    """The memory behind it all. Made once a process; libobs holds on to it for ever."""

    def __init__(self) -> None:
        self.table: npt.NDArray[np.int64] = np.zeros(TABLE_WORDS, np.int64)
        self.words: npt.NDArray[np.int64] = np.zeros((MAX_FILTERS + 1, ROW_WORDS), np.int64)
        self._json = np.zeros((MAX_FILTERS, JSON_BYTES), np.uint8)
        self._zero = np.zeros(4, np.float32)
        self._byte = np.zeros(1, np.uint8)
        self._texts: list[ctypes.Array[ctypes.c_char]] = []
        for index in range(MAX_FILTERS):
            self.words[index, JSON] = self._json[index].ctypes.data
        self.table[T_ROWS] = self.words.ctypes.data
        self.table[T_ZERO] = self._zero.ctypes.data
        self.table[T_BYTE] = self._byte.ctypes.data
        self.table[T_BELL] = -1

    def text(self, value: str) -> int:
        """The address of a C string that lives as long as the rows."""
        self._texts.append(ctypes.create_string_buffer(value.encode()))
        return ctypes.addressof(self._texts[-1])

    def json(self, index: int) -> bytes:
        """The settings' JSON as `update` left it."""
        return self._json[index].tobytes().split(b"\0", 1)[0]

    def keep(self, defaults: npt.NDArray[np.int64]) -> None:
        """Sets the table of defaults, (n, 3) int64, and keeps it alive."""
        self._defaults = np.ascontiguousarray(defaults)
        self.table[T_DEFAULTS] = self._defaults.ctypes.data
        self.table[T_DEFAULT_COUNT] = len(self._defaults)
