"""How large an image will be, out of its first bytes: a file of some kilobytes can unpack to gigabytes."""

from __future__ import annotations

import struct
from typing import Final

from obs_facelive.link.layout import MAX_SIDE

MAX_BYTES: Final = 256 << 20
"""Of a file."""
MAX_PIXELS: Final = 100_000_000


def check_image(content: bytes, most: int = MAX_SIDE) -> None:
    """Raises `ValueError`, in words for people, for what is no image of a known kind, or is too large to be unpacked.

    ``most`` is how many pixels a side may have.
    """
    try:
        size = _size(content)
    except (struct.error, IndexError):
        size = None
    if size is None:
        raise ValueError("it is none of PNG, JPEG, WebP, BMP and TIFF, or is cut short")
    width, height = size
    if not (0 < width <= most and 0 < height <= most and width * height <= MAX_PIXELS):
        raise ValueError(
            f"its {width}x{height} pixels are refused: at most {most} a side and {MAX_PIXELS // 10**6} million in all"
        )


def _size(content: bytes) -> tuple[int, int] | None:
    if content[:8] == b"\x89PNG\r\n\x1a\n" and content[12:16] == b"IHDR":
        width, height = struct.unpack_from(">II", content, 16)
        return width, height
    if content[:2] == b"\xff\xd8":
        return _jpeg(content)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _webp(content)
    if content[:2] == b"BM":
        (header,) = struct.unpack_from("<I", content, 14)
        width, height = struct.unpack_from("<HH" if header == 12 else "<ii", content, 18)
        return width, abs(height)
    if content[:4] in (b"II*\0", b"MM\0*"):
        return _tiff(content, "<" if content[:1] == b"I" else ">")
    return None


def _jpeg(content: bytes) -> tuple[int, int] | None:
    """ITU T.81, B.2: segments, each with a marker and a length, until the header of the frame."""
    at = 2
    while True:
        at = content.find(b"\xff", at)
        if at < 0:
            return None
        while content[at] == 0xFF:
            at += 1
        marker = content[at]
        at += 1
        if marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD7:
            continue
        if marker in (0xD8, 0xD9, 0xDA):
            return None
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", content, at + 3)
            return width, height
        at += struct.unpack_from(">H", content, at)[0]


def _webp(content: bytes) -> tuple[int, int] | None:
    """RFC 9649."""
    kind = content[12:16]
    if len(content) < 30:
        return None
    if kind == b"VP8X":
        return 1 + int.from_bytes(content[24:27], "little"), 1 + int.from_bytes(content[27:30], "little")
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _tiff(content: bytes, order: str) -> tuple[int, int] | None:
    """TIFF 6.0: the first directory's tags 256 and 257, two or four bytes each."""
    (at,) = struct.unpack_from(order + "I", content, 4)
    (count,) = struct.unpack_from(order + "H", content, at)
    found: dict[int, int] = {}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, values = struct.unpack_from(order + "HHI", content, entry)
        if tag in (256, 257):
            if tag in found or values != 1 or kind not in (3, 4):
                return None
            (found[tag],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), content, entry + 8)
    return (found[256], found[257]) if len(found) == 2 else None
