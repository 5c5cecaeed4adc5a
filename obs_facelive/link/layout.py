"""The shared block's layout: what lies where. Everything is a 64-bit word or bytes; both processes are on one machine.

A block belongs to one filter and one frame capacity; a bigger camera gets a new block::

    header       HEADER_WORDS words
    settings     TEXT_BYTES, JSON, written by OBS, guarded by SETTINGS_SEQ
    status       TEXT_BYTES, JSON, written by the engine, guarded by STATUS_SEQ
    input ring   INPUT_SLOTS x (SLOT_WORDS words, then `capacity` bytes of BGRA rows without gaps)
    output ring  OUTPUT_SLOTS x (RESULT_WORDS words, then `patch_capacity` bytes)

A sequence word is odd while its owner writes and even when what it guards is whole (a seqlock): a reader that finds
another value after reading than before has read a torn thing and drops it.
"""

from __future__ import annotations

MAGIC_VALUE = 0x46414345_4C495645  # "FACELIVE"
LAYOUT_VERSION = 3

# The header's words. Written once, by OBS, before anybody else knows the block:
MAGIC, LAYOUT, CAPACITY, PATCH_CAPACITY = 0, 1, 2, 3
# written by OBS:
INPUT_NEWEST, OUTPUT_READING, SETTINGS_SEQ, DELAY_US, LAG_PERMILLE = 8, 9, 10, 11, 12
# written by the engine (INPUT_READING has a bit for each slot that it reads):
OUTPUT_NEWEST, INPUT_READING, STATUS_SEQ, HEARTBEAT, APPLIED_SEQ = 16, 17, 19, 20, 21
# the status that all results have while the face may not be seen (from REFUSED on), told ahead of them; else 0:
REFUSAL = 22
# the ids of the frames that it works on, IN_HAND words:
CLAIMED = 24
HEADER_WORDS = 64

NONE = -1
"""No slot, no frame."""

TEXT_BYTES = 65536
IN_HAND = 4
"""Frames that the engine works on at once, at most: one in each of its stages, and one between two of them."""
INPUT_SLOTS = IN_HAND + 2
OUTPUT_SLOTS = 3

# An input slot's words.
SLOT_SEQ, SLOT_FRAME, SLOT_WIDTH, SLOT_HEIGHT, SLOT_TIME = range(5)
SLOT_WORDS = 8

# An output slot's words; then five for each patch.
RESULT_SEQ, RESULT_FRAME, RESULT_STATUS, RESULT_FACES, RESULT_SETTINGS, RESULT_PATCHES = range(6)
PATCH_FIRST = 8
PATCH_X, PATCH_Y, PATCH_WIDTH, PATCH_HEIGHT, PATCH_OFFSET = range(5)
PATCH_WORDS = 5
MAX_PATCHES = 8
RESULT_WORDS = 64

# What a result says about its frame.
SWAPPED, NO_FACE, FAILED, LOADING, TURNED = 1, 2, 3, 4, 5
WITHDRAWN, NO_CONSENT, REMOVED = 6, 7, 8
REFUSED = WITHDRAWN
"""From here on: the face that was worn may not be seen any more, not even held. Its consent was withdrawn, it has none, it was
removed from the library."""
NOT_ENROLLED = 9

MAX_SIDE = 16384
"""Longest side of a picture, in pixels."""
MAX_CAPACITY = MAX_SIDE**2 * 4
MAX_PATCH_CAPACITY = 2 * MAX_CAPACITY
"""Bytes of an input slot and of an output slot, at most. Both are multiples of 8, so that every word is aligned."""
MAX_SEQ = 1 << 62
"""Sequence numbers stay below it: what reads one that the other end broke can still count on from it."""


def input_offset(slot: int, capacity: int) -> int:
    """Bytes from the block's start to an input slot's words."""
    return HEADER_WORDS * 8 + 2 * TEXT_BYTES + slot * (SLOT_WORDS * 8 + capacity)


def output_offset(slot: int, capacity: int, patch_capacity: int) -> int:
    """Bytes from the block's start to an output slot's words."""
    return input_offset(INPUT_SLOTS, capacity) + slot * (RESULT_WORDS * 8 + patch_capacity)


def block_bytes(capacity: int, patch_capacity: int) -> int:
    """The whole block's size in bytes."""
    return output_offset(OUTPUT_SLOTS, capacity, patch_capacity)


SETTINGS_TEXT = HEADER_WORDS * 8
STATUS_TEXT = SETTINGS_TEXT + TEXT_BYTES
