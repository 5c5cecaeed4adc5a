"""A live face takes on the persona's proportions: slowly, evenly, as far as asked, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_facelive.frame import Face, Floats, Frame
from obs_facelive.geometry import head_fit
from obs_facelive.landmark import BLENDSHAPES
from obs_facelive.shape.proportions import LIMIT, Difference, proportions
from obs_facelive.shape.reshape import Reshape, Reshaped
from obs_facelive.topology import CHIN, FACE_OVAL, CanonicalFace, load_canonical_face
from tests.unit.worn_face import HEIGHT, WIDTH, canonical_points, live_face

RIGHT_JAW, LEFT_JAW = 172, 397


@pytest.fixture(scope="module")
def canonical(models: Path) -> CanonicalFace:
    return load_canonical_face(models)


@pytest.fixture(scope="module")
def broad(canonical: CanonicalFace) -> Floats:
    """A persona whose jaw is broader than the canonical one, by up to a centimetre on each side."""
    shape = canonical.xyz.copy()
    shape[:, 0] *= 1 + 0.2 * np.clip(-shape[:, 1] / 9, 0, 1)
    return shape


def frame(number: int = 0) -> Frame:
    pixels = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 4), np.uint8)
    pixels.flags.writeable = False
    return Frame(pixels, number, number / 30)


def worn(reshape: Reshape, face: Face, strength: float = 1.0, frames: int = 150) -> list[Reshaped]:
    picture = frame()
    return [reshape(replace(picture, id=n, time=n / 30), [face], strength) for n in range(frames)]


@given(st.floats(3, 40), st.floats(-30, 30), st.floats(-1000, 1000))
def test_proportions_are_those_of_the_head_not_of_the_picture(
    canonical: CanonicalFace, size: float, yaw: float, x: float
) -> None:
    points = canonical_points(canonical, size, x, yaw=yaw)
    shape = proportions(points, head_fit(points, canonical))
    assert np.abs(shape - canonical.xyz).max() < 0.02


def test_at_0_percent_nothing_happens(canonical: CanonicalFace, broad: Floats) -> None:
    picture, face = frame(), live_face(canonical_points(canonical))
    reshaped = Reshape(broad, canonical)(picture, [face], 0.0)
    assert reshaped.frame is picture and reshaped.faces == [face] and reshaped.boxes == (None,)


def test_the_jaw_becomes_as_broad_as_the_personas_and_both_sides_alike(canonical: CanonicalFace, broad: Floats) -> None:
    face = live_face(canonical_points(canonical))
    half, full = (worn(Reshape(broad, canonical), face, strength)[-1].faces[0] for strength in (0.5, 1.0))
    wanted = 12 * (broad[LEFT_JAW, 0] - canonical.xyz[LEFT_JAW, 0])
    grown = [face_.points[LEFT_JAW, 0] - face.points[LEFT_JAW, 0] for face_ in (half, full)]
    assert 0.4 * wanted < grown[1] < 1.1 * wanted
    assert grown[0] == pytest.approx(grown[1] / 2, rel=0.15)
    other = face.points[RIGHT_JAW, 0] - full.points[RIGHT_JAW, 0]
    assert grown[1] == pytest.approx(other, rel=0.05)
    assert np.abs(full.points[CHIN, 0] - face.points[CHIN, 0]) < 0.3


def test_it_comes_slowly_and_never_jumps(canonical: CanonicalFace, broad: Floats) -> None:
    face = live_face(canonical_points(canonical))
    jaw = np.array([r.faces[0].points[LEFT_JAW, 0] for r in worn(Reshape(broad, canonical), face)])
    steps = np.diff(jaw)
    assert (steps > -0.05).all() and steps.max() < 0.5, "pixels a frame, of a face 186 pixels wide"
    assert jaw[-1] - jaw[0] > 1
    assert abs(jaw[-1] - jaw[-30]) < 0.5, "after some seconds it is there"


def test_the_personas_own_face_stays_as_it_is(canonical: CanonicalFace) -> None:
    face = live_face(canonical_points(canonical))
    last = worn(Reshape(canonical.xyz, canonical), face)[-1]
    assert np.abs(last.faces[0].points - face.points).max() < 0.05


def test_a_grimace_does_not_change_what_is_known_of_the_face(canonical: CanonicalFace, broad: Floats) -> None:
    reshape, face = Reshape(broad, canonical), live_face(canonical_points(canonical))
    before = worn(reshape, face)[-1].faces[0].points - face.points
    points = canonical_points(canonical)
    points[points[:, 1] > 280, 1] += 20
    blendshapes = np.zeros(52, np.float32)
    blendshapes[BLENDSHAPES.index("jawOpen")] = 0.8
    gaping = Face(1, points, blendshapes, 1.0)
    picture = frame()
    for n in range(150, 210):
        after = reshape(replace(picture, id=n, time=n / 30), [gaping], 1.0).faces[0].points - gaping.points
    assert np.abs(after - before).max() < 1.0, "pixels; the jaw itself was dropped by twenty"


def test_the_room_stays_and_the_frame_is_not_written_to(canonical: CanonicalFace, broad: Floats) -> None:
    reshaped = worn(Reshape(broad, canonical), live_face(canonical_points(canonical)))[-1]
    (box,) = reshaped.boxes
    assert box is not None
    changed = (reshaped.frame.pixels != reshaped.camera.pixels).any(axis=2)
    assert changed.any()
    left, top, right, bottom = box
    changed[top + 1 : bottom - 1, left + 1 : right - 1] = False
    assert not changed.any()


@given(st.integers(0, 2**32 - 1))
def test_no_point_goes_farther_than_the_limit(canonical: CanonicalFace, seed: int) -> None:
    other = canonical.xyz + np.random.default_rng(seed).normal(0, 5, (1, 3)) * np.sign(canonical.xyz[:, :1])
    moved = Difference(canonical, np.arange(468, dtype=np.int32)).between(canonical.xyz, other.astype(np.float32))
    assert np.linalg.norm(moved, axis=1).max() <= LIMIT + 1e-4


@pytest.mark.parametrize("x", [-60.0, 0.0, 640.0, 900.0])
def test_faces_over_the_edge_keep_the_frames_edge(canonical: CanonicalFace, broad: Floats, x: float) -> None:
    reshaped = worn(Reshape(broad, canonical), live_face(canonical_points(canonical, x=x)), frames=30)[-1]
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        assert np.array_equal(reshaped.frame.pixels[edge], reshaped.camera.pixels[edge])


def test_a_face_beside_another_is_moved_with_the_picture(canonical: CanonicalFace, broad: Floats) -> None:
    picture = frame()
    first = live_face(canonical_points(canonical, x=240))
    second = live_face(canonical_points(canonical, 4.0, x=345, y=300), track=2)
    reshape, alone = Reshape(broad, canonical), Reshape(broad, canonical)
    for n in range(60):
        now = replace(picture, id=n, time=n / 30)
        both, single = reshape(now, [first, second], 1.0), alone(now, [first], 1.0)
    assert len(both.boxes) == len(both.faces) == 2
    oval = np.abs(both.faces[1].points[FACE_OVAL, 0] - second.points[FACE_OVAL, 0])
    assert oval.max() > 1, "the first face's jaw pushes the second one aside"
    assert np.abs(both.faces[0].points[LEFT_JAW] - single.faces[0].points[LEFT_JAW]).max() < 2
