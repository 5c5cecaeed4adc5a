"""OBS's end of a block: compiled, called by the render callback, never waits, trusts nothing that the engine wrote."""

from __future__ import annotations

from numba import njit

from obs_facelive.link import layout
from obs_facelive.link.atomic import copy, fence, load, store
from obs_facelive.link.layout import (
    CLAIMED,
    HEADER_WORDS,
    IN_HAND,
    INPUT_NEWEST,
    INPUT_READING,
    INPUT_SLOTS,
    LAYOUT,
    LAYOUT_VERSION,
    MAGIC,
    MAGIC_VALUE,
    MAX_PATCHES,
    NONE,
    OUTPUT_NEWEST,
    OUTPUT_READING,
    OUTPUT_SLOTS,
    PATCH_FIRST,
    PATCH_HEIGHT,
    PATCH_OFFSET,
    PATCH_WIDTH,
    PATCH_WORDS,
    PATCH_X,
    PATCH_Y,
    REFUSAL,
    REFUSED,
    REMOVED,
    RESULT_PATCHES,
    RESULT_WORDS,
    SETTINGS_SEQ,
    SETTINGS_TEXT,
    SLOT_FRAME,
    SLOT_HEIGHT,
    SLOT_SEQ,
    SLOT_TIME,
    SLOT_WIDTH,
    SLOT_WORDS,
    TEXT_BYTES,
)

input_offset = njit(cache=True)(layout.input_offset)


@njit(cache=True, nogil=True)
def output_base(link: int, slot: int, capacity: int, patch_capacity: int) -> int:
    """The address of a result's words."""
    return link + input_offset(INPUT_SLOTS, capacity) + slot * (RESULT_WORDS * 8 + patch_capacity)


@njit(cache=True, nogil=True)
def format_block(link: int, capacity: int, patch_capacity: int) -> None:
    """Makes a zeroed mapping at address ``link`` a block."""
    for word in range(HEADER_WORDS):
        store(link + 8 * word, 0)
    for word in (INPUT_NEWEST, OUTPUT_NEWEST, OUTPUT_READING):
        store(link + 8 * word, NONE)
    for index in range(IN_HAND):
        store(link + 8 * (CLAIMED + index), NONE)
    store(link + 8 * layout.CAPACITY, capacity)
    store(link + 8 * layout.PATCH_CAPACITY, patch_capacity)
    store(link + 8 * LAYOUT, LAYOUT_VERSION)
    store(link + 8 * MAGIC, MAGIC_VALUE)


@njit(cache=True, nogil=True)
def send_frame(link: int, capacity: int, frame: int, time: int, data: int, line: int, width: int, height: int) -> bool:
    """Copies a mapped picture (``line`` bytes a row at ``data``) into a slot that nobody reads.

    False: it does not fit, or the engine says that it reads more slots than it may.
    """
    row = width * 4
    if width <= 0 or height <= 0 or line < row or row * height > capacity:
        return False
    newest, reading = load(link + 8 * INPUT_NEWEST), load(link + 8 * INPUT_READING)
    slot = 0
    while slot < INPUT_SLOTS and (slot == newest or reading >> slot & 1):
        slot += 1
    if slot == INPUT_SLOTS:
        return False
    base = link + input_offset(slot, capacity)
    seq = load(base + 8 * SLOT_SEQ) | 1
    store(base + 8 * SLOT_SEQ, seq)
    fence()
    store(base + 8 * SLOT_FRAME, frame)
    store(base + 8 * SLOT_WIDTH, width)
    store(base + 8 * SLOT_HEIGHT, height)
    store(base + 8 * SLOT_TIME, time)
    pixels = base + 8 * SLOT_WORDS
    if line == row:
        copy(pixels, data, row * height)
    else:
        for y in range(height):
            copy(pixels + y * row, data + y * line, row)
    store(base + 8 * SLOT_SEQ, seq + 1)
    store(link + 8 * INPUT_NEWEST, slot)
    return True


@njit(cache=True, nogil=True)
def claimed(link: int, frame: int) -> bool:
    """Whether the engine says that it works on ``frame``."""
    found = False
    for index in range(IN_HAND):
        found |= load(link + 8 * (CLAIMED + index)) == frame
    return found


@njit(cache=True, nogil=True)
def send_settings(link: int, text: int, size: int) -> None:
    """Copies a C string of ``size`` bytes (JSON, its zero byte not counted) into the block."""
    seq = load(link + 8 * SETTINGS_SEQ) | 1
    store(link + 8 * SETTINGS_SEQ, seq)
    fence()
    copy(link + SETTINGS_TEXT, text, min(size + 1, TEXT_BYTES))
    store(link + 8 * SETTINGS_SEQ, seq + 1)


@njit(cache=True, nogil=True)
def refusal(link: int) -> int:
    """The status that the engine gives to all results from now on, if the face may not be seen any more; else 0."""
    status = load(link + 8 * REFUSAL)
    return status if REFUSED <= status <= REMOVED else 0


@njit(cache=True, nogil=True)
def open_result(link: int, capacity: int, patch_capacity: int) -> int:
    """The address of the newest whole result's words, to be given back by `close_result`; 0 if there is none."""
    slot = load(link + 8 * OUTPUT_NEWEST)
    if slot < 0 or slot >= OUTPUT_SLOTS:
        return 0
    store(link + 8 * OUTPUT_READING, slot)
    fence()
    base = output_base(link, slot, capacity, patch_capacity)
    if load(base) & 1:
        store(link + 8 * OUTPUT_READING, NONE)
        return 0
    return base


@njit(cache=True, nogil=True)
def close_result(link: int, base: int, seq: int) -> bool:
    """Gives the result back. False: the engine wrote into it meanwhile, so what was read is torn.

    ``seq``: what its sequence word was before anything else was read.
    """
    fence()
    whole = seq & 1 == 0 and load(base) == seq
    store(link + 8 * OUTPUT_READING, NONE)
    return whole


@njit(cache=True, nogil=True)
def patch_count(base: int) -> int:
    """How many patches a result says it has; -1 if that is not possible."""
    count = load(base + 8 * RESULT_PATCHES)
    return count if 0 <= count <= MAX_PATCHES else -1


@njit(cache=True, nogil=True)
def patch(base: int, index: int, width: int, height: int, patch_capacity: int) -> tuple[int, int, int, int, int]:
    """(x, y, width, height, address of the pixels) of a patch; a width of 0 if it is not wholly inside frame and slot.

    Read once, checked, and used as read: the engine may write at any time.
    """
    words = base + 8 * (PATCH_FIRST + index * PATCH_WORDS)
    x, y = load(words + 8 * PATCH_X), load(words + 8 * PATCH_Y)
    w, h = load(words + 8 * PATCH_WIDTH), load(words + 8 * PATCH_HEIGHT)
    offset = load(words + 8 * PATCH_OFFSET)
    inside = 0 <= x < width and 0 <= y < height and 0 < w <= width - x and 0 < h <= height - y
    if not inside or offset < 0 or offset > patch_capacity - w * h * 4:
        return 0, 0, 0, 0, 0
    return x, y, w, h, base + 8 * RESULT_WORDS + offset
