"""The clip says what its script says: read back from the encoded file by our own detector and landmarker."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.frame import Pixels
from obs_facelive.geometry import head_pose, roi_of_detection, roi_of_points
from obs_facelive.home import Home
from obs_facelive.landmark import BLENDSHAPES
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.topology import load_canonical_face
from tools import barcode
from tools.demo_clip import Clip, draw, encode, load_renderer
from tools.talking_head.motion import LOOP, Motion, motion_at
from tools.talking_head.renderer import Renderer, Seat

CLIP = Clip(width=640, height=360, fps=10, numbered=True)
MEASURED = ("yaw", "pitch", "roll", "jaw", "smile", "blink", "brows")

Figures = dict[str, npt.NDArray[np.float64]]


@pytest.fixture(scope="module")
def wheels() -> Path:
    """Where set-up keeps wheels; the one with the person is fetched into it where it is missing."""
    return Home.find().root / "cache" / "wheels"


@pytest.fixture(scope="module")
def renderer(models: Path, wheels: Path) -> Renderer:
    return load_renderer(models, wheels, CLIP.width, CLIP.height)


@pytest.fixture(scope="module")
def pictures(renderer: Renderer, tmp_path_factory: pytest.TempPathFactory) -> list[Pixels]:
    """The clip, out of its file."""
    file = tmp_path_factory.mktemp("clip") / "clip.mp4"
    encode(CLIP, draw(CLIP, renderer), file)
    with av.open(file, "r") as container:
        stream = container.streams.video[0]
        assert stream.average_rate == CLIP.fps
        assert stream.pix_fmt == "yuv420p"
        return [np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in container.decode(stream)]


@pytest.fixture(scope="module")
def scripted() -> Figures:
    moments = [motion_at(CLIP.script_time(number)) for number in range(CLIP.frames)]
    return {name: np.array([getattr(moment, name) for moment in moments]) for name in MEASURED}


@pytest.fixture(scope="module")
def measured(pictures: list[Pixels], models: Path) -> Figures:
    """What the networks see in each picture; fails where there is not exactly one face."""
    detector, landmarker, canonical = BlazeFace(models), FaceMesh(models), load_canonical_face(models)
    rows = []
    for number, picture in enumerate(pictures):
        found = detector.detect(picture)
        assert len(found) == 1, f"{len(found)} faces in picture {number}"
        points = landmarker.landmarks(picture, roi_of_detection(found.boxes[0], found.eyes[0])).points
        face = landmarker.landmarks(picture, roi_of_points(points))
        assert face.score > 0.9, f"score {face.score:.2f} in picture {number}"
        shapes = dict(zip(BLENDSHAPES, landmarker.blendshapes(face.points), strict=True))
        brows = shapes["browOuterUpLeft"] + shapes["browOuterUpRight"]
        expression = (shapes["jawOpen"], shapes["mouthSmileLeft"], shapes["eyeBlinkLeft"], brows)
        rows.append((*head_pose(face.points, canonical), *expression, np.ptp(face.points[:, 0])))
    return dict(zip((*MEASURED, "width"), np.array(rows, np.float64).T, strict=True))


@pytest.mark.parametrize(
    ("name", "likeness", "low", "high"),
    [
        ("yaw", 0.98, -25, 25),
        ("pitch", 0.85, 0, 8),
        ("roll", 0.9, -6, 2),
        ("jaw", 0.85, 0.02, 0.45),
        ("smile", 0.85, 0.05, 0.9),
        ("blink", 0.7, 0.15, 0.4),
        ("brows", 0.4, 0.4, 0.8),
    ],
)
def test_the_face_does_what_the_script_says(
    name: str, likeness: float, low: float, high: float, measured: Figures, scripted: Figures
) -> None:
    assert np.corrcoef(measured[name], scripted[name])[0, 1] > likeness
    assert measured[name].min() < low
    assert measured[name].max() > high


def test_the_face_is_as_large_as_a_webcam_shows_it(measured: Figures) -> None:
    in_720p = measured["width"] * 720 / CLIP.height
    assert in_720p.min() > 280
    assert in_720p.max() < 450
    assert np.ptp(in_720p) > 40


def test_every_picture_carries_its_number(pictures: list[Pixels]) -> None:
    assert [barcode.read(picture) for picture in pictures] == list(range(CLIP.frames))


def test_the_motion_is_one_smooth_loop(renderer: Renderer) -> None:
    moments = np.array([[getattr(motion_at(n / 30), f.name) for f in fields(Motion)] for n in range(int(30 * LOOP))])
    inside, closing = np.abs(np.diff(moments, axis=0)).max(axis=0), np.abs(moments[0] - moments[-1])
    assert (closing <= inside).all()
    assert inside[0] < 3, "degrees of yaw in a thirtieth of a second"
    first, again = (renderer.frame(0, [(Seat(), motion_at(time))]) for time in (0.0, LOOP))
    assert np.array_equal(first, again)


def test_the_same_clip_every_time(models: Path, wheels: Path, tmp_path: Path) -> None:
    clip = Clip(seconds=0.6, width=320, height=180, fps=5)
    for name in ("one.mp4", "two.mp4"):
        encode(clip, draw(clip, load_renderer(models, wheels, clip.width, clip.height)), tmp_path / name)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def test_nobody_and_two_people(renderer: Renderer, models: Path) -> None:
    detector = BlazeFace(models)
    clip = Clip(seconds=0.6, width=CLIP.width, height=CLIP.height, fps=5, second_face=True, empty=(0.2, 0.4))
    found = [detector.detect(picture) for picture in draw(clip, renderer)]
    assert [len(faces) for faces in found] == [2, 0, 2]
    wide = sorted(float(box[2] - box[0]) for box in found[0].boxes)
    assert wide[1] > 1.3 * wide[0]


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "tools.demo_clip", *arguments], capture_output=True, text=True)


def test_the_command_line(models: Path, wheels: Path, tmp_path: Path) -> None:
    out = tmp_path / "made" / "clip.mp4"
    made = command(
        *("--out", str(out), "--models", str(models), "--wheels", str(wheels)),
        *("--seconds", "0.4", "--size", "480x270", "--fps", "5", "--barcode", "--second-face", "--empty-at", "0.2:0.3"),
    )
    assert made.returncode == 0, made.stderr
    with av.open(out, "r") as container:
        assert [barcode.read(np.asarray(f.to_ndarray(format="bgr24"))) for f in container.decode(video=0)] == [0, 1]
    assert [file.name for file in out.parent.iterdir()] == ["clip.mp4"]


def test_the_command_line_says_what_is_wrong(wheels: Path, tmp_path: Path) -> None:
    out = ("--out", str(tmp_path / "clip.mp4"))
    for wrong in (("--size", "321x180"), ("--size", "wide"), ("--seconds", "0"), ("--empty-at", "3")):
        assert command(*out, *wrong).returncode == 2
    no_models = command(*out, "--models", str(tmp_path), "--wheels", str(wheels))
    assert no_models.returncode == 1
    assert "install.py" in no_models.stderr
    assert not list(tmp_path.iterdir())
