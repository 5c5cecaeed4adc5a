"""The demo and the measurement of the render callback, in a real OBS: short forms of what a person runs."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from obs_facelive.home import Home
from obs_facelive.video import read_frames
from tools.demo import DemoError, demo, judge
from tools.recording import compare
from tools.render_cost import EXTRA, measure

KEYS = """obs_version width height obs_fps frames_rendered frames_lagged engine_fps added_delay_ms_p50 added_delay_ms_p95
frames_with_face frames_swapped raw_frames_shown provider""".split()


def test_the_demo_shows_the_persona(home: Home, camera_clip: Path, tmp_path: Path) -> None:
    figures = demo(home, camera_clip, tmp_path / "demo", 3.0)
    assert list(figures) == KEYS
    assert (figures["width"], figures["height"]) == (1280, 720)
    assert figures["raw_frames_shown"] == 0
    assert figures["frames_swapped"] == figures["frames_with_face"] > 0
    assert 0 < figures["added_delay_ms_p50"] <= figures["added_delay_ms_p95"]
    recorded = list(read_frames(tmp_path / "demo" / "obs.mp4"))
    assert len(recorded) >= 85
    assert recorded[0].pixels.shape == (720, 1280, 4)
    sheet = cv2.imread(str(tmp_path / "demo" / "before_after.png"))
    assert sheet is not None
    camera, persona = np.vsplit(sheet.astype(int), 2)
    assert np.abs(camera - persona).mean() > 0.5


@pytest.mark.slow
def test_a_bare_or_covered_recording_is_found_out(home: Home, camera_clip: Path, tmp_path: Path) -> None:
    """The clip itself, coded once more: bare in the first half, blurred in the second."""
    with av.open(str(tmp_path / "bare.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "18", "preset": "ultrafast"})
        stream.codec_context.width, stream.codec_context.height = 1280, 720
        stream.codec_context.pix_fmt = "yuv420p"
        for frame in islice(read_frames(camera_clip), 60, 120):
            pixels = frame.pixels if frame.id < 90 else np.asarray(cv2.blur(frame.pixels, (91, 91)), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="bgra")))
        container.mux(stream.encode(None))
    pairs = compare(home, camera_clip, tmp_path / "bare.mp4")
    assert len(pairs) == 60
    assert not any(pair.swapped for pair in pairs)
    assert [pair.clip for pair in pairs[:30]] == list(range(60, 90))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"raw_frames_shown": 1}, "1 bare frames"),
        ({"frames_swapped": 94}, "only 94 of 100"),
        ({"frames_with_face": 0, "frames_swapped": 0}, "only 0 of 0"),
    ],
)
def test_bad_counters_fail_the_demo(change: dict[str, int], words: str) -> None:
    good = {"frames_with_face": 100, "frames_swapped": 95, "raw_frames_shown": 0}
    judge(good)
    with pytest.raises(DemoError, match=words):
        judge(good | change)


@pytest.mark.slow
def test_the_render_callback_is_measured(home: Home, camera_clip: Path) -> None:
    figures = measure(home, camera_clip, samples=40)
    kinds, spans = figures["kinds"], figures["spans"]
    # Render Delay draws twice what the plain scene draws once; our filter does more still.
    assert 0 < kinds["plain"]["cpu_us"] < kinds["native"]["cpu_us"] < kinds["facelive"]["cpu_us"]
    assert [spans[name]["calls"] for name in ("target", *EXTRA)] == [1, 1, 1, 1, 2]
    assert 0 < figures["render_callback_ratio"] < figures["ratio_with_copies"]
    assert sum(span["cpu_us"] for span in spans.values()) < kinds["facelive"]["cpu_us"] * 1.5
