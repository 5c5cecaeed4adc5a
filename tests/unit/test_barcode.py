import io
from collections.abc import Iterator

import av
import numpy as np
import pytest

from obs_facelive.frame import Pixels
from tools import barcode


def noisy(seed: int, channels: int = 3) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (240, 426, channels), np.uint8)


def through_video(pictures: list[Pixels], bit_rate: int) -> Iterator[Pixels]:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = pictures[0].shape[1], pictures[0].shape[0], "yuv420p"
        stream.bit_rate = bit_rate
        for picture in pictures:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        out.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer, "r") as back:
        for frame in back.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("number", [0, 1, 0x5555, 0xAAAA, 0x8001, 0xFFFF])
def test_reads_what_was_drawn(number: int, channels: int) -> None:
    picture = noisy(number, channels)
    barcode.draw(picture, number, 7, 11)
    assert barcode.read(picture, 7, 11) == number


def test_survives_x264_at_a_low_bit_rate() -> None:
    numbers = [int(n) for n in np.random.default_rng(0).integers(0, 1 << 16, 40)]
    pictures = [noisy(i) // 2 for i in range(len(numbers))]
    for picture, number in zip(pictures, numbers, strict=True):
        barcode.draw(picture, number)
    assert [barcode.read(picture) for picture in through_video(pictures, 200_000)] == numbers


def test_a_picture_without_a_whole_code_reads_as_nothing() -> None:
    assert all(barcode.read(noisy(seed)) is None for seed in range(20))
    first, second = noisy(1), noisy(2)
    barcode.draw(first, 0x1234)
    barcode.draw(second, 0xFEDC)
    assert barcode.read(first // 2 + second // 2) is None
    assert barcode.read(first, 200, 0) is None
    assert barcode.read(np.ascontiguousarray(first[::-1]), 16, 240 - 16 - barcode.HEIGHT) is None


def test_refuses_what_it_cannot_hold() -> None:
    with pytest.raises(ValueError, match="65535"):
        barcode.draw(noisy(0), 1 << 16)
    with pytest.raises(ValueError, match="does not fit"):
        barcode.draw(noisy(0), 1, 100, 0)
