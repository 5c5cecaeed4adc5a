"""Masks made from a face's points."""

from __future__ import annotations

import cv2
import numpy as np

from obs_facelive.frame import Floats, Plane
from obs_facelive.topology import CHIN, FACE_OVAL, FOREHEAD, LEFT_BROW, LIPS_OUTER, RIGHT_BROW

_BRIDGE, _EARS = 168, (234, 454)
_NOSE = (1, 2, 4, 5, 6, 19, 94, 98, 129, 168, 195, 197, 327, 358, 64, 294)
_PROTRUDING = (list(_NOSE), LIPS_OUTER, RIGHT_BROW, LEFT_BROW)
_SHIFT = 4
"""Bits of sub-pixel precision that OpenCV's polygons get."""


def fill(mask: Plane, ring: Floats, scale: float = 1.0) -> None:
    """Fills the polygon ``ring`` (n, 2), continuous coordinates times ``scale``, with 255 in ``mask`` (h, w), antialiased."""
    corners = np.round((ring * scale - 0.5) * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(mask, [corners], 255, lineType=cv2.LINE_AA, shift=_SHIFT)


def oval(points: Floats, x: int, y: int, width: int, height: int, size: int, softness: int) -> Plane:
    """(height, width) uint8: the face's visible outline, filled, fading inwards; exactly 0 on the outline and outside.

    The far side of a turned head ends at its silhouette, sharply, as what is behind it is no skin; nose, brows and lips that
    stand out over the oval there belong to the face.

    Parameters
    ----------
    points : (478, 3) in the frame's pixels
    x, y : the frame's pixel that the mask's top left pixel lies on
    size : -50..50, how much smaller or larger than the face in percent (larger than the face there is nothing to show, so
        above 0 the fade becomes narrower)
    softness : 0..100, width of the fade: at 100 a fifth of the face's width
    """
    ring = points[FACE_OVAL, :2] - np.array([x, y], np.float32)
    across = float(np.linalg.norm(ring.max(0) - ring.min(0)) / 1.6)
    scale = min(1.0, 96 / max(width, height))
    small = np.zeros((max(1, round(height * scale)), max(1, round(width * scale))), np.uint8)
    centre = ring.mean(0)
    corner = np.array([x, y], np.float32)
    for part in (ring, *(cv2.convexHull(points[group, :2] - corner)[:, 0] for group in _PROTRUDING)):
        fill(small, ((part - centre) * (1 + min(size, 0) / 100) + centre), scale)
    # The picture's own border is no outline of the face, but a patch must end in the frame's own pixels.
    inside = cv2.distanceTransform(cv2.copyMakeBorder(small, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 5)[
        1:-1, 1:-1
    ]
    fade = max(1.5 / scale, across * (0.02 + 0.18 * softness / 100) * (1 - max(size, 0) / 100)) * scale
    alpha = np.clip((inside - 1) / (fade * _narrower(points, x, y, small.shape, scale)), 0, 1)
    alpha = alpha * alpha * (3 - 2 * alpha) * 255
    return np.asarray(cv2.resize(alpha.astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _narrower(points: Floats, x: int, y: int, shape: tuple[int, ...], scale: float) -> Floats:
    """``shape``: 1 at the forehead to a half at the chin: a face ends softly in the hair, but sharply at the jaw.

    On the far side of a turned head little of that is left.
    """
    top, chin = points[FOREHEAD, :2], points[CHIN, :2]
    axis = (chin - top) / (float((chin - top) @ (chin - top)) + 1e-6)
    rows, columns = np.arange(shape[0], dtype=np.float32) / scale + y, np.arange(shape[1], dtype=np.float32) / scale + x
    down = (rows[:, None] - top[1]) * axis[1] + (columns[None] - top[0]) * axis[0]
    bridge, sides = points[_BRIDGE, :2], points[list(_EARS), :2]
    across = (sides[1] - sides[0]) / (float(np.linalg.norm(sides[1] - sides[0])) + 1e-6)
    right, left = float((bridge - sides[0]) @ across), float((sides[1] - bridge) @ across)
    turned = (right - left) / (abs(right) + abs(left) + 1e-6)
    # Where the bridge of the nose is nearer to one ear, that side is the far one.
    far = float(np.clip((abs(turned) - 0.2) / 0.4, 0, 1))
    towards = -across if turned < 0 else across
    reach = max(min(right, left), 0.05 * (abs(right) + abs(left)))
    beside = ((rows[:, None] - bridge[1]) * towards[1] + (columns[None] - bridge[0]) * towards[0]) / reach
    # Above the brows hair may lie on either side.
    narrow = 1 - 0.8 * far * np.clip(beside + 0.5, 0, 1) * np.clip((down - 0.1) / 0.2, 0, 1)
    return np.asarray((1 - 0.5 * np.clip((down - 0.3) / 0.5, 0, 1)) * narrow, np.float32)


def opening(hole: Plane, ring: Floats, x: int, y: int, blur: float, grow: float = 0.0) -> None:
    """Writes 255 into ``hole`` (h, w) inside the ``ring`` (n, 2) and ``grow`` pixels around it; the edge is ``blur`` soft."""
    corners = ring - np.array([x, y], np.float32)
    margin = grow + 3 * blur + 2
    low = np.clip(np.floor(corners.min(0) - margin), 0, [hole.shape[1], hole.shape[0]]).astype(int)
    high = np.clip(np.ceil(corners.max(0) + margin), low, [hole.shape[1], hole.shape[0]]).astype(int)
    if not (high > low).all():
        return
    part = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    fill(part, corners - low.astype(np.float32))
    if grow >= 0.5:
        side = 2 * round(grow) + 1
        part = cv2.dilate(part, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    soft = cv2.GaussianBlur(part, (0, 0), max(blur, 0.3))
    target = hole[low[1] : high[1], low[0] : high[0]]
    np.maximum(target, soft, out=target)
