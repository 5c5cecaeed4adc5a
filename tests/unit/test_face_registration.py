"""Points that stick to the skin: tremble and lag are taken back, light is not followed, nothing drifts away."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from obs_facelive.frame import Detections, Floats, Frame, Landmarks, Pixels, Roi
from obs_facelive.settings import Settings
from obs_facelive.topology import CanonicalFace, load_canonical_face
from obs_facelive.track.registration import FORGET, Registration
from obs_facelive.track.tracker import Tracker

WIDTH = 260.0
"""Of the face, in pixels."""


@pytest.fixture(scope="module")
def canonical(models: Path) -> CanonicalFace:
    return load_canonical_face(models)


@pytest.fixture(scope="module")
def registration(canonical: CanonicalFace) -> Registration:
    return Registration(canonical)


@pytest.fixture(scope="module")
def face(canonical: CanonicalFace) -> Floats:
    """478 points of a face that looks into the camera, in the middle of 480x480."""
    points = canonical.xyz * [1, -1, -1] / np.ptp(canonical.xyz[:, 0]) * WIDTH
    points = np.vstack([points, np.repeat(points[[133, 362]], 5, axis=0)])
    return (points - [*points[:, :2].mean(0), 0] + [240, 240, 0]).astype(np.float32)


@pytest.fixture(scope="module")
def skin() -> Pixels:
    """A mottled picture."""
    noise = np.random.default_rng(3).normal(size=(480, 480)).astype(np.float32)
    mottled = sum(cv2.GaussianBlur(noise, (0, 0), s) * s * 25 for s in (3, 8))
    return np.dstack([np.clip(130 + mottled, 0, 255)] * 4).astype(np.uint8)


def tremble(number: int) -> Floats:
    """(2,) pixels."""
    return np.random.default_rng(number).uniform(-1.2, 1.2, 2).astype(np.float32)


def shifted(picture: Pixels, shift: float) -> Pixels:
    matrix = np.array([[1, 0, shift], [0, 1, 0]], np.float32)
    return np.asarray(cv2.warpAffine(picture, matrix, (480, 480), flags=cv2.INTER_CUBIC), np.uint8)


def followed(registration: Registration, pictures: Sequence[Pixels], points: Sequence[Floats]) -> Floats:
    """(n, 478, 3): the points as they come out, at 30 frames a second."""
    skin, out = None, []
    for number, (picture, found) in enumerate(zip(pictures, points, strict=True)):
        moved, skin = registration(Frame(picture, number, number / 30), found, skin)
        out.append(moved)
    return np.array(out)


def trembling(face: Floats, count: int) -> list[Floats]:
    return [face + np.array([*tremble(k), 0], np.float32) for k in range(count)]


def test_points_that_tremble_on_a_resting_face_come_to_rest(
    registration: Registration, face: Floats, skin: Pixels
) -> None:
    points = trembling(face, 40)
    out = followed(registration, [skin] * 40, points)
    steps = [np.abs(np.diff(np.array(p)[10:, :, :2], axis=0)).mean() for p in (points, out)]
    assert steps[1] < 0.35 * steps[0]
    assert np.array_equal(out[..., 2], np.array(points)[..., 2]), "depth is left alone"


def test_a_moving_face_is_followed_and_its_points_do_not_tremble(
    registration: Registration, face: Floats, skin: Pixels
) -> None:
    place = [24 * np.sin(k / 3) for k in range(40)]
    pictures = [shifted(skin, x) for x in place]
    points = [p + np.array([x, 0, 0], np.float32) for p, x in zip(trembling(face, 40), place, strict=True)]
    still = [p - np.array([x, 0, 0]) for p, x in zip(followed(registration, pictures, points), place, strict=True)]
    steps = np.abs(np.diff(np.array(still)[10:, :, :2], axis=0)).mean()
    assert steps < 0.4 * np.abs(np.diff([tremble(k) for k in range(10, 40)], axis=0)).mean()


def test_one_side_may_slide_alone(registration: Registration, face: Floats, skin: Pixels) -> None:
    left = (face[:, :1] < 200).astype(np.float32)
    points = [face + left * np.array([(-1) ** k, 0, 0], np.float32) for k in range(20)]
    steps = np.abs(np.diff(followed(registration, [skin] * 20, points)[6:, :, 0], axis=0)).mean(0)
    assert steps[face[:, 0] < 170].mean() < 0.8, "of 2"
    assert steps[face[:, 0] > 260].mean() < 0.2


def test_where_there_is_nothing_to_see_the_landmarks_have_their_way(registration: Registration, face: Floats) -> None:
    points = trembling(face, 10)
    plain = np.full((480, 480, 4), 140, np.uint8)
    np.testing.assert_allclose(followed(registration, [plain] * 10, points), points, atol=0.05)


def test_points_go_back_to_the_landmarks(registration: Registration, face: Floats, skin: Pixels) -> None:
    """The landmarks know where the face is, in the long run."""
    points = [face + np.array([1.5 * (k > 4), 0, 0], np.float32) for k in range(50)]
    out = followed(registration, [skin] * 50, points)
    assert np.abs(out[5] - face)[:, 0].mean() < 0.6
    np.testing.assert_allclose(out[-1], points[-1], atol=0.1)


def test_a_lamp_moves_nothing(registration: Registration, face: Floats, skin: Pixels) -> None:
    side = np.linspace(0.7, 1.2, 480, dtype=np.float32)[None, :, None]
    lit = np.clip(skin * side, 0, 255).astype(np.uint8)
    out = followed(registration, [skin, skin, lit, lit], [face] * 4)
    assert np.abs(out - face).mean() < 0.15


def test_another_face_moves_the_points_by_little(registration: Registration, face: Floats, skin: Pixels) -> None:
    other = np.ascontiguousarray(skin[::-1, ::-1])
    out = followed(registration, [skin, other, skin, other], [face] * 4)
    assert np.abs(out - face).max() < 0.04 * WIDTH


def test_what_is_in_front_takes_no_points_along(registration: Registration, face: Floats, skin: Pixels) -> None:
    hidden = np.full((128, 128), 255, np.uint8)
    _, seen = registration(Frame(skin, 0, 0.0), face, None)
    pushed = Frame(shifted(skin, 1), 1, 1 / 30)
    assert registration(pushed, face, seen)[0][:, 0].mean() - face[:, 0].mean() > 0.5
    np.testing.assert_allclose(registration(pushed, face, seen, hidden)[0], face, atol=1e-3)


@pytest.mark.parametrize("later", [0.0, -1.0, 1.1 * FORGET])
def test_skin_of_another_time_is_of_no_use(
    registration: Registration, face: Floats, skin: Pixels, later: float
) -> None:
    _, seen = registration(Frame(skin, 0, 5.0), face, None)
    moved = face + np.array([1, 0, 0], np.float32)
    assert np.array_equal(registration(Frame(skin, 1, 5.0 + later), moved, seen)[0], moved)


@pytest.mark.parametrize("place", [(-300.0, 0.0), (200.0, 200.0), (2000.0, 0.0)])
def test_a_face_may_leave_the_picture(
    registration: Registration, face: Floats, skin: Pixels, place: tuple[float, float]
) -> None:
    points = face + np.array([*place, 0], np.float32)
    assert np.isfinite(followed(registration, [skin] * 3, [points] * 3)).all()


@pytest.mark.parametrize(("steadiness", "calmer"), [(0, False), (50, True)])
def test_the_tracker_s_faces_stick_unless_steadiness_is_off(
    registration: Registration, face: Floats, skin: Pixels, steadiness: int, calmer: bool
) -> None:
    tracker, points = Tracker(registration), trembling(face, 30)
    box = np.concatenate([face[:, :2].min(0), face[:, :2].max(0)])[None].astype(np.float32)
    eyes = face[None, [33, 263], :2]
    out = []
    for number, found in enumerate(points):

        def landmark(pixels: Pixels, roi: Roi, found: Floats = found) -> Landmarks:
            return Landmarks(found, 1.0)

        def detect(pixels: Pixels) -> Detections:
            return Detections(box, np.ones(1, np.float32), eyes)

        frame = Frame(skin, number, number / 30)
        (seen,) = tracker.follow(frame, Settings(steadiness=steadiness), detect, landmark)
        out.append(seen.points)
    if not calmer:
        assert np.array_equal(out, points)
    else:
        steps = [np.abs(np.diff(np.array(p)[10:, :, :2], axis=0)).mean() for p in (points, out)]
        assert steps[1] < 0.25 * steps[0]
