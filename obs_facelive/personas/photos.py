"""Photos of people: out of files that anybody may have made, and into files that say nothing but their pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from obs_facelive.files import read_at_most
from obs_facelive.frame import Pixels
from obs_facelive.image import ImageError, decode_image
from obs_facelive.image_size import MAX_BYTES, check_image
from obs_facelive.personas.errors import PersonaError

PHOTO_SIDE: Final = 2048
"""Pixels of the longer side of a photo that is kept."""


def open_photo(path: Path) -> Pixels:
    """The photo at ``path``, upright, (h, w, 3) uint8 BGR. Raises `PersonaError`, in words for people."""
    try:
        content = read_at_most(path, MAX_BYTES)
    except OSError as error:
        raise PersonaError(f"{path.name} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise PersonaError(f"{path.name} cannot be read: {error}") from error
    return _unpacked(content, path.name)


def read_photo(content: bytes, name: str) -> Pixels:
    """The picture in a JPEG file of a persona, (h, w, 3) BGR; ``name`` is what messages call it. Raises `PersonaError`."""
    try:
        if content[:2] != b"\xff\xd8":
            raise ValueError("it is no JPEG")
        check_image(content, PHOTO_SIDE)
    except ValueError as error:
        raise PersonaError(f"the picture {name} cannot be used: {error}") from error
    return _unpacked(content, name)


def photo_file(photo: Pixels) -> bytes:
    """``photo`` (h, w, 3) BGR as a JPEG that says nothing but its pixels, at most `PHOTO_SIDE` a side."""
    _, encoded = cv2.imencode(".jpg", limited(photo)[..., :3], [cv2.IMWRITE_JPEG_QUALITY, 92])
    return encoded.tobytes()


def limited(photo: Pixels) -> Pixels:
    """``photo`` with at most `PHOTO_SIDE` pixels a side."""
    shrink = PHOTO_SIDE / max(photo.shape[:2])
    if shrink >= 1:
        return photo
    return np.asarray(cv2.resize(photo, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)


def _unpacked(content: bytes, name: str) -> Pixels:
    try:
        return np.ascontiguousarray(decode_image(content, name)[..., :3])
    except ImageError as error:
        raise PersonaError(f"{error}: use another picture") from error
