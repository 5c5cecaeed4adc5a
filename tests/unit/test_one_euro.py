"""Smoothing: calm at rest, no lag in motion, and the same for near and far faces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_facelive.frame import Floats
from obs_facelive.track.one_euro import OneEuro, Values
from obs_facelive.track.smoothing import FaceSmoother

STEP = 1 / 30


def _noise(seed: int, *shape: int) -> Values:
    return np.random.default_rng(seed).normal(size=shape)


@given(st.floats(0.01, 10), st.floats(0, 100), st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=30))
def test_stays_between_the_old_and_the_new(min_cutoff: float, beta: float, values: list[float]) -> None:
    smooth = OneEuro(min_cutoff, beta)
    last = values[0]
    for i, value in enumerate(values):
        found = float(smooth(np.array([[value]]), i * STEP)[0, 0])
        assert min(last, value) - 1e-6 <= found <= max(last, value) + 1e-6
        last = found


def test_noise_at_rest_is_calmed_and_a_step_arrives() -> None:
    smooth = OneEuro(1.0, 0.0)
    steps = (10 * (i > 100) + 0.1 * _noise(i, 1, 2) for i in range(200))
    out = np.array([smooth(step, i * STEP)[0] for i, step in enumerate(steps)])
    assert out[30:100].std(axis=0).max() < 0.04
    np.testing.assert_allclose(out[-30:].mean(0), 10, atol=0.1)


def test_a_fast_row_is_followed_and_a_slow_one_beside_it_is_not_disturbed() -> None:
    smooth = OneEuro(0.5, 1.0)
    for i in range(60):
        moving, resting = np.array([[30.0 * i, 0], [0.1 * (-1) ** i, 0]])
        found = smooth(np.array([moving, resting]), i * STEP)
    assert found[0, 0] == pytest.approx(30 * 59, abs=1)
    assert abs(found[1, 0]) < 0.05


def test_a_value_that_is_not_later_passes_as_it_is() -> None:
    smooth = OneEuro(0.1, 0)
    smooth(np.zeros((1, 1)), 5.0)
    assert smooth(np.ones((1, 1)), 5.0)[0, 0] == 1
    assert smooth(np.full((1, 1), 3.0), 2.0)[0, 0] == 3


@pytest.fixture(scope="module")
def face() -> Floats:
    """478 points about as wide apart as a face's."""
    return (_noise(0, 478, 3) * [60, 80, 30] + [400, 300, 0]).astype(np.float32)


def _run(points: list[Floats], steadiness: int) -> Floats:
    smoother = FaceSmoother(steadiness)
    return np.array([smoother(p, i * STEP) for i, p in enumerate(points)])


def test_steadiness_0_is_off_and_more_is_calmer(face: Floats) -> None:
    trembling = [(face + 0.3 * _noise(i, 478, 3)).astype(np.float32) for i in range(60)]
    assert np.array_equal(_run(trembling, 0), trembling)
    tremble = [np.diff(_run(trembling, s)[20:], axis=0).std() for s in (0, 25, 50, 75, 100)]
    assert tremble == sorted(tremble, reverse=True)
    assert tremble[2] < 0.4 * tremble[0]


def test_a_moving_head_is_not_left_behind(face: Floats) -> None:
    """A face carried along by half its width in a second: the points lag by less than a frame, and all by the same."""
    speed = np.array([120, 40, 0]) * STEP
    moving = [(face + i * speed).astype(np.float32) for i in range(60)]
    behind = (moving[-1] - _run(moving, 50)[-1]) / speed[0]
    assert np.abs(behind[:, 0]).max() < 1
    assert np.ptp(behind[:, 0]) < 0.01, "the face keeps its shape"


def test_a_near_face_is_smoothed_like_a_far_one(face: Floats) -> None:
    path = [(face + 0.3 * _noise(i, 478, 3) + [5 * i, 0, 0]).astype(np.float32) for i in range(40)]
    far, near = _run(path, 50), _run([4 * p for p in path], 50)
    np.testing.assert_allclose(near, 4 * far, rtol=1e-3, atol=0.05)


def test_a_turning_head_keeps_its_shape(face: Floats) -> None:
    centre = face.mean(0)

    def turned(angle: float) -> Floats:
        turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
        return ((face - centre) @ turn.T + centre).astype(np.float32)

    path = [turned(0.02 * i) for i in range(40)]
    # 34 degrees a second; the points farthest from the axis move by some 5 pixels a frame.
    assert np.abs(_run(path, 50)[-1] - path[-1]).max() < 4
