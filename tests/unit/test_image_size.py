"""The size out of the first bytes is what OpenCV will make of the file; bombs are refused before it sees them."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_facelive.image import IMAGES, ImageError, read_image
from obs_facelive.image_size import _size, check_image


def image(suffix: str, width: int, height: int, channels: int = 3, *options: int) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, channels), np.uint8)
    return bytes(cv2.imencode(suffix, pixels, options)[1].tobytes())


@pytest.mark.parametrize("suffix", IMAGES)
@pytest.mark.parametrize("width, height", [(1, 1), (7, 300), (300, 7), (1234, 56)])
def test_the_size_is_what_opencv_finds(suffix: str, width: int, height: int) -> None:
    content = image(suffix, width, height)
    assert _size(content) == (width, height)
    check_image(content)


def test_other_forms_of_the_same_formats() -> None:
    for content in (
        image(".webp", 33, 44, 3, cv2.IMWRITE_WEBP_QUALITY, 101),  # without loss: VP8L
        image(".webp", 33, 44, 3, cv2.IMWRITE_WEBP_QUALITY, 50),
        image(".webp", 33, 44, 4, cv2.IMWRITE_WEBP_QUALITY, 50),  # with transparency: VP8X
        image(".jpg", 33, 44, 3, cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_RST_INTERVAL, 1),
        image(".png", 33, 44, 4),
        image(".bmp", 33, 44, 4),
    ):
        assert _size(content) == (33, 44)
    jpeg = image(".jpg", 33, 44)
    exif = b"\xff\xe1" + struct.pack(">H", 2 + 8) + b"\xff\xc0\x00\x11\x08\xff\xff\xff"  # looks like a frame's header
    assert _size(jpeg[:2] + exif + b"\xff\xff" + jpeg[3:]) == (33, 44)


def bomb(width: int, height: int) -> bytes:
    """A PNG of so many black pixels, some kilobytes small."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "width, height", [(16384, 16384), (16385, 1), (1, 16385), (10_001, 10_000), (2**31 - 1, 2**31 - 1), (0, 5)]
)
def test_bombs_are_refused_before_anybody_unpacks_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int, height: int
) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(bomb(width, height))
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("it was unpacked"))
    with pytest.raises(ImageError, match=r"bomb\.png cannot be read as an image: its .* pixels are refused: at most"):
        read_image(path)


def test_the_largest_is_let_through() -> None:
    check_image(bomb(10_000, 10_000))
    check_image(bomb(16384, 6103))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8",
        b"\xff\xd8\xff\xda\0\0",
        b"BM",
        b"II*\0",
        b"RIFF0000WEBPVP8X",
        b"GIF89a" + bytes(50),
        b"\x76\x2f\x31\x01",
    ],
)
def test_what_is_none_of_the_known_kinds_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=r"none of PNG, JPEG, WebP, BMP and TIFF|pixels are refused"):
        read_image(path)


@given(
    st.sampled_from([".png", ".jpg", ".webp", ".bmp", ".tif"]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4),
    st.integers(0, 400),
)
def test_what_opencv_makes_of_a_damaged_file_is_as_large_as_its_first_bytes_say(
    suffix: str, damage: list[tuple[int, int]], cut: int
) -> None:
    content = bytearray(image(suffix, 9, 5))
    for at, value in damage:
        content[at % len(content)] = value
    if cut < 100:
        del content[cut:]
    try:
        check_image(bytes(content))
    except ValueError:
        return
    width, height = _size(bytes(content)) or (0, 0)
    if width * height > 10**6:
        return
    try:
        made = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return
    assert made is None or made.shape[:2] == (height, width)
