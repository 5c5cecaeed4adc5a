"""A field moves the picture around a face without folds, leaves its border alone, and takes points where pixels go."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_facelive.frame import Floats, Pixels
from obs_facelive.shape.field import Field, field
from obs_facelive.topology import CanonicalFace, load_canonical_face
from tests.unit.worn_face import HEIGHT, WIDTH, canonical_points


@pytest.fixture(scope="module")
def canonical(models: Path) -> CanonicalFace:
    return load_canonical_face(models)


@pytest.fixture(scope="module")
def noise() -> Pixels:
    return np.random.default_rng(3).integers(0, 256, (HEIGHT, WIDTH, 4), np.uint8)


def displacement(around: Field, points: Floats) -> Floats:
    """Where the picture at ``points`` (n, 2) comes from, minus ``points``: bilinear between the nodes, written out anew."""
    out = np.zeros((len(points), 2))
    for n, (x, y) in enumerate(points):
        u, v = (x - around.box[0]) / around.step + 0.5, (y - around.box[1]) / around.step + 0.5
        i, j = int(u), int(v)
        for row, by_row in ((j, 1 - (v - j)), (j + 1, v - j)):
            for column, by_column in ((i, 1 - (u - i)), (i + 1, u - i)):
                out[n] += around.nodes[row, column] * by_row * by_column
    return out.astype(np.float32)


places = st.tuples(st.floats(-100, WIDTH + 100), st.floats(-100, HEIGHT + 100))
sizes = st.floats(2.0, 30.0)
seeds = st.integers(0, 2**32 - 1)


def wild(canonical: CanonicalFace, place: tuple[float, float], size: float, seed: int) -> tuple[Floats, Field | None]:
    """Points and their field for changes that are larger, and far less smooth, than a face's proportions ask for."""
    points = canonical_points(canonical, size, *place)[:468:4]
    change = np.random.default_rng(seed).normal(0, size, (len(points), 2)).astype(np.float32)
    return points, field(points, change, 15.5 * size, WIDTH, HEIGHT)


@given(places, sizes, seeds)
def test_it_never_folds(canonical: CanonicalFace, place: tuple[float, float], size: float, seed: int) -> None:
    _, around = wild(canonical, place, size, seed)
    if around is not None:
        for axis in (0, 1):
            assert np.abs(np.diff(around.nodes, axis=axis)).max() < 0.5 * around.step


@given(places, sizes, seeds)
def test_its_border_and_all_outside_stay_as_they_are(
    canonical: CanonicalFace, noise: Pixels, place: tuple[float, float], size: float, seed: int
) -> None:
    _, around = wild(canonical, place, size, seed)
    if around is None:
        return
    left, top, right, bottom = around.box
    assert 0 <= left < right <= WIDTH and 0 <= top < bottom <= HEIGHT
    before = noise.copy()
    moved = around.back(noise)
    assert np.array_equal(moved[..., 3], before[..., 3])
    changed = (moved != before).any(axis=2)
    assert np.array_equal(noise, before), "the picture that came in was written to"
    changed[top + 1 : bottom - 1, left + 1 : right - 1] = False
    assert not changed.any()


@given(places, sizes, seeds)
def test_points_go_where_the_pixels_go(
    canonical: CanonicalFace, place: tuple[float, float], size: float, seed: int
) -> None:
    points, around = wild(canonical, place, size, seed)
    if around is None:
        return
    left, top, right, bottom = around.box
    inside = ((points[:, :2] > [left + 1, top + 1]) & (points[:, :2] < [right - 1, bottom - 1])).all(1)
    moved = around.forth(points)
    assert np.array_equal(moved[:, 2], points[:, 2])
    back = moved[inside, :2] + displacement(around, moved[inside, :2])
    assert np.abs(back - points[inside, :2]).max(initial=0) < 0.05 * size


def test_a_dot_is_seen_where_its_point_is_moved_to(canonical: CanonicalFace) -> None:
    points = canonical_points(canonical)[:468]
    change = np.column_stack([(points[:, 0] - 320) * 0.08, (points[:, 1] - 240) * 0.05]).astype(np.float32)
    around = field(points, change, 186, WIDTH, HEIGHT)
    assert around is not None
    for n in (152, 234, 454, 4):
        picture = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
        x, y = points[n, :2].astype(int)
        picture[y - 2 : y + 3, x - 2 : x + 3] = 255
        seen = around.back(picture)[..., 0].astype(float)
        rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
        centre = np.array([(columns * seen).sum(), (rows * seen).sum()]) / seen.sum()
        wanted = around.forth(np.array([[x + 0.5, y + 0.5]], np.float32))[0]
        assert np.abs(centre - wanted).max() < 0.25
        assert np.abs((wanted - [x + 0.5, y + 0.5]) - change[n]).max() < 0.5 * np.abs(change[n]).max() + 1


def test_no_change_is_no_change(canonical: CanonicalFace, noise: Pixels) -> None:
    points = canonical_points(canonical)
    around = field(points, np.zeros((478, 2), np.float32), 186, WIDTH, HEIGHT)
    assert around is not None
    assert np.array_equal(around.back(noise), noise)
    assert np.allclose(around.forth(points), points, atol=1e-4)


@pytest.mark.parametrize("place", [(-900.0, 240.0), (320.0, 2000.0), (5000.0, -5000.0)])
def test_there_is_none_for_a_face_outside_of_the_frame(canonical: CanonicalFace, place: tuple[float, float]) -> None:
    points = canonical_points(canonical, 12, *place)
    assert field(points, np.ones((478, 2), np.float32), 186, WIDTH, HEIGHT) is None
