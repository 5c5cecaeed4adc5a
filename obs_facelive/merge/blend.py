"""The embedded merger: a soft oval, with the live eyes, the inside of the live mouth, and what lies in front of the face."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from numba import njit

from obs_facelive.frame import Face, Floats, Frame, Layer, Patch, Pixels, Plane
from obs_facelive.mask.face import opening, oval
from obs_facelive.mask.occlusion import over_frame
from obs_facelive.merge import Merger
from obs_facelive.merge.iris import EyeColour, eye_closed
from obs_facelive.merge.neck import Neck
from obs_facelive.settings import Settings
from obs_facelive.swap.crossfade import Fade
from obs_facelive.topology import LEFT_EYE, LIPS_INNER, MOUTH_CORNERS, RIGHT_EYE, CanonicalFace

GRAIN = 256
"""Side in pixels of the noise that is laid over a face, over and over."""
GRAIN_UNIT = 36
"""What its standard deviation is stored as."""


class Blend:
    """Blends a layer into the frame.

    Parameters
    ----------
    iris : the persona's, see `Persona.iris`; None leaves live eyes as they are
    """

    def __init__(self, canonical: CanonicalFace, iris: Floats | None = None) -> None:
        self._canonical = canonical
        noise = np.random.default_rng(1).normal(0, 1, (GRAIN, GRAIN)).astype(np.float32)
        noise += 0.25 * (np.roll(noise, 1, 0) + np.roll(noise, 1, 1))  # sensors and codecs smear theirs a little
        self._grain = np.asarray(np.clip(np.round(noise / noise.std() * GRAIN_UNIT), -127, 127), np.int8)
        self._neck = Neck()
        self._eyes = EyeColour(iris) if iris is not None else None

    def follow(self, before: Merger, fade: Fade) -> None:
        """See `Merger.follow`."""
        if isinstance(before, Blend):
            self._neck = before._neck
            if self._eyes and before._eyes:
                self._eyes.follow(before._eyes, fade)

    def merge(self, frame: Frame, face: Face, layer: Layer, settings: Settings) -> Patch:
        """The finished rectangle: the layer's, or that of the tinted neck as well; its outermost pixels are the frame's own."""
        height, width = layer.mask.shape
        below = frame.pixels[layer.y : layer.y + height, layer.x : layer.x + width]
        out = np.empty((height, width, 4), np.uint8)
        if not out.size:
            return Patch(layer.x, layer.y, out)
        cover = oval(face.points, layer.x, layer.y, width, height, settings.mask_size, settings.mask_softness)
        hole = np.zeros((height, width), np.uint8)
        across = _across(face.points)
        if settings.keep_eyes:
            for eye in (RIGHT_EYE, LEFT_EYE):
                # A closing eye keeps its own lashes: the persona's, drawn for an open eye, would be a second line.
                grow = across * 0.02 * eye_closed(face.points[eye])
                opening(hole, face.points[eye, :2], layer.x, layer.y, across * 0.006, grow)
        if settings.keep_mouth and _gap(face.points) > 0.012:
            opening(hole, _between_lips(face.points), layer.x, layer.y, across * 0.006)
        hidden = None
        if settings.occlusion:
            hidden = over_frame(frame, face, self._canonical, layer.x, layer.y, width, height)
        if hidden is not None:
            free = np.asarray(255 - cv2.convertScaleAbs(hidden, alpha=settings.occlusion / 100), np.uint8)
            cover = np.asarray(cv2.multiply(cover, free, scale=1 / 255), np.uint8)
        around: Patch | None = None
        if settings.match_neck:
            around = self._neck.tinted(frame, face, layer, hole, settings.match_neck / 100)
            below = around.pixels[layer.y - around.y :, layer.x - around.x :][:height, :width]
        # The same frame has the same grain, however often it is merged.
        corner = (frame.id * 89 + layer.x) % GRAIN, (frame.id * 157 + layer.y) % GRAIN
        _blend(below, layer.pixels, layer.mask, cover, hole, self._grain, corner, layer.grain, out)
        if self._eyes and settings.keep_eyes:
            if hidden is not None:
                hole = np.asarray(cv2.multiply(hole, free, scale=1 / 255), np.uint8)
            self._eyes.paint(out, layer.x, layer.y, hole, face, frame.time, frame.pixels, settings.eye_colour / 100)
        if around:
            below[:] = out
        return _faded(around or Patch(layer.x, layer.y, out), frame, settings.opacity / 100)


def _faded(patch: Patch, frame: Frame, opacity: float) -> Patch:
    """``patch`` with ``opacity`` (0..1) over ``frame``."""
    if opacity == 1:
        return patch
    height, width = patch.pixels.shape[:2]
    own = frame.pixels[patch.y : patch.y + height, patch.x : patch.x + width]
    mixed = cv2.addWeighted(np.ascontiguousarray(own), 1 - opacity, patch.pixels, opacity, 0)
    return Patch(patch.x, patch.y, np.asarray(mixed, np.uint8))


def _across(points: Floats) -> float:
    """Distance between the temples in pixels, as if seen from the front."""
    return float(np.linalg.norm(points[454] - points[234]))


def _gap(points: Floats) -> float:
    """How far the lips are apart, in widths of the face."""
    return float(np.linalg.norm(points[13, :2] - points[14, :2])) / max(_across(points), 1e-3)


def _between_lips(points: Floats) -> Floats:
    """The ring inside the lips, without the mouth's corners: there the live lips would be seen."""
    ring = points[LIPS_INNER, :2]
    middle = ring.mean(0)
    across = points[MOUTH_CORNERS[1], :2] - points[MOUTH_CORNERS[0], :2]
    across /= float(np.linalg.norm(across)) + 1e-6
    return np.asarray(ring - 0.22 * ((ring - middle) @ across)[:, None] * across, np.float32)


@njit(cache=True, nogil=True, fastmath=True)
def _blend(
    below: Pixels,
    above: Pixels,
    mask: Plane,
    cover: Plane,
    hole: Plane,
    noise: npt.NDArray[np.int8],
    corner: tuple[int, int],
    grain: float,
    out: Pixels,
) -> None:
    height, width = mask.shape
    unit = np.float32(1 / 255**3)
    level = np.float32(grain / GRAIN_UNIT)
    for y in range(height):
        edge_row = y == 0 or y == height - 1
        noise_row = noise[(y + corner[1]) % GRAIN]
        for x in range(width):
            share = np.int32(mask[y, x]) * np.int32(cover[y, x]) * np.int32(255 - hole[y, x])
            if edge_row or x == 0 or x == width - 1:
                share = np.int32(0)
            alpha = np.float32(share) * unit
            speck = level * noise_row[(x + corner[0]) % GRAIN] * alpha
            for k in range(3):
                under = np.float32(below[y, x, k])
                value = under + (np.float32(above[y, x, k]) - under) * alpha + speck
                out[y, x, k] = np.uint8(min(max(value + np.float32(0.5), np.float32(0)), np.float32(255)))
            out[y, x, 3] = below[y, x, 3]
