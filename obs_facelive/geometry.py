"""Pure maths that several parts share. Pixels are continuous: the centre of pixel (0, 0) is at (0.5, 0.5)."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from obs_facelive.frame import Floats, Roi
from obs_facelive.topology import (
    LEFT_EYE_CORNERS,
    RIGHT_EYE_CORNERS,
    RIGID,
    CanonicalFace,
)

Points: TypeAlias = Floats | npt.NDArray[np.float64]

ROI_SCALE = 1.5
"""How much larger than the face's box the region is that Face Mesh looks at (MediaPipe's face_landmark graphs)."""


def apply_affine(matrix: Floats, points: Floats) -> Floats:
    """``points`` (n, 2) through the 2x3 ``matrix``."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def invert_affine(matrix: Floats) -> Floats:
    """The 2x3 matrix that undoes ``matrix``."""
    inverse = np.linalg.inv(matrix[:, :2])
    return np.column_stack([inverse, -inverse @ matrix[:, 2]]).astype(np.float32)


def for_warp(matrix: Floats) -> Floats:
    """``matrix`` between continuous coordinates as OpenCV's warps want it: there, pixel centres are whole numbers."""
    shifted = matrix.copy()
    shifted[:, 2] += 0.5 * (matrix[:, 0] + matrix[:, 1]) - 0.5
    return shifted


def similarity(source: Points, target: Points) -> npt.NDArray[np.float64]:
    """The turn, uniform scale and shift (d, d + 1) that bring ``source`` (n, d) nearest to ``target`` (n, d), least squares.

    Never mirrors. S. Umeyama, Least-squares estimation of transformation parameters between two point patterns, PAMI 1991,
    equations 38 to 43. Raises `ValueError` where all source points are one point.
    """
    dimensions = source.shape[1]
    source_mean, target_mean = source.mean(0, dtype=np.float64), target.mean(0, dtype=np.float64)
    s, t = source - source_mean, target - target_mean
    spread = float((s * s).sum())
    if spread == 0.0:
        raise ValueError("all source points are one point")
    left, stretch, right = np.linalg.svd(t.T @ s)
    sign = np.ones(dimensions)
    sign[-1] = np.sign(np.linalg.det(left) * np.linalg.det(right))
    turn = (left * sign) @ right * ((stretch * sign).sum() / spread)
    return np.column_stack([turn, target_mean - turn @ source_mean])


def roi_to_crop(roi: Roi, size: int) -> Floats:
    """The 2x3 matrix from the picture onto an upright square crop of ``size`` pixels."""
    scale = size / roi.size
    cos, sin = np.cos(roi.angle) * scale, np.sin(roi.angle) * scale
    turn = np.array([[cos, sin], [-sin, cos]])
    shift = size / 2 - turn @ [roi.x, roi.y]
    return np.column_stack([turn, shift]).astype(np.float32)


def roi_of_points(points: Floats) -> Roi:
    """The region in which Face Mesh sees a face of these 478 points upright."""
    right, left = points[RIGHT_EYE_CORNERS[0], :2], points[LEFT_EYE_CORNERS[0], :2]
    angle = float(np.arctan2(left[1] - right[1], left[0] - right[0]))
    cos, sin = np.cos(angle), np.sin(angle)
    upright = np.array([[cos, sin], [-sin, cos]])
    turned = points[:, :2] @ upright.T
    low, high = turned.min(0), turned.max(0)
    x, y = (low + high) / 2 @ upright
    return Roi(float(x), float(y), float((high - low).max()) * ROI_SCALE, angle)


def roi_of_detection(box: Floats, eyes: Floats) -> Roi:
    """The region around a detector's ``box`` (x0 y0 x1 y1) with ``eyes`` (2, 2), turned so that the eyes are level."""
    across = eyes[1] - eyes[0]
    size = float(max(box[2] - box[0], box[3] - box[1])) * ROI_SCALE
    angle = float(np.arctan2(across[1], across[0]))
    return Roi(float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2, size, angle)


def box_of(points: Floats) -> Floats:
    """x0 y0 x1 y1 around ``points``."""
    return np.concatenate([points[:, :2].min(0), points[:, :2].max(0)]).astype(np.float32)


def overlap(box: Floats, boxes: Floats) -> Floats:
    """Intersection over union of ``box`` (4,) with each of ``boxes`` (n, 4): (n,) 0..1."""
    width = np.minimum(box[2], boxes[:, 2]) - np.maximum(box[0], boxes[:, 0])
    height = np.minimum(box[3], boxes[:, 3]) - np.maximum(box[1], boxes[:, 1])
    common = np.clip(width, 0, None) * np.clip(height, 0, None)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    whole = (box[2] - box[0]) * (box[3] - box[1]) + areas - common
    return np.where(whole > 0, common / np.maximum(whole, 1e-9), 0).astype(np.float32)


def head_fit(points: Floats, canonical: CanonicalFace) -> npt.NDArray[np.float64]:
    """(3, 4): from the canonical face, with y down and z away from the camera, to where it fits 478 ``points`` best.

    Only points that do not move with expression are looked at.
    """
    return similarity(canonical.xyz[RIGID] * [1, -1, -1], points[RIGID])


def head_pose(points: Floats, canonical: CanonicalFace) -> tuple[float, float, float]:
    """Yaw, pitch, roll in degrees of 478 points: 0 for an upright face that looks into the camera.

    Yaw is positive when the face is turned to the picture's right, pitch when it looks down, roll when the head is turned
    clockwise in the picture. The pose is that of `head_fit`.
    """
    return pose_of(head_fit(points, canonical))


def pose_of(fit: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """`head_pose` of a `head_fit`."""
    across, _, back = (fit[:, :3] / np.cbrt(np.linalg.det(fit[:, :3]))).T
    yaw, pitch = np.arctan2(-back[0], back[2]), np.arcsin(np.clip(-back[1], -1, 1))
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(np.arctan2(across[1], across[0])))
