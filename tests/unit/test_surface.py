"""The live face laid out flat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from obs_facelive.frame import Floats
from obs_facelive.surface import Unwrapper
from obs_facelive.topology import CanonicalFace, load_canonical_face


@pytest.fixture(scope="module")
def canonical(models: Path) -> CanonicalFace:
    return load_canonical_face(models)


def flat_face(canonical: CanonicalFace, side: float, x: float = 0.0, y: float = 0.0) -> Floats:
    """(468, 3) points of a face that lies in the picture as the texture does."""
    return np.column_stack([canonical.uv * side + [x, y], np.zeros(len(canonical.uv))]).astype(np.float32)


def ramp(height: int, width: int) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    y, x = np.mgrid[:height, :width]
    return np.dstack([x * 200 / width, y * 200 / height, np.full_like(x, 77)]).astype(np.uint8)


@pytest.mark.parametrize("side", [128, 400])
def test_a_face_that_lies_as_the_texture_does_is_copied(canonical: CanonicalFace, side: int) -> None:
    picture = ramp(side + 40, side + 60)
    surface = Unwrapper(canonical, 128).unwrap(picture, flat_face(canonical, side, 25, 10))
    rows, columns = np.nonzero(Unwrapper(canonical, 128).inside)
    u, v = (columns + 0.5) / 128 * side + 25, (rows + 0.5) / 128 * side + 10
    expected = np.column_stack([u * 200 / (side + 60), v * 200 / (side + 40), np.full(len(u), 77)])
    assert np.abs(surface[rows, columns] - expected).max() < 2.5


def test_there_is_nothing_beside_the_face(canonical: CanonicalFace) -> None:
    unwrapper = Unwrapper(canonical, 64)
    surface = unwrapper.unwrap(np.full((80, 80, 4), 200, np.uint8), flat_face(canonical, 64))
    assert (surface[unwrapper.inside] == 200).all()
    assert not surface[~unwrapper.inside].any()
    assert 0.4 < unwrapper.inside.mean() < 0.9


@pytest.mark.parametrize("place", [(-60.0, -60.0), (50.0, 70.0), (500.0, 500.0), (-500.0, 0.0)])
def test_a_face_may_leave_the_picture(canonical: CanonicalFace, place: tuple[float, float]) -> None:
    surface = Unwrapper(canonical, 64).unwrap(ramp(90, 90), flat_face(canonical, 80, *place))
    assert surface.shape == (64, 64, 3)


def test_values_at_the_points_are_spread_between_them(canonical: CanonicalFace) -> None:
    unwrapper = Unwrapper(canonical, 96)
    spread = unwrapper.spread(canonical.uv[:, 0])
    columns = np.nonzero(unwrapper.inside)[1]
    assert np.abs(spread[unwrapper.inside] - (columns + 0.5) / 96).max() < 1e-3
    assert not spread[~unwrapper.inside].any()


@pytest.mark.parametrize("side", [90, 128, 400])
def test_brightness_is_the_surface_in_gray(canonical: CanonicalFace, side: int) -> None:
    picture, unwrapper = ramp(side + 40, side + 60), Unwrapper(canonical, 128)
    points = flat_face(canonical, side, 25, 10)
    surface = unwrapper.unwrap(picture, points) @ [0.114, 0.587, 0.299]
    gray = unwrapper.brightness(picture, points)
    assert np.abs(gray - surface)[unwrapper.inside].max() < 2.5
    assert not gray[~unwrapper.inside].any()
