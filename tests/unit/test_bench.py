"""The benchmark measures what it says; how fast it is, is the machine's business."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import av
import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from obs_facelive import bench
from obs_facelive.against import AROUND, NETWORK, PASTE, measure, networks
from obs_facelive.against_told import HEIGHT, compared, side_by_side, table
from obs_facelive.bench import WINDOW, BenchError, Result, _stages, report, run
from obs_facelive.cli import app
from obs_facelive.frame import Pixels
from obs_facelive.home import Home
from obs_facelive.video import read_frames
from tools.stand_ins.build import write


@pytest.fixture(scope="module")
def clip() -> Path:
    clip = Home.find().root / "demo" / "camera.mp4"
    if not clip.exists():
        pytest.skip(f"{clip} is missing: run 'python3 install.py demo'")
    return clip


@pytest.fixture(scope="module")
def result(clip: Path) -> Result:
    return run(Home.find(), clip, obs=False)


def test_the_stages_add_up_to_the_frame_rate(result: Result) -> None:
    stages = result.stages_ms
    assert set(stages) == {
        "link",
        "detect",
        "landmarks",
        "blendshapes",
        "occlusion",
        "track",
        "shape",
        "swap",
        "merge",
        "mark",
        "patches",
    }
    assert all(ms > 0 for ms in stages.values())
    assert result.mesh_720p_fps_one_core == pytest.approx(1e3 / sum(stages.values()), rel=0.01)
    networks = sum(stages[name] for name in ("detect", "landmarks", "blendshapes", "occlusion"))
    around = sum(stages[name] for name in ("link", "track", "shape", "merge", "mark", "patches"))
    assert result.overhead_ratio == pytest.approx(around / networks, abs=0.01)
    assert bench.FACE[0] <= result.machine["face_px"] <= bench.FACE[1]


def test_no_stage_is_left_out() -> None:
    frames = [{"landmarks": 5.0, "a new one": 2.0, "link": 1.0, "patches": 0.5}] * WINDOW * 2
    assert _stages(frames) == {"link": 1.0, "landmarks": 5.0, "a new one": 2.0, "patches": 0.5}


def test_it_is_one_line_of_json_and_a_table(result: Result) -> None:
    line = result.json()
    assert "\n" not in line
    keys = ("mesh_720p_fps_one_core", "stages_ms", "overhead_ratio", "render_callback_ratio", "machine")
    assert set(keys) <= json.loads(line).keys()
    assert json.loads(line)["render_callback_ratio"] is None
    console = Console(width=200)
    with console.capture() as capture:
        console.print(report(result))
    assert "not measured: not asked for" in capture.get()
    assert "landmarks" in capture.get()


def test_a_clip_that_does_not_fit_is_refused(clip: Path, tmp_path: Path) -> None:
    first = next(read_frames(clip)).pixels
    height, width = first.shape[:2]
    small = np.full_like(first, 128)
    small[height // 4 : height // 4 + height // 2, width // 4 : width // 4 + width // 2] = first[::2, ::2]
    far = still(tmp_path / "far.mp4", small)
    square = still(tmp_path / "square.mp4", np.ascontiguousarray(first[:, :height]))
    with pytest.raises(BenchError, match="pixels high"):
        run(Home.find(), far, obs=False)
    with pytest.raises(BenchError, match="not 16:9"):
        run(Home.find(), square, obs=False)
    with pytest.raises(BenchError, match="is missing"):
        run(Home.find(), tmp_path / "missing.mp4", obs=False)


def still(path: Path, pixels: Pixels) -> Path:
    """A video of four equal pictures."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.codec_context.height, stream.codec_context.width = pixels.shape[:2]
        stream.codec_context.pix_fmt = "yuv420p"
        for _ in range(4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="bgra")))
        container.mux(stream.encode(None))
    return path


def test_against_insightface_needs_its_package_and_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clip: Path
) -> None:
    monkeypatch.setenv("FACELIVE_HOME", str(tmp_path))
    command = ["bench", "--against", "insightface", "--clip", str(clip)]
    result = CliRunner().invoke(app, command)
    assert (result.exit_code, "facelive model add inswapper_128.onnx" in result.output) == (1, True)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    result = CliRunner().invoke(app, command)
    assert (result.exit_code, "pip install insightface" in result.output) == (1, True)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`estimate` is deprecated:FutureWarning")
def test_against_insightface(clip: Path, tmp_path: Path, data: Path) -> None:
    swapper, recogniser = (write(tmp_path, file, 0.0625) for file in ("inswapper_128.onnx", "w600k_r50.onnx"))
    files = networks(Home.find(), swapper, recogniser, data / "models" / "scrfd_500m_bnkps.onnx")
    result, pictures = measure(Home.find(), clip, files, 3, "cpu", 2)
    theirs, ours = result["insightface_ms"], result["facelive_ms"]
    assert set(theirs) == {"find faces", "recognise faces", NETWORK, AROUND, PASTE} and {*theirs} - {*ours} == {
        "recognise faces"
    }
    assert result["frame_ms"]["insightface"] == pytest.approx(sum(theirs.values()), rel=0.01)
    assert result["ratio"]["frame"] == pytest.approx(sum(ours.values()) / sum(theirs.values()), rel=0.01)
    apart = compared(pictures)
    assert 0 < apart["insightface_to_facelive"] < apart["camera_to_insightface"], "two swaps of one network look alike"
    result["levels_apart"] = apart
    assert "find faces" in table(result)
    sheet = side_by_side(pictures)
    assert sheet.shape[0] == HEIGHT and sheet.shape[2] == 4
    with pytest.raises(BenchError, match="is no inswapper"):
        measure(Home.find(), clip, networks(Home.find(), recogniser, recogniser, None), 1, "cpu", 2)
