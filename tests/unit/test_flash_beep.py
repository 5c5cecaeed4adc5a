"""The instrument by which sound and picture are judged: it must see what was put in."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tools import flash_beep

FPS, SECONDS = 25, 4


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip that flashes and beeps, twice over, made of a grey one."""
    folder = tmp_path_factory.mktemp("flash_beep")
    with av.open(folder / "camera.mp4", "w") as made:
        stream = made.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for _ in range(FPS * SECONDS):
            made.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((180, 320, 3), 90, np.uint8), "bgr24")))
        made.mux(stream.encode(None))
    flash_beep.make(folder / "camera.mp4", folder / "clip.mkv", 480, 270, rounds=2)
    return folder / "clip.mkv"


def shifted(clip: Path, kind: str, milliseconds: int) -> Path:
    """The clip with its sound or its picture later."""
    out = clip.with_name(f"{kind}{milliseconds}.mkv")
    with av.open(clip) as source, av.open(out, "w") as made:
        streams = {stream.index: made.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is None or packet.pts is None:
                continue
            if packet.stream.type == kind:
                ticks = round(Fraction(milliseconds, 1000) / packet.time_base)
                packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
            packet.stream = streams[packet.stream.index]
            made.mux(packet)
    return out


def test_flashes_and_beeps_are_together_in_the_clip(clip: Path) -> None:
    apart = flash_beep.offsets(clip)
    assert len(apart) == 2 * SECONDS - 1  # the first beep has not enough silence before it
    assert np.abs(apart).max() < 1.1
    assert flash_beep.describe(clip)["events"] == len(apart)


@pytest.mark.parametrize(
    ("kind", "milliseconds", "seen"), [("audio", 130, -130), ("video", 90, 90), ("video", 500, 500)]
)
def test_what_is_later_is_seen(clip: Path, kind: str, milliseconds: int, seen: int) -> None:
    apart = flash_beep.offsets(shifted(clip, kind, milliseconds))
    assert len(apart) >= 2 * SECONDS - 2
    assert np.abs(apart - seen).max() < 1.1


def test_every_picture_carries_its_number(clip: Path) -> None:
    times, numbers = flash_beep.numbers(clip)
    assert np.array_equal(numbers[:, 0], np.tile(np.arange(FPS * SECONDS), 2))
    assert np.allclose(times, np.arange(2 * FPS * SECONDS) / FPS, atol=0.002)


def test_a_clip_without_any_has_none(clip: Path) -> None:
    nowhere = (0.5, 0.4, 0.6, 0.5)
    assert len(flash_beep.flashes(clip, nowhere)) == 0
    assert flash_beep.describe(clip, nowhere) == {"events": 0}
    assert set(flash_beep.numbers(clip, [nowhere])[1].ravel()) == {-1}
