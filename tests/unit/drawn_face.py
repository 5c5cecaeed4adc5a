"""A face that is points and a picture, without any network: the canonical face on mottled skin."""

from __future__ import annotations

import cv2
import numpy as np

from obs_facelive.frame import Floats, Pixels
from obs_facelive.topology import LEFT_EYE, RIGHT_EYE, CanonicalFace

WIDTH, HEIGHT = 480, 480
SKIN = (120, 150, 200)


def face_points(canonical: CanonicalFace, scale: float = 15.0) -> Floats:
    """(478, 3) a frontal face in the middle of the picture, ``scale`` pixels to the centimetre."""
    face = canonical.xyz * np.array([1, -1, -1], np.float32) * np.float32(scale)
    irises = [np.repeat(face[ring].mean(axis=0)[None], 5, axis=0) for ring in (RIGHT_EYE, LEFT_EYE)]
    points = np.concatenate([face, *irises])
    points[:, :2] += np.array([WIDTH / 2, HEIGHT / 2]) - points[:, :2].mean(axis=0)
    return points.astype(np.float32)


def skin(seed: int = 0, tone: tuple[int, int, int] = SKIN, contrast: float = 5.0) -> Pixels:
    """(HEIGHT, WIDTH, 3) skin of ``tone``, mottled."""
    noise = np.random.default_rng(seed).normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 3)
    return np.clip(np.array(tone, np.float32) + (soft / soft.std() * contrast)[..., None], 0, 255).astype(np.uint8)


def shifted(picture: Pixels, x: float, y: float) -> Pixels:
    """``picture`` moved by so many pixels to the right and down, its edge repeated."""
    move = np.array([[1, 0, x], [0, 1, y]], np.float32)
    size = picture.shape[1], picture.shape[0]
    moved = cv2.warpAffine(picture, move, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)
