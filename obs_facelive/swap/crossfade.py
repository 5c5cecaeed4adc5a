"""One persona becoming another on the same live face: both are made, and their layers mixed before they are blended in."""

from __future__ import annotations

import numpy as np
from numba import njit

from obs_facelive.frame import Face, Floats, Frame, Layer, Pixels, Plane
from obs_facelive.settings import Settings
from obs_facelive.swap import Swapper


class Fade:
    """How far one persona has become another: begins with the first frame that asks, and ends ``seconds`` later.

    Frames' times go in, as `Frame.time`; it begins and ends without a jerk.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._began: float | None = None

    def share(self, time: float) -> float:
        """0 (only the old one) to 1 (only the new one) for the frame at ``time``."""
        if self._seconds <= 0:
            return 1.0
        if self._began is None:
            self._began = time
        x = min(max((time - self._began) / self._seconds, 0.0), 1.0)
        return x * x * (3 - 2 * x)

    def end(self) -> None:
        """From now on, there is only the new one."""
        self._seconds = 0.0

    def mixed(self, old: Floats, new: Floats, time: float) -> Floats:
        """Numbers of both, for the frame at ``time``."""
        return np.asarray(old + (new - old) * np.float32(self.share(time)), np.float32)


class Crossfade:
    """A swapper that is ``old`` at first and ``new`` in the end; lets go of ``old`` then."""

    def __init__(self, old: Swapper, new: Swapper, fade: Fade) -> None:
        self._old: Swapper | None = old
        self._new, self._fade = new, fade

    def swap(self, frame: Frame, face: Face, settings: Settings) -> Layer:
        """Both personas in place of ``face``, mixed as far as the frame's time says."""
        old, share = self._old, self._fade.share(frame.time)
        if old is None or share >= 1:
            self._old = None
            return self._new.swap(frame, face, settings)
        before = old.swap(frame, face, settings)
        # The new one from the first moment on, so that it has seen the room's light before it is seen.
        return mix(before, self._new.swap(frame, face, settings), share)


def mix(old: Layer, new: Layer, share: float) -> Layer:
    """``share`` (0..1) of ``new`` over the rest of ``old``, as large as both together."""
    x, y = min(old.x, new.x), min(old.y, new.y)
    right = max(old.x + old.mask.shape[1], new.x + new.mask.shape[1])
    bottom = max(old.y + old.mask.shape[0], new.y + new.mask.shape[0])
    a, b = (_within(layer, x, y, right - x, bottom - y) for layer in (old, new))
    pixels, mask = np.empty_like(a.pixels), np.empty_like(a.mask)
    if mask.size:
        _mix(a.pixels, a.mask, b.pixels, b.mask, np.float32(share), pixels, mask)
    return Layer(x, y, pixels, mask, old.grain + (new.grain - old.grain) * share)


def _within(layer: Layer, x: int, y: int, width: int, height: int) -> Layer:
    high, wide = layer.mask.shape
    if (layer.x, layer.y, wide, high) == (x, y, width, height):
        return layer
    pixels, mask = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8)
    pixels[layer.y - y :, layer.x - x :][:high, :wide] = layer.pixels
    mask[layer.y - y :, layer.x - x :][:high, :wide] = layer.mask
    return Layer(x, y, pixels, mask, layer.grain)


@njit(cache=True, nogil=True, fastmath=True)
def _mix(old: Pixels, old_mask: Plane, new: Pixels, new_mask: Plane, share: float, pixels: Pixels, mask: Plane) -> None:
    """Colours weighted by their masks: where one of them has nothing, it is not mixed in as black."""
    height, width = mask.shape
    for y in range(height):
        for x in range(width):
            a = (np.float32(1) - share) * np.float32(old_mask[y, x])
            b = share * np.float32(new_mask[y, x])
            mask[y, x] = np.uint8(a + b + np.float32(0.5))
            part = b / (a + b) if a + b > 0 else np.float32(0)
            for k in range(3):
                under = np.float32(old[y, x, k])
                pixels[y, x, k] = np.uint8(under + (np.float32(new[y, x, k]) - under) * part + np.float32(0.5))
