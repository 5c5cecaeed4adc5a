"""Expression, identity, steadiness and sticking: each measure sees the flaw that it is for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from obs_facelive.frame import Floats
from obs_facelive.topology import CanonicalFace, load_canonical_face
from tests.unit.drawn_face import HEIGHT, WIDTH, face_points, shifted, skin
from tools.quality.areas import Mask, crop, eye_distance, inner_face
from tools.quality.expression import SIGNALS, followed, landmark_error, signals
from tools.quality.identity import margins, share_of_persona
from tools.quality.moving import flow, mesh_flow, slide, unexplained

TIMES = np.linspace(0, 4 * np.pi, 60)


@pytest.fixture(scope="module")
def canonical(models: Path) -> CanonicalFace:
    return load_canonical_face(models)


@pytest.fixture(scope="module")
def points(canonical: CanonicalFace) -> Floats:
    return face_points(canonical)


@pytest.fixture(scope="module")
def face(points: Floats) -> Mask:
    return inner_face(points, HEIGHT, WIDTH)


def waves(scale: float = 1.0) -> Floats:
    """(60, 4) signals that move by far more than the landmarker's noise."""
    return np.stack([0.3 + scale * 0.1 * np.sin(TIMES + k) for k in range(4)], axis=1).astype(np.float32)


def test_the_same_landmarks_have_no_error(points: Floats) -> None:
    assert landmark_error(points, points) == 0


def test_moved_landmarks_are_off_by_as_much_in_distances_of_the_eyes(points: Floats) -> None:
    moved = points + np.array([0.03 * eye_distance(points), 0, 0], np.float32)
    assert landmark_error(points, moved) == pytest.approx(0.03, rel=0.01)


def test_the_distance_of_the_eyes_does_not_shrink_when_the_head_turns(points: Floats) -> None:
    cos, sin = np.cos(1.0), np.sin(1.0)
    turned = points @ np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]], np.float32).T
    assert eye_distance(turned) == pytest.approx(eye_distance(points), rel=1e-3)


def test_signals_say_what_moved(points: Floats) -> None:
    opened = points.copy()
    opened[14, 1] += 0.2 * eye_distance(points)
    change = signals(opened) - signals(points)
    assert change[0] > 0.15
    assert np.abs(change[1:]).max() < 1e-6
    assert signals(points * np.float32(2)) == pytest.approx(signals(points), abs=1e-5)


def test_an_expression_that_follows_less_far_still_follows() -> None:
    assert followed(waves(), waves(0.5)) == pytest.approx(dict.fromkeys(SIGNALS, 1.0), abs=1e-3)


def test_a_frozen_face_does_not_follow() -> None:
    assert followed(waves(), np.full((60, 4), 0.3, np.float32)) == dict.fromkeys(SIGNALS, 0.0)


def test_a_late_face_does_not_follow() -> None:
    assert max(followed(waves(), np.roll(waves(), 8, axis=0)).values()) < 0.9


def test_nothing_is_said_of_a_still_face() -> None:
    assert followed(waves(0.1), waves(0.1)) == {}


def test_identity_counts_frames_that_are_nearer_to_the_persona() -> None:
    persona, live = np.eye(3, dtype=np.float32)[0], np.tile(np.eye(3, dtype=np.float32)[1], (4, 1))
    worn = np.array([[0.8, 0.6, 0], [0.6, 0.8, 0], [1, 0, 0], [0.8, 0.6, 0]], np.float32)
    assert share_of_persona(worn, persona, live) == 0.75
    assert margins(worn, persona, live) == pytest.approx([0.2, -0.2, 1, 0.2], abs=1e-6)


def test_identity_compares_each_frame_with_its_own_raw_frame() -> None:
    persona = np.array([0, 0, 1], np.float32)
    live = np.array([[1, 0, 0], [0, 1, 0]], np.float32)
    assert share_of_persona(live, persona, live) == 0
    assert share_of_persona(live[::-1], persona, live) == 0


def test_flow_finds_a_movement() -> None:
    now, before = shifted(skin(), 2.5, -1.0), skin()
    inner = flow(now, before)[100:-100, 100:-100]
    assert np.median(inner, axis=(0, 1)) == pytest.approx([-2.5, 1.0], abs=0.15)


def test_a_face_that_only_moves_is_steady_and_one_that_flickers_is_not(face: Mask) -> None:
    now, before = shifted(skin(), 2.0, 1.0), skin()
    moved = flow(now, before)
    still = unexplained(now, before, moved, face)
    flickering = np.clip(now.astype(int) + 6, 0, 255).astype(np.uint8)
    assert unexplained(flickering, before, moved, face) > 4 * still


def test_a_texture_that_trembles_on_a_face_that_does_not_is_unsteady(face: Mask) -> None:
    persona = skin(seed=3, contrast=12)
    none = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    assert unexplained(persona, persona, none, face) == 0
    assert unexplained(shifted(persona, 1.5, 0), persona, none, face) > 1


def test_sensor_noise_is_no_trembling(face: Mask) -> None:
    noise = np.random.default_rng(1).normal(0, 3, (2, HEIGHT, WIDTH, 3))
    now, before = (np.clip(skin() + n, 0, 255).astype(np.uint8) for n in noise)
    assert unexplained(now, before, np.zeros((HEIGHT, WIDTH, 2), np.float32), face) < 1.2


def test_slide_is_how_far_the_texture_lags_behind_the_skin(face: Mask) -> None:
    true = np.full((HEIGHT, WIDTH, 2), -3.0, np.float32)
    before = skin(seed=4, contrast=20)
    for lag in (0.0, 1.0):
        now = shifted(before, 3.0 - lag, 3.0)
        assert slide(flow(now, before), true, face, now) == pytest.approx(lag, abs=0.15)


def test_nothing_is_said_of_the_slide_of_a_face_without_texture(face: Mask) -> None:
    blank, none = np.full((HEIGHT, WIDTH, 3), 150, np.uint8), np.zeros((HEIGHT, WIDTH, 2), np.float32)
    assert slide(none, none, face, blank) is None


def test_the_mesh_says_where_the_skin_was(points: Floats, canonical: CanonicalFace, face: Mask) -> None:
    before = points - np.array([4, -2, 7], np.float32)
    moved, there = mesh_flow(points, before, canonical.triangles, HEIGHT, WIDTH)
    assert there[face].mean() > 0.99
    assert np.allclose(moved[there], [-4, 2], atol=1e-3)


def test_the_inner_face_has_no_eyes_and_lies_in_the_window(points: Floats, face: Mask) -> None:
    for eye in (points[468], points[473]):
        assert not face[int(eye[1]), int(eye[0])]
    rows, columns = crop(points, HEIGHT, WIDTH)
    assert face[rows, columns].sum() == face.sum() > 10_000


def test_a_window_stays_in_the_picture(points: Floats) -> None:
    rows, columns = crop(points + np.array([WIDTH, -HEIGHT, 0], np.float32), HEIGHT, WIDTH)
    assert 0 <= rows.start < rows.stop <= HEIGHT
    assert 0 <= columns.start < columns.stop <= WIDTH
