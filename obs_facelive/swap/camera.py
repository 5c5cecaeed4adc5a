"""What the camera does to a face, so that the same can be done to the persona: haze, softness, detail and grain."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass

import cv2
import numpy as np

from obs_facelive.frame import Floats, Pixels
from obs_facelive.swap.expression import follow

STEP = 1.2
"""Ratio of the texture sizes that are kept ready."""
BLURS = (0.0, 0.15, 0.3, 0.4)
"""Blurs in texels that are kept ready: drawing softens a little, too."""
_WELL_LIT = 190.0
"""Level that the brightest parts of a picture reach in a lit room, and a camera's own exposure takes care that they do."""
MAX_HAZE = 60.0
LEAST_DETAIL = 0.5
"""Share of its detail that a persona's skin keeps in any picture."""
KEPT = 12
"""Textures that are kept ready."""
_PER_DETAIL = 320
"""Steps of the detail for one log-odd."""
PATCH = 128
"""Side in pixels of the part that softness is judged by."""


@dataclass(frozen=True, slots=True)
class Camera:
    """How the camera shows a face.

    Attributes
    ----------
    haze : 0..60, the brightness that black has in the picture
    softness : 0 (every pixel is sharp) to 1 (the finest details are missing)
    grain : standard deviation of the sensor's noise, in levels
    exposure : <= 0, log-odds by which the picture's brightest parts are darker than in a well-lit room
    detail : how strong pores, spots and fine lines of the skin are, see `detail_of`
    """

    haze: float
    softness: float
    grain: float
    exposure: float
    detail: float

    def towards(self, new: Camera, elapsed: float, quick: float) -> Camera:
        """The camera, moved towards ``new`` as far as ``elapsed`` seconds bring it with the time constant ``quick``."""
        return Camera(*(follow(a, b, elapsed, quick) for a, b in zip(astuple(self), astuple(new), strict=True)))


def look(pixels: Pixels, points: Floats) -> Camera:
    """How the camera shows the face with ``points`` (n, 2 or more) in ``pixels`` (h, w, 3 or 4)."""
    height, width = pixels.shape[:2]
    low = np.clip(points[:, :2].min(0).astype(int), 0, [width - 1, height - 1])
    high = np.clip(points[:, :2].max(0).astype(int) + 1, low + 1, [width, height])
    stride = max(1, (high[0] - low[0]) // 64)
    # Green stands for brightness.
    dark = float(np.percentile(pixels[low[1] : high[1] : stride, low[0] : high[0] : stride, 1], 1))
    middle = (low + high) // 2
    first, last = np.maximum(middle - PATCH // 2, low), np.minimum(middle + PATCH // 2, high)
    part = np.ascontiguousarray(pixels[first[1] : last[1], first[0] : last[0], 1]).astype(np.float32)
    fine = cv2.GaussianBlur(part, (0, 0), 0.7)
    coarse = cv2.GaussianBlur(part, (0, 0), 1.4)
    # Pictures that are sharp to the pixel have about as much detail in the finest octave as in the next; soft ones two thirds.
    slope = float((part - fine).std()) / (float((fine - coarse).std()) + 1e-3)
    haze, softness = min(max(dark - 20.0, 0.0) * 0.8, MAX_HAZE), min(max((1.05 - slope) / 0.4, 0.0), 1.0)
    grain = grain_of(part)
    return Camera(haze, softness, grain, _exposure(pixels), detail_of(part, grain))


def _exposure(pixels: Pixels) -> float:
    height, width = pixels.shape[:2]
    some = pixels[:: max(1, height // 48), :: max(1, width // 64), 1]
    brightest = min(max(float(np.percentile(some, 97)), 10.0), _WELL_LIT)
    return math.log(brightest / (255 - brightest)) - math.log(_WELL_LIT / (255 - _WELL_LIT))


_LAPLACIANS = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_BLOCK = 16
_FLATTEST = 30
"""Percentile of the blocks that are taken for flat: in the others, detail is counted as noise."""


def detail_of(plane: Floats, grain: float) -> float:
    """Log-odds (mean, absolute) of the detail between 1 and 3 pixels (Gaussian widths) in the flatter parts of ``plane``.

    ``plane`` (h, w) has levels 0..255, and noise with the standard deviation ``grain``, which does not count.
    """
    band = np.abs(cv2.GaussianBlur(plane, (0, 0), 1.0) - (broad := cv2.GaussianBlur(plane, (0, 0), 3.0)))
    middle = min(max(float(broad.mean()) / 255, 0.03), 0.97)
    level = max(_flat(np.asarray(band, np.float32)) - 0.2 * grain, 0.0)
    return level / (255 * middle * (1 - middle))


def _flat(plane: Floats) -> float:
    """The mean of ``plane`` (h, w) in its lower blocks; 0 where it is too small to tell."""
    height, width = (n // _BLOCK for n in plane.shape)
    if not height or not width:
        return 0.0
    whole = plane[: height * _BLOCK, : width * _BLOCK]
    return float(np.percentile(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), _FLATTEST))


def grain_of(plane: Floats) -> float:
    """Standard deviation of the noise in ``plane`` (h, w), levels; 0 where it is too small to tell.

    J. Immerkær, Fast noise variance estimation, CVIU 64 (1996), over the flattest blocks only.
    """
    rough = np.abs(cv2.filter2D(plane, cv2.CV_32F, _LAPLACIANS))
    return _flat(np.asarray(rough, np.float32)) * math.sqrt(math.pi / 2) / 6


@dataclass(frozen=True, slots=True)
class Texture:
    """A persona's texture as a camera would show it.

    Attributes
    ----------
    pixels : (s, s, 3) uint8 BGR
    grain : see `Camera`; the texture's own
    """

    pixels: Pixels
    grain: float


class Textures:
    """One texture at the sizes, softnesses and details that are asked for.

    Parameters
    ----------
    texture : (s, s, 3) uint8 BGR
    skin : (s, s) float32 0..1, where it is bare skin: only there the detail is changed
    """

    def __init__(self, texture: Pixels, skin: Floats) -> None:
        self._texture, self._skin = texture, skin
        self._ready: dict[tuple[int, int, int], Texture] = {}

    def at(self, side: float, camera: Camera) -> Texture:
        """The texture about ``side`` texels wide, at the most its own size, as soft and with as much detail as ``camera``."""
        full = self._texture.shape[0]
        step = math.floor(math.log(full / max(side, 16.0), STEP)) if side < full else 0
        blur = round(camera.softness * (len(BLURS) - 1))
        key = (step, blur, _quantised(camera.detail))
        if key not in self._ready:
            if len(self._ready) >= KEPT:
                self._ready.clear()
            self._ready[key] = self._made(step, blur, key[2] / _PER_DETAIL, min(side, full))
        return self._ready[key]

    def _made(self, step: int, blur: int, detail: float, side: float) -> Texture:
        size = max(16, round(self._texture.shape[0] / STEP**step))
        sized = np.asarray(cv2.resize(self._texture, (size, size), interpolation=cv2.INTER_AREA), np.float32)
        skin = np.asarray(cv2.resize(self._skin, (size, size), interpolation=cv2.INTER_AREA), np.float32)
        width = BLURS[blur] * size / max(side, 16.0)
        soft = np.asarray(cv2.GaussianBlur(sized, (0, 0), width), np.float32) if width else sized
        quarter = slice(size // 4, size * 3 // 4)
        middle = np.ascontiguousarray(soft[quarter, quarter, 1])
        own = detail_of(middle, 0.0)
        keep = min(1.0, max(LEAST_DETAIL, detail / own)) if own else 1.0
        # Blurred over skin only, so that brows and lips do not run out into it; on a small face less, to keep its features.
        fine = min(3.5, 0.012 * size)
        weights = cv2.GaussianBlur(skin, (0, 0), fine)[..., None] + np.float32(1e-3)
        broad = cv2.GaussianBlur(soft * skin[..., None], (0, 0), fine) / weights
        soft = soft + (broad - soft) * skin[..., None] * np.float32(1 - keep)
        pixels = np.asarray(np.clip(soft + 0.5, 0, 255), np.uint8)
        return Texture(pixels, grain_of(np.asarray(pixels[quarter, quarter, 1], np.float32)))


def _quantised(detail: float) -> int:
    return min(round(detail * _PER_DETAIL), 24)
