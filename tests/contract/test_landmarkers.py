"""Every landmarker over the same pictures: points where the features are, in the picture's own coordinates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.frame import Floats, Landmarks, Pixels, Roi
from obs_facelive.geometry import head_pose, roi_of_detection, roi_of_points
from obs_facelive.landmark import BLENDSHAPES, Landmarker
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.topology import (
    CHIN,
    FACE_OVAL,
    FOREHEAD,
    LEFT_BROW,
    LEFT_EYE,
    LEFT_IRIS,
    LIPS_INNER,
    LIPS_OUTER,
    NOSE_TIP,
    RIGHT_BROW,
    RIGHT_EYE,
    RIGHT_IRIS,
    load_canonical_face,
)
from tests.conftest import CLIPS, ReadFrames, bgra, warped

LANDMARKERS: dict[str, Callable[[Path], Landmarker]] = {"facemesh": FaceMesh}


@pytest.fixture(scope="module", params=LANDMARKERS)
def landmarker(request: pytest.FixtureRequest, models: Path) -> Landmarker:
    return LANDMARKERS[request.param](models)


@pytest.fixture(scope="module")
def pictures(portraits: dict[str, Pixels], frames: ReadFrames) -> dict[str, Pixels]:
    return {**portraits, **{clip: frames(clip, 1, start=20)[0] for clip in CLIPS}}


def _points(landmarker: Landmarker, models: Path, picture: Pixels) -> Landmarks:
    found = BlazeFace(models).detect(picture)
    first = landmarker.landmarks(picture, roi_of_detection(found.boxes[0], found.eyes[0]))
    return landmarker.landmarks(picture, roi_of_points(first.points))


@pytest.fixture(scope="module")
def answers(landmarker: Landmarker, models: Path, pictures: dict[str, Pixels]) -> dict[str, Landmarks]:
    return {name: _points(landmarker, models, picture) for name, picture in pictures.items()}


def _inside(points: Floats, ring: Floats) -> bool:
    outline = np.ascontiguousarray(ring[:, :2])
    return all(cv2.pointPolygonTest(outline, (float(x), float(y)), False) >= 0 for x, y in points[:, :2])


def test_features_are_where_they_belong(answers: dict[str, Landmarks]) -> None:
    for name, answer in answers.items():
        points = answer.points
        assert answer.score > 0.9, name
        assert points.dtype == np.float32
        oval = points[FACE_OVAL]
        for group in (RIGHT_EYE, LEFT_EYE, LIPS_OUTER, np.array([NOSE_TIP])):
            assert _inside(points[group], oval), name
        right_eye, left_eye, right_brow, left_brow, mouth = (
            points[group].mean(0) for group in (RIGHT_EYE, LEFT_EYE, RIGHT_BROW, LEFT_BROW, LIPS_INNER)
        )
        assert right_eye[0] < left_eye[0], "the person's right eye is on the picture's left"
        assert points[FOREHEAD, 1] < right_brow[1] < right_eye[1] < points[NOSE_TIP, 1] < mouth[1] < points[CHIN, 1], (
            name
        )
        assert left_brow[1] < left_eye[1]
        assert points[NOSE_TIP, 2] < points[[FOREHEAD, CHIN], 2].min(), "the nose is nearest to the camera"


def test_irises_lie_on_dark_pixels(answers: dict[str, Landmarks], pictures: dict[str, Pixels]) -> None:
    """Coordinates are the picture's own: the middle of an open eye's iris is darker than the eye around it."""
    for name in ("female_33", "male_50", "d10.mp4"):
        grey, points = cv2.cvtColor(pictures[name][..., :3].copy(), cv2.COLOR_BGR2GRAY), answers[name].points
        for iris, eye in ((RIGHT_IRIS, RIGHT_EYE), (LEFT_IRIS, LEFT_EYE)):
            outline = np.zeros_like(grey)
            cv2.fillPoly(outline, [np.floor(points[eye, :2]).astype(np.int32)], 1)
            x, y = np.floor(points[iris[0], :2]).astype(int)
            assert grey[y - 1 : y + 2, x - 1 : x + 2].mean() < 0.75 * grey[outline > 0].mean(), name


def test_head_pose_of_real_heads(answers: dict[str, Landmarks], models: Path, pictures: dict[str, Pixels]) -> None:
    canonical = load_canonical_face(models)
    poses = {name: head_pose(answer.points, canonical) for name, answer in answers.items()}
    for yaw, pitch, roll in poses.values():
        assert max(abs(yaw), abs(roll)) < 25
        assert abs(pitch) < 20
    # Seen by eye: turned to the picture's right; to its left; straight into the camera.
    assert poses["s18.mp4"][0] > 10
    assert poses["male_4"][0] < -10
    assert abs(poses["female_33"][0]) < 6


@pytest.mark.parametrize("how", ["turned", "half", "double", "shifted", "mirrored"])
def test_points_move_with_the_picture(
    how: str, landmarker: Landmarker, models: Path, pictures: dict[str, Pixels], answers: dict[str, Landmarks]
) -> None:
    """A picture that is turned, scaled or mirrored has the same points, turned, scaled or mirrored."""
    matrix = {
        "turned": cv2.getRotationMatrix2D((256, 256), 20, 1),
        "half": np.array([[0.5, 0, 0], [0, 0.5, 0]]),
        "double": np.array([[2.0, 0, 0], [0, 2, 0]]),
        "shifted": np.array([[1.0, 0, 40], [0, 1, 25]]),
        "mirrored": np.array([[-1.0, 0, 512], [0, 1, 0]]),
    }[how]
    for name in ("female_33", "male_50", "male_13"):
        size = 1024 if how == "double" else 512
        moved = warped(pictures[name], matrix.astype(np.float32), size, size)
        expected = answers[name].points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        found = _points(landmarker, models, moved).points[:, :2]
        apart = np.linalg.norm(found[RIGHT_IRIS[0]] - found[LEFT_IRIS[0]])
        if how == "mirrored":
            for ours, theirs in ((RIGHT_IRIS, LEFT_IRIS), (LEFT_IRIS, RIGHT_IRIS)):
                assert np.linalg.norm(found[ours[0]] - expected[theirs[0]]) < 0.06 * apart
            assert np.linalg.norm(found[NOSE_TIP] - expected[NOSE_TIP]) < 0.06 * apart
        else:
            assert np.linalg.norm(found - expected, axis=1).mean() < 0.025 * apart


def test_channels_and_memory_layout_do_not_matter(
    landmarker: Landmarker, pictures: dict[str, Pixels], answers: dict[str, Landmarks]
) -> None:
    picture, roi = pictures["female_33"], roi_of_points(answers["female_33"].points)
    expected = landmarker.landmarks(picture, roi).points
    four = bgra(picture)
    wide = np.zeros((512, 700, 4), np.uint8)
    wide[:, 100:612] = four
    for same in (four, wide[:, 100:612], np.asfortranarray(four), four[..., :3]):
        np.testing.assert_allclose(landmarker.landmarks(same, roi).points, expected, atol=0.01)


def test_answers_are_kept(landmarker: Landmarker, pictures: dict[str, Pixels], answers: dict[str, Landmarks]) -> None:
    """The next call does not write into an answer that was given before."""
    roi = roi_of_points(answers["female_33"].points)
    first = landmarker.landmarks(pictures["female_33"], roi)
    copy = first.points.copy()
    landmarker.landmarks(pictures["male_50"], roi)
    assert np.array_equal(first.points, copy)


def test_no_face_no_score(landmarker: Landmarker, portraits: dict[str, Pixels], models: Path) -> None:
    for picture, roi in (
        (np.zeros((8, 8, 4), np.uint8), Roi(4, 4, 8, 0)),
        (np.full((480, 640, 3), 128, np.uint8), Roi(320, 240, 300, 0.3)),
        (np.random.default_rng(0).integers(0, 255, (480, 640, 4), np.uint8), Roi(320, 240, 300, 0)),
        (portraits["female_47"], Roi(60, 60, 110, 0)),
        (portraits["female_47"], Roi(-5000, 9000, 200, 0)),
    ):
        answer = landmarker.landmarks(picture, roi)
        assert answer.score < 0.1
        assert np.isfinite(answer.points).all()


class TestBlendshapes:
    """Expressions that can be seen in the footage."""

    def of(self, landmarker: Landmarker, points: Floats) -> dict[str, float]:
        weights = landmarker.blendshapes(points)
        assert weights.shape == (52,) == (len(BLENDSHAPES),)
        assert weights.dtype == np.float32
        assert ((weights >= 0) & (weights <= 1)).all()
        return dict(zip(BLENDSHAPES, weights.tolist(), strict=True))

    def test_expressions(self, landmarker: Landmarker, models: Path, frames: ReadFrames) -> None:
        shocked = self.of(landmarker, _points(landmarker, models, frames("d10.mp4", 1, start=100)[0]).points)
        assert min(shocked["jawOpen"], shocked["eyeWideLeft"], shocked["eyeWideRight"]) > 0.2
        closed = self.of(landmarker, _points(landmarker, models, frames("d3.mp4", 1, start=50)[0]).points)
        assert min(closed["eyeBlinkLeft"], closed["eyeBlinkRight"]) > 0.4
        neutral = self.of(landmarker, _points(landmarker, models, frames("d9.mp4", 1)[0]).points)
        assert max(neutral[name] for name in ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "eyeBlinkLeft")) < 0.3

    def test_smiles(self, landmarker: Landmarker, answers: dict[str, Landmarks]) -> None:
        for name, smiling in (("female_33", True), ("female_47", True), ("male_50", False), ("male_21", False)):
            found = self.of(landmarker, answers[name].points)
            assert (found["mouthSmileLeft"] + found["mouthSmileRight"] > 0.6) == smiling, name

    def test_size_and_place_do_not_matter(self, landmarker: Landmarker, answers: dict[str, Landmarks]) -> None:
        points = answers["female_33"].points
        moved = landmarker.blendshapes((points * 3 + [500, -200, 0]).astype(np.float32))
        np.testing.assert_allclose(moved, landmarker.blendshapes(points), atol=1e-3)

    def test_left_is_the_person_s_left(self, landmarker: Landmarker, answers: dict[str, Landmarks]) -> None:
        """Closing the eye that lies on the picture's right closes the left one."""
        points = answers["female_33"].points.copy()
        upper, lower = LEFT_EYE[1:8], LEFT_EYE[:8:-1]
        points[upper] = points[lower]
        found = self.of(landmarker, points)
        assert found["eyeBlinkLeft"] > found["eyeBlinkRight"] + 0.3
