from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from obs_facelive.frame import Floats
from obs_facelive.swap.raster import draw, empty_depth, facing, interpolate
from obs_facelive.topology import CanonicalFace, Indices, load_canonical_face

SQUARE = np.array([[2, 2, 0], [2, 10, 0], [12, 10, 0], [12, 2, 0]], np.float32)
"""Down, right, up: seen from the camera its triangles face it."""
TRIANGLES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)


@pytest.fixture(scope="module")
def canonical(models: Path) -> CanonicalFace:
    return load_canonical_face(models)


def drawn(points: Floats, triangles: Indices, values: Floats, size: int = 16) -> tuple[Floats, Floats]:
    out, depth = np.zeros((size, size, values.shape[1]), np.float32), empty_depth(size, size)
    interpolate(points, triangles, values, out, depth)
    return out, depth


def test_a_rectangle_covers_exactly_the_pixels_whose_centres_it_holds() -> None:
    out, depth = drawn(SQUARE, TRIANGLES, np.ones((4, 1), np.float32))
    expected = np.zeros((16, 16), bool)
    expected[2:10, 2:12] = True
    assert np.array_equal(depth < 1e29, expected)
    assert np.allclose(out[expected], 1)


def test_values_are_linear_between_the_points() -> None:
    out, _ = drawn(SQUARE, TRIANGLES, SQUARE[:, :2].copy())
    ys, xs = np.mgrid[2:10, 2:12]
    assert np.allclose(out[2:10, 2:12, 0], xs + 0.5, atol=1e-4)
    assert np.allclose(out[2:10, 2:12, 1], ys + 0.5, atol=1e-4)


def test_the_back_of_a_surface_is_not_drawn() -> None:
    _, depth = drawn(SQUARE, TRIANGLES[:, ::-1].copy(), np.ones((4, 1), np.float32))
    assert (depth > 1e29).all()


def test_the_nearer_surface_wins_whatever_the_order() -> None:
    points = np.vstack([SQUARE + np.array([0, 0, 5], np.float32), SQUARE])
    values = np.repeat([[1.0], [2.0]], 4, axis=0).astype(np.float32)
    both = np.vstack([TRIANGLES, TRIANGLES + 4]).astype(np.int32)
    for triangles in (both, both[::-1].copy()):
        out, _ = drawn(points, triangles, values)
        assert (out[2:10, 2:12] == 2).all()


def test_what_reaches_over_the_picture_is_cut_off() -> None:
    _, depth = drawn(SQUARE - np.array([6, 6, 0], np.float32), TRIANGLES, np.ones((4, 1), np.float32), 8)
    assert (depth[:4, :6] < 1e29).all() and (depth[4:] > 1e29).all()


def test_facing_of_the_canonical_face_is_symmetric_and_frontal_in_the_middle(canonical: CanonicalFace) -> None:
    points = canonical.xyz * np.array([1, -1, -1], np.float32)
    looks = facing(np.ascontiguousarray(points), canonical.triangles)
    assert looks[4] > 0.6 and looks[151] > 0.8, "tip of the nose and forehead look ahead"
    assert np.allclose(looks[[234, 93, 50]], looks[[454, 323, 280]], atol=0.03), "right and left alike"
    assert looks.max() <= 1.0001


def draw_flat(texture_value: int, gain: float, haze: float = 0.0, line: float = 1.0) -> int:
    blue, green, red = draw_colours(texture_value, (gain, gain, gain), haze, line)
    assert blue == green == red
    return blue


def draw_colours(
    texture_value: int, gains: tuple[float, float, float], haze: float = 0.0, line: float = 1.0, dark: float = 0.0
) -> list[int]:
    vertices = np.ones((4, 6), np.float32)
    vertices[:, :2] = [[0, 0], [0, 1], [1, 1], [1, 0]]
    vertices[:, 2:5] = gains
    pixels, mask = np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16), np.uint8)
    texture = np.full((32, 32, 3), texture_value, np.uint8)
    lines = np.full((16, 16), line, np.float32)
    draw(SQUARE, TRIANGLES, vertices, texture, lines, haze, dark, pixels, mask, empty_depth(16, 16))
    assert (mask[2:10, 2:12] == 255).all() and mask.sum() == 255 * 80
    inside = pixels[2:10, 2:12]
    assert (inside == inside[0, 0]).all()
    return [int(value) for value in inside[0, 0]]


def test_the_odds_gain_keeps_black_white_and_the_contrast_of_what_is_between() -> None:
    assert draw_flat(137, 1.0) == 137
    for gain in (0.2, 5.0):
        assert draw_flat(0, gain) == 0 and draw_flat(255, gain) == 255
    lifted = [draw_flat(value, 3.0) for value in (70, 80, 90)]
    assert lifted[1] == round(255 * 3 * 80 / (255 + 2 * 80))
    assert 10 <= lifted[2] - lifted[0] <= 40, "the contrast of lifted skin is near its own 20"
    assert draw_flat(80, 1.5, line=2.0) == draw_flat(80, 3.0)


def test_haze_lifts_black_and_leaves_white() -> None:
    assert draw_flat(0, 1.0, haze=40) == 40
    assert draw_flat(255, 1.0, haze=40) == 255


def test_what_is_dark_takes_on_the_brightness_of_a_gain_and_little_of_its_hue() -> None:
    bluer = (4.0, 1.0, 1.0)
    blue, green, red = draw_colours(100, bluer, dark=80.0)
    assert blue > green + 40 and green == red == 100, "as bright as skin: all of it"
    hued, even = draw_colours(20, bluer), draw_colours(20, bluer, dark=80.0)
    assert np.ptp(even) < 0.5 * np.ptp(hued), "dark: little of it"
    assert min(even) > 20, "and its brightness"
    steps = [
        np.ptp(draw_colours(value, bluer, dark=80.0)) / np.ptp(draw_colours(value, bluer)) for value in (10, 60, 79)
    ]
    assert steps[0] < 0.3 < steps[1] < 0.9 < steps[2], "no step between the two"
