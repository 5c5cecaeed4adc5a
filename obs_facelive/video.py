"""Video files: every picture through a function, everything else as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import av
import numpy as np
from av.stream import Disposition

from obs_facelive.frame import Frame, Pixels
from obs_facelive.image_size import MAX_PIXELS

SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv")
"""Containers that take H.264 with pictures at any time."""
Change: TypeAlias = Callable[[Frame], Pixels]
"""Gives a frame's new picture, (h, w, 4) uint8 BGRA, of the same size."""
Progress: TypeAlias = Callable[[int, int], None]
"""Is told how many pictures are done, and of how many (0: not known)."""

_CONTAINERS = "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,ivf,h264,hevc,m4v,mpegvideo,mjpeg,yuv4mpegpipe,gif"
"""FFmpeg's names of what is read. Playlists are not: they name other files, and hosts."""
_SILENCE = 10.0
"""Seconds that a stream may send nothing."""
_CUT_OFF = 1.0
"""Seconds that a file may end earlier than it says."""
# x264: CRF 18 cannot be told from the original; "veryfast" keeps up with the swap.
_ENCODER = {"crf": "18", "preset": "veryfast"}
_MATRICES = (1, 4, 5, 6, 7, 9)
"""AVColorSpace values that swscale knows. It reads any other as BT.601, so BT.601 it must be on the way back."""
_BT601 = 5


class VideoError(Exception):
    """A video cannot be read or written; the text says why, for people."""


def change_video(source: Path, target: Path, change: Change, progress: Progress) -> None:
    """Writes ``source`` to ``target`` with every picture changed.

    Sound is copied as it is. Pictures keep their times, so that a variable frame rate stays one; they become H.264. A
    picture that is stored turned is turned upright; a side of an odd length grows by one pixel (4:2:0 needs it).

    Raises `VideoError` where ``source`` is no video, is damaged or cut off, or ``target`` cannot be written.
    """
    with _open(source) as container:
        video = next((s for s in container.streams.video if not s.disposition & Disposition.attached_pic), None)
        if video is None:
            raise VideoError(f"{source} has no video in it")
        video.thread_type = "AUTO"
        _limit(video)
        writer = _Writer(target, video, list(container.streams.audio))
        try:
            _copy(source, container, video, writer, change, progress)
            writer.close()
        except BaseException:
            with suppress(VideoError):
                writer.close()
            raise


def _copy(source: Path, container: Any, video: Any, writer: _Writer, change: Change, progress: Progress) -> None:
    promised = (container.duration or 0) / av.time_base
    total = video.frames or round(promised * float(video.average_rate or 0))
    number, end = 0, 0.0
    damaged = f"{source} is damaged"
    progress(0, total)
    for packet in _each(container.demux(video, *container.streams.audio), damaged):
        if packet.stream is video:
            for picture in _each(packet.decode(), damaged):
                if picture.pts is None:  # a bare stream without times
                    picture.pts = round(number / (video.average_rate or 30) / video.time_base)
                end = max(end, float((picture.pts + (picture.duration or 0)) * video.time_base))
                frame = Frame(_upright(picture), number, float(picture.pts * video.time_base))
                writer.picture(change(frame), picture)
                number += 1
                progress(number, max(number, total) if total else 0)
        elif packet.dts is not None:
            end = max(end, float((packet.dts + (packet.duration or 0)) * packet.time_base))
            writer.sound(packet)
    writer.end()
    if not number:
        raise VideoError(f"{source} has no pictures in it")
    end -= (container.start_time or 0) / av.time_base
    if end < promised - _CUT_OFF:
        raise VideoError(f"{source} is cut off: it ends after {end:.1f} of {promised:.1f} seconds")


def read_frames(source: Path) -> Iterator[Frame]:
    """The pictures of a video, one after the other. Raises `VideoError`."""
    with _open(source) as container:
        yield from _pictures(container, str(source))


def read_stream(source: str | BinaryIO, name: str) -> Iterator[Frame]:
    """The pictures of an RTMP stream, or of a video that something with ``read`` delivers. Raises `VideoError`.

    ``name`` is what an error calls it.
    """
    # Without "live", FFmpeg asks for a recording first, and nginx ends the connection.
    options = {"protocol_whitelist": "rtmp,tcp", "format_whitelist": _CONTAINERS, "rtmp_live": "live"}
    with _saying(f"{name} cannot be read as a video"):
        container = av.open(source, options=options, timeout=_SILENCE)
    with container:
        yield from _pictures(container, name)


def _pictures(container: Any, name: str) -> Iterator[Frame]:
    if not container.streams.video:
        raise VideoError(f"{name} has no video in it")
    _limit(container.streams.video[0])
    for number, picture in enumerate(_each(container.decode(video=0), f"{name} is damaged")):
        yield Frame(_upright(picture), number, float(picture.time or 0.0))


def pictures_hash(source: Path) -> str:
    """SHA-256, in hex, of a video's pictures as they are coded: the same in any container. Raises `VideoError`."""
    digest = hashlib.sha256()
    with _open(source) as container:
        if not container.streams.video:
            raise VideoError(f"{source} has no video in it")
        for packet in _each(container.demux(container.streams.video[0]), f"{source} is damaged"):
            digest.update(bytes(packet))
    return digest.hexdigest()


def _open(source: Path) -> Any:
    with _saying(f"{source} cannot be read as a video"):
        return av.open(str(source), options={"protocol_whitelist": "file", "format_whitelist": _CONTAINERS})


def _limit(*streams: Any) -> None:
    """Refuses too large pictures; later ones, too: the decoder does before it makes room for them."""
    for stream in streams:
        width, height = stream.codec_context.width, stream.codec_context.height
        if width * height > MAX_PIXELS:
            raise VideoError(f"pictures of {width}x{height} are refused: at most {MAX_PIXELS // 10**6} million pixels")
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}


def _upright(picture: av.VideoFrame) -> Pixels:
    # Straight from 4:2:0 swscale takes a short cut that makes the picture darker by one level.
    whole = picture if picture.format.is_rgb else picture.reformat(format="yuv444p")
    pixels = whole.to_ndarray(format="bgra")
    # The display matrix says by how many degrees to turn counterclockwise, as rot90 does.
    return np.ascontiguousarray(np.rot90(pixels, round(picture.rotation / 90)))


class _Writer:
    """The new file. It begins with the first picture: only then is its size known."""

    def __init__(self, path: Path, video: Any, sounds: list[Any]) -> None:
        self._path, self._like = path, video
        with self._saying():
            options = {} if path.suffix == ".mkv" else {"movflags": "+faststart"}
            self._container = av.open(str(path), "w", options=options)
        self._video: Any = None
        self._sounds: dict[int, Any] = {}
        for sound in sounds:
            with self._saying(f"{path} cannot hold the sound ({sound.codec_context.name}); choose .mkv"):
                self._sounds[sound.index] = self._container.add_stream_from_template(sound)
        self._waiting: list[Any] = []

    def picture(self, pixels: Pixels, like: av.VideoFrame) -> None:
        """The next picture, at the time of ``like`` and in its colours."""
        height, width = pixels.shape[:2]
        if height % 2 or width % 2:
            pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        matrix = like.colorspace if like.colorspace in _MATRICES else _BT601
        full = like.color_range or 1
        with self._saying():
            if self._video is None:
                self._begin(pixels, like)
            frame = av.VideoFrame.from_ndarray(pixels, format="bgra")
            frame = frame.reformat(format="yuv420p", dst_colorspace=matrix, dst_color_range=full)
            frame.pts, frame.time_base, frame.duration = like.pts, like.time_base, like.duration
            self._container.mux(self._video.encode(frame))

    def sound(self, packet: Any) -> None:
        """The next piece of sound, as it is."""
        packet.stream = self._sounds[packet.stream.index]
        if self._video is None:
            self._waiting.append(packet)
            return
        with self._saying():
            self._container.mux(packet)

    def end(self) -> None:
        """All pictures are there: what the encoder still holds is written."""
        if self._video is not None:
            with self._saying():
                self._container.mux(self._video.encode(None))

    def close(self) -> None:
        """The end of the file."""
        with self._saying():
            self._container.close()

    def _begin(self, pixels: Pixels, like: av.VideoFrame) -> None:
        self._video = self._container.add_stream("libx264", rate=self._like.average_rate or 30, options=_ENCODER)
        context = self._video.codec_context
        context.height, context.width = pixels.shape[:2]
        context.pix_fmt = "yuv420p"
        context.time_base = self._video.time_base = Fraction(self._like.time_base)
        context.color_range, context.colorspace = like.color_range, like.colorspace
        context.color_primaries, context.color_trc = like.color_primaries, like.color_trc
        if shape := self._like.sample_aspect_ratio:
            context.sample_aspect_ratio = 1 / shape if round(like.rotation / 90) % 2 else shape
        self._container.start_encoding()
        for packet in self._waiting:
            self._container.mux(packet)
        self._waiting.clear()

    def _saying(self, what: str = "") -> Any:
        return _saying(what or f"{self._path} cannot be written")


@contextmanager
def _saying(what: str) -> Iterator[None]:
    try:
        yield
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(f"{what}: {getattr(error, 'strerror', None) or error}") from error


def _each(things: Iterable[Any], what: str) -> Iterator[Any]:
    """``things``, one by one, with errors of their maker in words."""
    iterator = iter(things)
    while True:
        with _saying(what):
            thing = next(iterator, None)
        if thing is None:
            return
        yield thing
