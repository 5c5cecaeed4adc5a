"""The 32 bits of the invisible mark."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from obs_facelive.provenance.payload import BITS, TAG, VERSION, Payload, crc8, nearest, payload, signs


def test_the_word_is_fixed() -> None:
    # Pictures that were marked years ago are read by this: never change it without a new version.
    assert payload().word == 0xFACE01D7
    assert payload().ours and payload().version == VERSION and payload().word >> 16 == TAG


def test_the_checksum_is_that_of_the_standard() -> None:
    # CRC-8's check value: of the ASCII digits 1 to 9 it is 0xF4. Of three bytes, by long division:
    def divided(value: int) -> int:
        rest = value << 8
        for bit in range(31, 7, -1):
            if rest >> bit & 1:
                rest ^= 0x107 << bit - 8
        return rest

    assert all(crc8(value) == divided(value) for value in (0, 1, 0xFACE01, 0x123456, 0xFFFFFF))


@given(st.sets(st.integers(0, BITS - 1), min_size=1, max_size=3))
def test_up_to_three_wrong_bits_are_seen(wrong: set[int]) -> None:
    word = payload().word
    for bit in wrong:
        word ^= 1 << bit
    assert not Payload(word).ours or Payload(word).version != VERSION


def test_bits_there_and_back() -> None:
    assert nearest(signs(payload())) == payload()
    assert nearest(-signs(payload())).word == payload().word ^ 0xFFFFFFFF
    assert nearest(np.full(BITS, 0.5, np.float32)).word == 0xFFFFFFFF
