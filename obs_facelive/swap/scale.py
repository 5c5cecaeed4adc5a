"""Swapping on a smaller picture: the swapper's work grows with the face's area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from obs_facelive.frame import Face, Frame, Layer
from obs_facelive.settings import Settings
from obs_facelive.swap import Swapper


def swap_at(scale: float, swapper: Swapper, frame: Frame, faces: Sequence[Face], settings: Settings) -> list[Layer]:
    """A layer on ``frame``'s own pixel grid for each face, made at ``scale`` (1.0 or 0.5)."""
    if scale == 1.0 or min(frame.width, frame.height) < 2:
        return [swapper.swap(frame, face, settings) for face in faces]
    size = frame.width // 2, frame.height // 2
    even = frame.pixels[: size[1] * 2, : size[0] * 2]
    small = replace(frame, pixels=np.asarray(cv2.resize(even, size, interpolation=cv2.INTER_AREA), np.uint8))
    layers = []
    for face in faces:
        layer = swapper.swap(small, replace(face, points=np.asarray(face.points * 0.5, np.float32)), settings)
        if layer.mask.size:
            doubled = layer.mask.shape[1] * 2, layer.mask.shape[0] * 2
            pixels, mask = (cv2.resize(p, doubled, interpolation=cv2.INTER_LINEAR) for p in (layer.pixels, layer.mask))
            layer = replace(
                layer,
                x=layer.x * 2,
                y=layer.y * 2,
                pixels=np.asarray(pixels, np.uint8),
                mask=np.asarray(mask, np.uint8),
            )
        layers.append(layer)
    return layers
