"""What the invisible mark says: 32 bits that are the same in every picture, a tag and a checksum over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from obs_facelive.frame import Floats

BITS = 32
TAG = 0xFACE
"""FaceLive's own sixteen bits."""
VERSION = 1
"""Of the mark: a mark that is written in another way gets another number here, and other patterns."""
_POLYNOMIAL = 0x07
"""CRC-8 with x^8 + x^2 + x + 1, as in ATM's header (ITU-T I.432.1), first value 0, nothing turned round."""


@dataclass(frozen=True, slots=True)
class Payload:
    """A word that was read.

    Attributes
    ----------
    word : 32 bits: tag (16), version (8), checksum of those three bytes (8)
    """

    word: int

    @property
    def version(self) -> int:
        """0..255."""
        return self.word >> 8 & 0xFF

    @property
    def ours(self) -> bool:
        """Whether the tag is FaceLive's and the checksum is right."""
        return self.word >> 16 == TAG and crc8(self.word >> 8) == self.word & 0xFF


def crc8(value: int) -> int:
    """The checksum of the three bytes of ``value``, highest first."""
    rest = 0
    for byte in value.to_bytes(3, "big"):
        rest ^= byte
        for _ in range(8):
            rest = (rest << 1 ^ (_POLYNOMIAL if rest & 0x80 else 0)) & 0xFF
    return rest


def payload(version: int = VERSION) -> Payload:
    """The word that is written."""
    head = TAG << 8 | version
    return Payload(head << 8 | crc8(head))


def signs(word: Payload) -> Floats:
    """(32,) float32: 1 for each bit that is set and -1 for each other, highest first."""
    return np.array([1 if word.word >> BITS - 1 - bit & 1 else -1 for bit in range(BITS)], np.float32)


def nearest(soft: Floats) -> Payload:
    """The word whose bits have the signs of ``soft`` (32,)."""
    return Payload(int("".join("1" if value > 0 else "0" for value in soft), 2))
