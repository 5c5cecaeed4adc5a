"""Still images in files, whoever made them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from obs_facelive.files import read_at_most
from obs_facelive.frame import Pixels
from obs_facelive.image_size import MAX_BYTES, check_image

IMAGES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


class ImageError(Exception):
    """A file is no image that can be read; the text says why, for people."""


def read_image(path: Path) -> Pixels:
    """An image, upright, (h, w, 4) uint8 BGRA. Raises `ImageError`."""
    try:
        content = read_at_most(path, MAX_BYTES)  # OpenCV's own reading fails on names beyond ASCII on Windows
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ImageError(f"{path} cannot be read as an image: {error}") from error
    return decode_image(content, str(path))


def decode_image(content: bytes, name: str) -> Pixels:
    """The image in a file's ``content``, upright, (h, w, 4) uint8 BGRA; ``name`` says which. Raises `ImageError`."""
    try:
        check_image(content)
        array = np.frombuffer(content, np.uint8)
        image = cv2.imdecode(array, cv2.IMREAD_UNCHANGED)
        if image is not None and (image.ndim < 3 or image.shape[2] < 4 or image.dtype not in (np.uint8, np.uint16)):
            image = cv2.imdecode(array, cv2.IMREAD_COLOR)  # 8 bits, turned upright as EXIF says
    except ValueError as error:
        raise ImageError(f"{name} cannot be read as an image: {error}") from error
    except cv2.error as error:
        raise ImageError(f"{name} cannot be read as an image: {error.err}") from error
    if image is None:
        raise ImageError(f"{name} cannot be read as an image")
    if image.shape[2] == 3:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2BGRA)
    return np.ascontiguousarray(image // 257 if image.dtype == np.uint16 else image, np.uint8)


def write_image(path: Path, pixels: Pixels) -> None:
    """Writes (h, w, 4) BGRA as the kind of image that the name says. Raises `OSError`."""
    opaque = bool((pixels[..., 3] == 255).all())
    _, content = cv2.imencode(path.suffix, pixels[..., :3] if opaque else pixels)  # JPEG: OpenCV's quality of 95
    content.tofile(path)
