"""Transforms, regions and the head's pose, against cases whose answer is known."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_facelive.frame import Floats, Roi
from obs_facelive.geometry import (
    apply_affine,
    for_warp,
    head_pose,
    invert_affine,
    overlap,
    roi_of_detection,
    roi_of_points,
    roi_to_crop,
    similarity,
)
from obs_facelive.topology import CanonicalFace, load_canonical_face

angles = st.floats(-3.1, 3.1)
rois = st.builds(Roi, st.floats(-500, 4000), st.floats(-500, 4000), st.floats(10, 3000), angles)


@pytest.fixture(scope="module")
def canonical(models: Path) -> CanonicalFace:
    return load_canonical_face(models)


def _posed(canonical: CanonicalFace, yaw: float = 0, pitch: float = 0, roll: float = 0, size: float = 20) -> Floats:
    """The canonical face with irises (all in the middle), turned by degrees, seen by a camera that draws y downwards."""
    y, p, r = np.radians([yaw, pitch, roll])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_y = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    points = np.vstack([canonical.xyz, np.zeros((10, 3))]) * [1, -1, -1]
    return (points @ (about_z @ about_y @ about_x).T * size + [640, 360, 0]).astype(np.float32)


@given(angles, st.floats(0.1, 10), st.integers(2, 3), st.integers(0, 1000))
def test_similarity_finds_a_known_one(angle: float, scale: float, dimensions: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    source = random.normal(size=(20, dimensions))
    turn = np.eye(dimensions)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    shift = random.normal(size=dimensions) * 100
    found = similarity(source, scale * source @ turn.T + shift)
    np.testing.assert_allclose(found, np.column_stack([scale * turn, shift]), atol=1e-9)


@given(st.integers(2, 3), st.integers(0, 1000))
def test_similarity_never_mirrors(dimensions: int, seed: int) -> None:
    source = np.random.default_rng(seed).normal(size=(20, dimensions))
    mirrored = source * [-1, *[1] * (dimensions - 1)]
    assert np.linalg.det(similarity(source, mirrored)[:, :dimensions]) >= 0


def test_similarity_of_one_point_is_refused() -> None:
    with pytest.raises(ValueError, match="one point"):
        similarity(np.ones((5, 2)), np.ones((5, 2)))


@given(rois)
def test_crop_and_back(roi: Roi) -> None:
    matrix = roi_to_crop(roi, 256)
    corners = np.array([[0, 0], [256, 0], [256, 256], [0, 256], [128, 128]], np.float32)
    back = apply_affine(invert_affine(matrix), corners)
    # The crop's middle is the region's, its sides are as long and turned as the region's.
    np.testing.assert_allclose(back[4], [roi.x, roi.y], atol=0.01)
    side = back[1] - back[0]
    assert np.linalg.norm(side) == pytest.approx(roi.size, rel=1e-3)
    assert np.arctan2(side[1], side[0]) == pytest.approx(roi.angle, abs=1e-3)
    np.testing.assert_allclose(apply_affine(matrix, back), corners, atol=0.05)


def test_warps_keep_pixel_centres() -> None:
    """A dot drawn at a continuous place is found at the transformed place: nothing is off by half a pixel."""
    picture = np.zeros((200, 300), np.float32)
    picture[100:110, 150:160] = 1
    roi = Roi(150, 100, 120, 0.3)
    matrix = roi_to_crop(roi, 240)
    warped = cv2.warpAffine(picture, for_warp(matrix), (240, 240), flags=cv2.INTER_LINEAR)
    y, x = np.mgrid[0:240, 0:240] + 0.5
    found = [(warped * x).sum() / warped.sum(), (warped * y).sum() / warped.sum()]
    np.testing.assert_allclose(found, apply_affine(matrix, np.array([[155, 105]], np.float32))[0], atol=0.05)


def test_regions_follow_a_turned_face(canonical: CanonicalFace) -> None:
    upright, turned = roi_of_points(_posed(canonical)), roi_of_points(_posed(canonical, roll=40))
    assert upright.angle == pytest.approx(0, abs=1e-3)
    assert turned.angle == pytest.approx(np.radians(40), abs=1e-3)
    assert turned.size == pytest.approx(upright.size, rel=1e-3)
    # 1.5 times the taller side of the face, which is 17.7 units of 20 pixels.
    assert upright.size == pytest.approx(1.5 * np.ptp(canonical.xyz[:, 1]) * 20, rel=1e-3)


def test_region_of_a_detection() -> None:
    box, eyes = np.array([100, 200, 300, 350], np.float32), np.array([[150, 250], [250, 350]], np.float32)
    found = roi_of_detection(box, eyes)
    assert (found.x, found.y, found.size) == (200, 275, 300)
    assert found.angle == pytest.approx(np.pi / 4)


@pytest.mark.parametrize("degrees", [-50, -20, 0, 20, 50])
def test_head_pose(canonical: CanonicalFace, degrees: float) -> None:
    for axis, name in enumerate(("yaw", "pitch", "roll")):
        expected = np.eye(3)[axis] * degrees
        np.testing.assert_allclose(head_pose(_posed(canonical, **{name: degrees}), canonical), expected, atol=0.01)


def test_head_pose_signs(canonical: CanonicalFace) -> None:
    """Turned to the picture's right, the nose is right of the cheeks' middle; looking down, it is lower."""
    nose = 1
    neutral, right, down = (_posed(canonical, **turn) for turn in ({}, {"yaw": 20}, {"pitch": 20}))
    assert right[nose, 0] > neutral[nose, 0] + 10
    assert down[nose, 1] > neutral[nose, 1] + 10
    assert right[10, 1] == pytest.approx(neutral[10, 1])


def test_overlap() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30], [3, 3, 3, 3]], np.float32)
    np.testing.assert_allclose(overlap(boxes[0], boxes), [1, 1 / 3, 0, 0])
    assert overlap(boxes[0], boxes[:0]).shape == (0,)
