"""Eye colour is read from irises only, goes onto irises only, and onto open, kept, live ones only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_facelive.frame import Face, Floats, Pixels
from obs_facelive.mask.face import fill
from obs_facelive.merge.iris import EYES, MOST, EyeColour, read_iris, shift_between
from obs_facelive.swap.light import LUMA, log_odds
from obs_facelive.topology import LEFT_EYE, RIGHT_EYE, load_canonical_face
from tests.unit.worn_face import HEIGHT, WIDTH, canonical_points, live_face

BLUE, BROWN = (130, 95, 60), (25, 45, 75)


@pytest.fixture(scope="module")
def face(models: Path) -> Face:
    return live_face(canonical_points(load_canonical_face(models), 24.0))


def eyes(points: Floats, colour: tuple[int, int, int]) -> Pixels:
    """A picture of skin with white eyes, whose irises have ``colour``, a black pupil and a highlight."""
    picture = np.full((HEIGHT, WIDTH, 4), (120, 150, 200, 255), np.uint8)
    for iris, ring in EYES:
        eye = np.zeros((HEIGHT, WIDTH), np.uint8)
        fill(eye, points[ring, :2])
        picture[eye > 127, :3] = 235
        disc = np.zeros_like(eye)
        x, y = (int(v) for v in points[iris[0], :2])
        radius = int(points[iris[1], 0] - points[iris[0], 0])
        cv2.circle(disc, (x, y), radius, 255, cv2.FILLED)
        picture[(disc > 0) & (eye > 127), :3] = colour
        cv2.circle(picture, (x, y), radius // 3, (5, 5, 5, 255), cv2.FILLED)
        cv2.circle(picture, (x + 2, y - 4), 2, (250, 250, 250, 255), cv2.FILLED)
    return picture


def painted(face: Face, picture: Pixels, share: float = 1.0, live: int = 255) -> Pixels:
    out = picture.copy()
    wanted = log_odds(np.array(BROWN, np.float32))
    EyeColour(wanted).paint(out, 0, 0, np.full((HEIGHT, WIDTH), live, np.uint8), face, 0.0, picture, share)
    return out


def closed(face: Face) -> Face:
    points = face.points.copy()
    for ring in (RIGHT_EYE, LEFT_EYE):
        points[ring, 1] = points[ring, 1].mean()
    return replace(face, points=points)


def test_the_colour_read_is_the_irises_not_the_pupils_the_lids_or_a_highlights(face: Face) -> None:
    colour = read_iris(eyes(face.points, BLUE), face.points)
    assert colour is not None
    assert np.abs(colour - log_odds(np.array(BLUE, np.float32))).max() < 0.05


def test_closed_eyes_and_eyes_outside_of_the_picture_have_no_colour(face: Face) -> None:
    picture = eyes(face.points, BLUE)
    assert read_iris(picture, closed(face).points) is None
    assert read_iris(picture, face.points + np.array([5000, 0, 0], np.float32)) is None


def test_blue_irises_become_brown_and_nothing_else_changes(face: Face) -> None:
    picture = eyes(face.points, BLUE)
    out = painted(face, picture)
    iris = (picture[..., :3] == BLUE).all(axis=2)
    changed = (out != picture).any(axis=2)
    assert changed[iris].mean() > 0.9
    assert not changed[~iris & (picture[..., :3].max(axis=2) > 100)].any(), "skin, white or highlight took on colour"
    new = np.median(out[iris], axis=0)
    assert new[2] > new[1] > new[0], "brown is red before green before blue"
    pupil = (picture[..., :3] == 5).all(axis=2)
    assert out[pupil].min(axis=0)[:3].max() <= 16, "the pupil stays black"


@pytest.mark.parametrize("share, live, shut", [(0.0, 255, False), (1.0, 0, False), (1.0, 255, True)])
def test_nothing_happens_at_0_percent_under_the_mask_or_on_closed_eyes(
    face: Face, share: float, live: int, shut: bool
) -> None:
    picture = eyes(face.points, BLUE)
    assert np.array_equal(painted(closed(face) if shut else face, picture, share, live), picture)


def test_a_blink_does_not_change_what_is_known_of_the_iris(face: Face) -> None:
    picture, reddish = eyes(face.points, BLUE), eyes(face.points, (60, 60, 160))
    colour = EyeColour(log_odds(np.array(BROWN, np.float32)))
    live = np.full((HEIGHT, WIDTH), 255, np.uint8)
    first, second = picture.copy(), picture.copy()
    colour.paint(first, 0, 0, live, face, 0.0, picture, 1.0)
    for n in range(1, 10):
        colour.paint(reddish.copy(), 0, 0, live, closed(face), n / 30, reddish, 1.0)
    colour.paint(second, 0, 0, live, face, 10 / 30, picture, 1.0)
    assert np.abs(first.astype(int) - second).max() <= 1


colours = st.lists(st.floats(-3, 3), min_size=3, max_size=3).map(lambda values: np.array(values, np.float32))


@given(colours, colours)
def test_a_shift_is_limited_and_none_between_equal_colours(own: Floats, wanted: Floats) -> None:
    shift = shift_between(own, wanted)
    assert np.abs(shift - shift @ LUMA).max() <= MOST * 1.6
    assert abs(float(shift @ LUMA)) <= 0.51
    assert np.abs(shift_between(own, own)).max() < 1e-5
