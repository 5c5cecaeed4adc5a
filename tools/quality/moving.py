"""Steadiness and sticking: what moves in the output that does not move in the camera's picture."""

from __future__ import annotations

import cv2
import numpy as np

from obs_facelive.frame import Floats, Pixels
from obs_facelive.swap.raster import FAR, empty_depth, interpolate
from obs_facelive.topology import Indices
from tools.quality.areas import Mask, gray

_TEXTURE = 4.0
"""Gradient, of 255 a pixel, from which on optical flow is more than a guess."""

_GRAIN = 1.5
"""Standard deviation in pixels, for a window of 400, of the low pass that takes the sensor's noise away."""


def flow(now: Pixels, before: Pixels) -> Floats:
    """(h, w, 2) float32: what is seen at each pixel of ``now`` was at that pixel plus this in ``before``.

    Dense inverse search (T. Kroeger and others, Fast Optical Flow using Dense Inverse Search, ECCV 2016), OpenCV's.
    """
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    # OpenCV's stubs want a picture to write the flow into.
    return np.asarray(search.calc(gray(now), gray(before), np.zeros((*now.shape[:2], 2), np.float32)), np.float32)


def unexplained(now: Pixels, before: Pixels, moved: Floats, face: Mask) -> float:
    """Mean absolute difference, 0..255, inside ``face`` between ``now`` and ``before`` brought there by the flow ``moved``.

    Low-passed: a sensor's noise, which the live face has and a drawn one has not, is no trembling.
    """
    height, width = moved.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    there = cv2.remap(
        before[..., :3], x + moved[..., 0], y + moved[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    rest = cv2.GaussianBlur(now[..., :3].astype(np.float32) - there, (0, 0), _GRAIN * face.shape[1] / 400)
    return float(np.abs(rest[face]).mean()) if face.any() else 0.0


def slide(worn: Floats, true: Floats, face: Mask, now: Pixels) -> float | None:
    """Median length in pixels of the difference between the output's flow ``worn`` and the ``true`` one, both (h, w, 2).

    Only where ``face`` is and the output ``now`` has something to follow; None where that is next to nothing.
    """
    light = cv2.GaussianBlur(gray(now), (0, 0), 1.0)
    steep = [cv2.Sobel(light, cv2.CV_32F, *d, ksize=3, scale=1 / 8) for d in ((1, 0), (0, 1))]
    seen = face & (np.hypot(*steep) > _TEXTURE)
    if np.count_nonzero(seen) < 50:
        return None
    return float(np.median(np.linalg.norm((worn - true)[seen], axis=1)))


def mesh_flow(now: Floats, before: Floats, triangles: Indices, height: int, width: int) -> tuple[Floats, Mask]:
    """The flow between two positions of a face's points (478, 3) as `flow` has it, and where the face is: (h, w)."""
    moved = np.zeros((height, width, 2), np.float32)
    depth = empty_depth(height, width)
    count = int(triangles.max()) + 1
    values = np.ascontiguousarray(before[:count, :2] - now[:count, :2], np.float32)
    interpolate(np.ascontiguousarray(now[:count], np.float32), triangles, values, moved, depth)
    return moved, np.asarray(depth < FAR, np.bool_)
