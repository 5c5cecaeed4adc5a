"""Video files keep what is not the picture: sound, times, colours; and what cannot be done is said."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from obs_facelive.frame import Frame, Pixels
from obs_facelive.video import VideoError, change_video, read_frames

WIDTH, HEIGHT = 128, 96
TIMES = (0, 33, 66, 200, 210, 600, 633, 1400)
"""Milliseconds: a variable frame rate."""


def picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> Pixels:
    """Red on the left, blue on the right, a white field in the top left corner; brighter with every number."""
    pixels = np.full((height, width, 3), (40, 60, 180), np.uint8)
    pixels[:, width // 2 :] = (180, 120, 40)
    pixels[: height // 3, : width // 3] = 255
    return np.clip(pixels.astype(int) + number, 0, 255).astype(np.uint8)


def write(
    path: Path, *, turned: int = 0, sound: str = "", matrix: int = 1, full: bool = False, pictures: bool = True
) -> None:
    """A video of eight pictures at `TIMES`, with as much sound."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=30, options={"crf": "1"}) if pictures else None
        audio: Any = container.add_stream(sound, rate=48000, layout="mono") if sound else None
        if video:
            context = video.codec_context
            context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            context.time_base = Fraction(1, 1000)
            context.colorspace, context.color_range = matrix, 2 if full else 1
            if turned:
                video.set_display_rotation(turned)
            for number, at in enumerate(TIMES):
                frame = av.VideoFrame.from_ndarray(picture(number), format="bgr24")
                frame = frame.reformat(format="yuv420p", dst_colorspace=matrix, dst_color_range=2 if full else 1)
                frame.pts, frame.time_base = at, Fraction(1, 1000)
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
        if audio:
            size = audio.codec_context.frame_size or 1024
            tone = np.sin(np.arange(48000 * 3 // 2) * 0.06).astype(np.float32) * 8000
            for start in range(0, len(tone) - size, size):
                samples = av.AudioFrame.from_ndarray(tone[None, start : start + size].astype(np.int16), "s16", "mono")
                samples.sample_rate, samples.pts, samples.time_base = 48000, start, Fraction(1, 48000)
                container.mux(audio.encode(samples))
            container.mux(audio.encode(None))


def same(frame: Frame) -> Pixels:
    return frame.pixels


def change(source: Path, target: Path) -> list[Frame]:
    change_video(source, target, same, lambda done, total: None)
    return list(read_frames(target))


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(p) for p in container.demux(container.streams.audio[0]) if p.dts is not None]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_pictures_keep_their_times_and_sound_is_untouched(tmp_path: Path, suffix: str) -> None:
    source, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    write(source, sound="aac")
    frames = change(source, target)
    assert [round(frame.time * 1000) - round(frames[0].time * 1000) for frame in frames] == list(TIMES)
    assert packets(target) == packets(source)
    assert len(packets(source)) > 50


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", [1, 5])
def test_colours_stay(tmp_path: Path, matrix: int, full: bool) -> None:
    source, target = tmp_path / "in.mp4", tmp_path / "out.mp4"
    write(source, matrix=matrix, full=full)
    for number, frame in enumerate(change(source, target)):
        difference = frame.pixels[..., :3].astype(int) - picture(number)
        assert np.abs(np.median(difference, axis=(0, 1))).max() <= 3
    with av.open(str(target)) as container:
        first = next(container.decode(video=0))
        assert (first.colorspace, first.color_range) == (matrix, 2 if full else 1)


@pytest.mark.parametrize("turned", [90, -90, 180])
def test_a_turned_video_becomes_upright(tmp_path: Path, turned: int) -> None:
    source, target = tmp_path / "in.mp4", tmp_path / "out.mp4"
    write(source, turned=turned)
    frame = change(source, target)[0]
    upright = np.rot90(picture(0), turned // 90)
    assert frame.pixels.shape[:2] == upright.shape[:2]
    assert np.abs(frame.pixels[..., :3].astype(int) - upright).mean() < 6
    with av.open(str(target)) as container:
        assert next(container.decode(video=0)).rotation == 0


def test_an_odd_size_grows_by_one(tmp_path: Path) -> None:
    source, target = tmp_path / "in.mp4", tmp_path / "out.mp4"
    write(source)
    change_video(source, target, lambda frame: np.ascontiguousarray(frame.pixels[1:, 1:]), lambda done, total: None)
    assert next(read_frames(target)).pixels.shape == (HEIGHT, WIDTH, 4)


def test_progress_counts_up_to_the_end(tmp_path: Path) -> None:
    source = tmp_path / "in.mp4"
    write(source)
    told: list[tuple[int, int]] = []
    change_video(source, tmp_path / "out.mp4", same, lambda done, total: told.append((done, total)))
    assert told == [(n, len(TIMES)) for n in range(len(TIMES) + 1)]


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    text, cut, deaf = tmp_path / "text.mp4", tmp_path / "cut.mkv", tmp_path / "sound.mkv"
    text.write_text("no video")
    write(whole := tmp_path / "whole.mkv", sound="pcm_s16le")
    content = whole.read_bytes()
    cut.write_bytes(content[: len(content) // 8])
    write(deaf, sound="aac", pictures=False)
    for path, words in (
        (text, "cannot be read as a video"),
        (tmp_path / "missing.mp4", "No such file"),
        (cut, "is cut off|is damaged"),
        (deaf, "has no video"),
    ):
        with pytest.raises(VideoError, match=words):
            change(path, tmp_path / "out.mp4")


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    write(source := tmp_path / "in.mkv", sound="pcm_u8")
    with pytest.raises(VideoError, match=r"cannot hold the sound .*choose .mkv"):
        change(source, tmp_path / "out.mp4")
    with pytest.raises(VideoError, match="cannot be written"):
        change(source, tmp_path / "missing" / "out.mkv")


@pytest.mark.parametrize(
    "text", ["ffconcat version 1.0\nfile whole.mp4\n", "#EXTM3U\n#EXTINF:10,\nwhole.mp4\n#EXT-X-ENDLIST\n"]
)
def test_a_list_of_other_files_is_no_video(tmp_path: Path, text: str) -> None:
    write(tmp_path / "whole.mp4")
    (tmp_path / "list.mp4").write_text(text)
    with pytest.raises(VideoError, match="cannot be read as a video"):
        next(read_frames(tmp_path / "list.mp4"))
    with pytest.raises(VideoError, match="cannot be read as a video"):
        change(tmp_path / "list.mp4", tmp_path / "out.mp4")


def test_too_large_pictures_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "in.mp4")
    assert list(read_frames(tmp_path / "in.mp4"))
    monkeypatch.setattr("obs_facelive.video.MAX_PIXELS", WIDTH * HEIGHT // 2)
    with pytest.raises(VideoError, match="128x96 are refused"):
        list(read_frames(tmp_path / "in.mp4"))
    with pytest.raises(VideoError, match="128x96 are refused"):
        change(tmp_path / "in.mp4", tmp_path / "out.mp4")
