"""What happens to pictures on their way to somebody who looks at them."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias

import av
import cv2
import numpy as np

from obs_facelive.frame import Pixels
from tools.mark.material import FPS, HEIGHT, WIDTH

Way: TypeAlias = Callable[[list[Pixels]], list[Pixels]]


def encode(
    pictures: list[Pixels], target: Any, kind: str, bit_rate: int, size: tuple[int, int] = (WIDTH, HEIGHT)
) -> None:
    """Writes ``pictures`` as OBS does: x264, veryfast, constant bit rate, a key frame every 2 seconds."""
    rate = bit_rate // 1000
    options = {
        "preset": "veryfast",
        "threads": "1",
        "x264-params": f"keyint={2 * FPS}:nal-hrd=cbr:vbv-maxrate={rate}:vbv-bufsize={rate}",
    }
    with av.open(target, "w", format=kind) as container:
        stream = container.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = *size, "yuv420p", bit_rate
        stream.codec_context.time_base = Fraction(1, FPS)
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
            frame = frame.reformat(*size, format="yuv420p", interpolation="BICUBIC")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def decode(source: Any) -> list[Pixels]:
    """The pictures of a video, (h, w, 3) uint8 BGR."""
    with av.open(source) as container:
        return [np.asarray(picture.to_ndarray(format="bgr24"), np.uint8) for picture in container.decode(video=0)]


def through_x264(bit_rate: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Way:
    """There and back."""

    def way(pictures: list[Pixels]) -> list[Pixels]:
        memory = io.BytesIO()
        encode(pictures, memory, "matroska", bit_rate, size)
        memory.seek(0)
        return decode(memory)

    return way


def as_jpeg(pictures: list[Pixels]) -> list[Pixels]:
    """Screenshots of quality 80."""
    files = (cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])[1] for picture in pictures)
    return [np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR), np.uint8) for file in files]


def cropped(pictures: list[Pixels]) -> list[Pixels]:
    """A tenth cut off each side, and scaled up to the old size."""
    height, width = pictures[0].shape[:2]
    y, x = height // 10, width // 10
    return [np.asarray(cv2.resize(p[y : height - y, x : width - x], (width, height)), np.uint8) for p in pictures]


def flipped(pictures: list[Pixels]) -> list[Pixels]:
    """Mirrored, as a front camera's preview is."""
    return [np.ascontiguousarray(picture[:, ::-1]) for picture in pictures]
