"""Faces in files: the same rules about bare faces as in OBS, and files that are whole or not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from obs_facelive.engine.stages import Stages
from obs_facelive.frame import Frame, Pixels
from obs_facelive.home import Home
from obs_facelive.image import read_image, write_image
from obs_facelive.offline import (
    Counts,
    FaceSwap,
    MisuseError,
    OfflineError,
    Swapping,
    cover,
    swap_file,
)
from obs_facelive.pipeline import Pipeline
from obs_facelive.settings import Settings
from obs_facelive.steps import Outcome
from tests.conftest import bgra

PLAIN = np.full((512, 512, 4), (90, 120, 150, 255), np.uint8)
"""No face."""


@pytest.fixture(scope="module")
def stages() -> Stages:
    return Stages(Home.find())


@pytest.fixture
def pipeline(stages: Stages) -> Pipeline:
    return stages.pipeline(Settings())


@pytest.fixture
def face(portraits: dict[str, Pixels]) -> Pixels:
    return bgra(portraits["male_4"])


def sequence(pipeline: FaceSwap, pictures: list[tuple[float, Pixels]], **settings: Any) -> tuple[list[Pixels], Counts]:
    swapping = Swapping(pipeline, Settings(**settings))
    shown = [swapping.picture(Frame(pixels, n, time)) for n, (time, pixels) in enumerate(pictures)]
    return shown, swapping.counts


def run(source: Path, target: Path, pipeline: Pipeline, **settings: Any) -> Counts:
    return swap_file(source, target, pipeline, Settings(**settings), lambda done, total: None)


def middle(pixels: Pixels) -> Pixels:
    """Where the portrait's face is."""
    return pixels[130:280, 150:260, :3]


def test_a_missed_face_is_held_and_then_covered(pipeline: Pipeline, face: Pixels) -> None:
    times = (0.0, 0.1, 0.2, 1.05, 1.2, 9.0)
    pictures = [(time, face if time < 0.15 else PLAIN) for time in times]
    shown, counts = sequence(pipeline, pictures, hold_ms=1000)
    swapped = shown[1]
    assert np.abs(middle(swapped).astype(int) - middle(face)).mean() > 5
    assert np.array_equal(shown[2], swapped)
    assert np.array_equal(shown[3], swapped)
    assert np.array_equal(shown[4], cover(PLAIN))
    assert np.array_equal(shown[5], cover(PLAIN))
    assert (counts.frames, counts.with_face, counts.swapped, counts.covered) == (6, 2, 2, 4)


def test_cover_at_once_and_show_camera_are_obeyed(pipeline: Pipeline, face: Pixels) -> None:
    pictures = [(0.0, face), (0.1, PLAIN), (5.0, PLAIN)]
    shown, counts = sequence(pipeline, pictures, no_face="cover")
    assert np.array_equal(shown[1], cover(PLAIN))
    assert counts.covered == 2
    shown, counts = sequence(pipeline, pictures, no_face="camera")
    assert np.array_equal(shown[1], PLAIN)
    assert np.array_equal(shown[2], PLAIN)
    assert counts.covered == 0


class Aside:
    """The real pipeline; the face of a frame that is late looks too far aside (no picture here shows one that does)."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def process(self, frame: Frame, settings: Settings) -> Outcome:
        outcome = self._pipeline.process(frame, settings)
        return Outcome(outcome.faces, [], turned=True) if frame.time > 0.25 else outcome


@pytest.mark.parametrize("choice", ["hold", "cover", "camera"])
def test_a_face_that_looks_aside_is_never_shown(pipeline: Pipeline, face: Pixels, choice: str) -> None:
    pictures = [(0.1, face), (0.2, PLAIN), (0.3, face), (9.0, face)]
    shown, counts = sequence(Aside(pipeline), pictures, no_face=choice)
    for pixels in shown:
        assert not np.array_equal(middle(pixels), middle(face))
    assert np.array_equal(shown[3], cover(face))
    assert (counts.with_face, counts.swapped) == (3, 1)


def test_with_the_swap_off_privacy_decides(pipeline: Pipeline, face: Pixels) -> None:
    (shown,), _ = sequence(pipeline, [(0.0, face)], swap=False)
    assert np.array_equal(shown, cover(face))
    (shown,), _ = sequence(pipeline, [(0.0, face)], swap=False, privacy=False)
    assert np.array_equal(shown, face)


@pytest.mark.parametrize("size", [(512, 512), (1280, 720), (90, 160), (2000, 30)])
def test_a_covered_face_is_gone(face: Pixels, stages: Stages, size: tuple[int, int]) -> None:
    """No detail is left: a covered picture is the same as its own blur over a sixteenth of its shorter side."""
    pixels = np.asarray(cv2.resize(face, size), np.uint8)
    covered = cover(pixels)
    blurred = cv2.blur(covered, (min(size) // 16 | 1,) * 2)
    assert covered.shape == pixels.shape
    assert np.abs(covered[..., :3].astype(int) - blurred[..., :3]).max() < 20
    assert np.abs(covered[..., :3].astype(int) - pixels[..., :3]).mean() > 5


def test_an_image_is_swapped_and_keeps_what_is_transparent(tmp_path: Path, pipeline: Pipeline, face: Pixels) -> None:
    image = face.copy()
    image[300:, :, 3] = np.linspace(0, 255, 512).astype(np.uint8)
    write_image(tmp_path / "in.png", image)
    counts = run(tmp_path / "in.png", tmp_path / "out.png", pipeline)
    result = read_image(tmp_path / "out.png")
    assert counts.swapped == 1
    assert np.array_equal(result[..., 3], image[..., 3])
    assert np.abs(middle(result).astype(int) - middle(image)).mean() > 5
    assert np.array_equal(result[400:], image[400:])


def test_images_of_all_kinds_are_read(tmp_path: Path, face: Pixels) -> None:
    deep = cv2.cvtColor(face, cv2.COLOR_BGRA2BGR).astype(np.uint16) * 257
    grey = cv2.cvtColor(face, cv2.COLOR_BGRA2GRAY)
    see_through = face.astype(np.uint16) * 257
    for name, image in (("deep.png", deep), ("grey.png", grey), ("clear.png", see_through), ("ünï côdé.bmp", face)):
        cv2.imencode(Path(name).suffix, image)[1].tofile(tmp_path / name)
        read = read_image(tmp_path / name)
        assert read.dtype == np.uint8
        expected = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGRA) if image is grey else face
        assert np.abs(read.astype(int) - expected).max() <= 1


def test_a_folder_is_done_image_by_image(tmp_path: Path, pipeline: Pipeline, portraits: dict[str, Pixels]) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    target.mkdir()
    (target / "kept.txt").write_text("mine")
    for name in ("male_4", "female_20"):
        write_image(source / f"{name}.jpg", bgra(portraits[name]))
    write_image(source / "nobody.png", PLAIN)
    (source / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    (source / "notes.txt").write_text("no image")
    counts = run(source, target, pipeline)
    assert sorted(p.name for p in target.iterdir()) == ["female_20.jpg", "kept.txt", "male_4.jpg", "nobody.png"]
    assert (counts.frames, counts.swapped, counts.covered) == (3, 2, 1)
    assert [("broken.png" in problem) for problem in counts.problems] == [True]
    # One image has nothing to do with another: nothing is held.
    assert np.array_equal(read_image(target / "nobody.png"), cover(PLAIN))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "out"]


def test_a_video_is_swapped(tmp_path: Path, data: Path, pipeline: Pipeline) -> None:
    told: list[tuple[int, int]] = []
    source, target = data / "clips" / "asl_eat.mkv", tmp_path / "out.mp4"
    counts = swap_file(source, target, pipeline, Settings(), lambda done, total: told.append((done, total)))
    assert counts.frames == counts.with_face == counts.swapped == told[-1][0] == 47
    assert counts.fps > 0
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]


def test_what_makes_no_sense_is_refused(tmp_path: Path, pipeline: Pipeline, face: Pixels) -> None:
    image = tmp_path / "face.png"
    write_image(image, face)
    before = image.read_bytes()
    (tmp_path / "link.png").symlink_to(image)
    for target, words in (
        (image, "the input itself"),
        (tmp_path / "link.png", "the input itself"),
        (tmp_path / "face.mp4", "can be .png"),
        (tmp_path, "is a folder"),
        (tmp_path / "missing" / "face.png", "does not exist"),
    ):
        with pytest.raises(MisuseError, match=words):
            run(image, target, pipeline)
    for source, target, words in (
        (tmp_path / "missing.png", tmp_path / "out.png", "does not exist"),
        (tmp_path, image, "must be one, too"),
        (tmp_path, tmp_path, "the input itself"),
    ):
        with pytest.raises(MisuseError, match=words):
            run(source, target, pipeline)
    assert image.read_bytes() == before


def test_without_a_face_nothing_is_written(tmp_path: Path, pipeline: Pipeline) -> None:
    (tmp_path / "in").mkdir()
    write_image(tmp_path / "in" / "nobody.png", PLAIN)
    (tmp_path / "out.png").write_text("old")
    for source, target in ((tmp_path / "in" / "nobody.png", tmp_path / "out.png"), (tmp_path / "in", tmp_path / "out")):
        with pytest.raises(OfflineError, match="no face was found in any of 1 pictures"):
            run(source, target, pipeline)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "out.png"]
    assert (tmp_path / "out.png").read_text() == "old"


def test_an_interrupted_video_leaves_nothing(tmp_path: Path, data: Path, pipeline: Pipeline) -> None:
    def interrupt(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        swap_file(data / "clips" / "asl_eat.mkv", tmp_path / "out.mp4", pipeline, Settings(), interrupt)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["in.png", "in.mp4", "in"])
def test_what_is_broken_is_said(tmp_path: Path, pipeline: Pipeline, name: str) -> None:
    source = tmp_path / name
    if name == "in":
        source.mkdir()
    else:
        source.write_bytes(b"broken")
    with pytest.raises(OfflineError, match=r"cannot be read as|no image in"):
        run(source, (tmp_path / "out").with_suffix(source.suffix), pipeline)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_place_that_cannot_be_written_to_is_said(tmp_path: Path, pipeline: Pipeline, face: Pixels) -> None:
    write_image(tmp_path / "in.png", face)
    (tmp_path / "out").mkdir()

    def remove_folder(done: int, total: int) -> None:
        if done == 0:
            (tmp_path / "out").rmdir()

    with pytest.raises(OfflineError, match=r"out.png cannot be written: No such file"):
        swap_file(tmp_path / "in.png", tmp_path / "out" / "out.png", pipeline, Settings(), remove_folder)
    with pytest.raises(MisuseError, match="name too long"):
        run(tmp_path / "in.png", tmp_path / f"{'a' * 300}.png", pipeline)
