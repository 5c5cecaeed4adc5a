"""What the person looks at while setting up: landmarks, the mask, side by side."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from obs_facelive.frame import Face, Frame, Patch, Pixels

View = Literal["result", "landmarks", "mask", "side"]


def compose(frame: Frame, patches: list[Patch]) -> Pixels:
    """The finished picture, (h, w, 4) uint8 BGRA: ``frame`` with ``patches`` on it."""
    picture = frame.pixels.copy()
    for patch in patches:
        height, width = patch.pixels.shape[:2]
        picture[patch.y : patch.y + height, patch.x : patch.x + width] = patch.pixels
    return picture


def view(how: View, frame: Frame, faces: list[Face], patches: list[Patch]) -> list[Patch]:
    """``patches`` as the view ``how`` shows them."""
    if how == "side":
        return [_side_by_side(frame, patches)]
    if how == "mask":
        return [_mask(frame, patch) for patch in patches]
    if how == "landmarks":
        return [_landmarks(face, patch) for face, patch in zip(faces, patches, strict=True)]
    return patches


def _side_by_side(frame: Frame, patches: list[Patch]) -> Patch:
    """The camera's left half beside the result's left half would cut the face: both are shown whole, at half the size."""
    half = (frame.width // 2, frame.height // 2)
    both = [cv2.resize(p, half, interpolation=cv2.INTER_AREA) for p in (frame.pixels, compose(frame, patches))]
    picture = np.zeros_like(frame.pixels)
    picture[..., 3] = 255
    top = frame.height // 4
    picture[top : top + half[1], : 2 * half[0]] = np.hstack(both)
    return Patch(0, 0, picture)


def _mask(frame: Frame, patch: Patch) -> Patch:
    """Green where the picture differs from the camera's."""
    height, width = patch.pixels.shape[:2]
    raw = frame.pixels[patch.y : patch.y + height, patch.x : patch.x + width]
    changed = cv2.absdiff(raw, patch.pixels)[..., :3].max(axis=2) > 0
    pixels = patch.pixels.copy()
    pixels[changed, 1] = 255
    return Patch(patch.x, patch.y, pixels)


def _landmarks(face: Face, patch: Patch) -> Patch:
    pixels = patch.pixels.copy()
    for x, y in np.floor(face.points[:, :2]).astype(int) - (patch.x, patch.y):
        cv2.circle(pixels, (int(x), int(y)), 1, (0, 255, 0, 255), cv2.FILLED)
    return Patch(patch.x, patch.y, pixels)
