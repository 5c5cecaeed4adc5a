"""What lies in front of a face: hands, hair, glasses, a microphone. A small network looks at the face laid out flat.

It sees the live face and the memory of it: what passes in front of a face is no part of it, even where it has its colour.
Trained by `tools.occlusion`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numba import njit

from obs_facelive.catalog import model_file
from obs_facelive.frame import Face, Floats, Frame, Pixels, Plane, Surface
from obs_facelive.known_faces import KnownFaces
from obs_facelive.runtime.providers import Where
from obs_facelive.runtime.session import open_session
from obs_facelive.surface import FINE, SIZE, Unwrapper
from obs_facelive.swap.raster import facing, project
from obs_facelive.topology import CanonicalFace

FILE = "face_occlusion.onnx"
FORGET = 1.0
"""Seconds after which a face that was not seen is known no more."""
_LEARN = 2.0
"""Seconds in which the memory follows what is seen of a face (time constant)."""
_CALM = 0.02
"""The same for what hides it: too short to be seen, long enough to take the tremble out of an edge."""
MOST_HIDDEN = 0.66
"""Share of the face's middle from which on it is not known any more whether there is a face behind."""
_SHARPEN = 0.2, 0.5
"""The network's answers that count as free and as hidden; between them lies the soft edge."""


def network_input(live: Pixels, memory: Pixels, seen: Floats) -> Floats:
    """(7, SIZE, SIZE) float32: what the network sees.

    Parameters
    ----------
    live, memory : (SIZE, SIZE, 3) uint8 BGR, the face now and as it is known, laid out flat
    seen : (SIZE, SIZE) float32 0..1, how far the surface looks into the camera
    """
    part = memory[SIZE // 4 : SIZE * 3 // 4 : 2, SIZE // 4 : SIZE * 3 // 4 : 2]
    middle = np.asarray(np.median(part.reshape(-1, 3), axis=0), np.float32)[:, None, None]
    out = np.empty((7, SIZE, SIZE), np.float32)
    np.subtract(live.transpose(2, 0, 1), middle, out=out[:3])
    np.subtract(memory.transpose(2, 0, 1), middle, out=out[3:6])
    out[:6] *= np.float32(1 / 64)
    out[6] = seen
    return out


@dataclass(slots=True)
class _Known:
    """What is known of one tracked face: its memory as (SIZE, SIZE, 3) float32, and what hid it last."""

    memory: Floats
    hidden: Floats


class Occlusion:
    """Lays faces out flat and finds what hides them; knows each tracked face."""

    def __init__(self, models: Path, canonical: CanonicalFace, where: Where = "cpu") -> None:
        self._session = open_session(model_file(models, FILE), where)
        self._canonical = canonical
        self._fine, self._coarse = Unwrapper(canonical, FINE), Unwrapper(canonical, SIZE)
        # The network has seen faces from the front: the near cheek of a turned one is no stranger than theirs.
        front = facing(np.asarray(canonical.xyz * [1, -1, -1], np.float32), canonical.triangles)
        self._front = self._coarse.spread(np.clip(front, 0, 1))
        self._some = np.flatnonzero(self._coarse.inside)[::13]
        self._faces = KnownFaces[int, _Known](FORGET)

    def look(self, frame: Frame, face: Face, search: bool = True, again: bool = True) -> Surface:
        """The surface of ``face`` in ``frame``.

        ``search`` False: nobody wants to know what hides it. ``again`` False: what is known from the last frame will do.
        """
        live = self._fine.unwrap(frame.pixels, face.points)
        if not search:
            return Surface(live, np.zeros((SIZE, SIZE), np.uint8))
        recalled = self._faces.recall(face.track, frame.time)
        if recalled and not again:
            return Surface(live, _plane(recalled[0].hidden))
        small = np.asarray(cv2.resize(live, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.uint8)
        visible = np.clip(facing(face.points[: len(self._canonical.uv)], self._canonical.triangles), 0, 1)
        seen = self._coarse.spread(visible)
        known, elapsed = recalled or (_Known(small.astype(np.float32), np.zeros((SIZE, SIZE), np.float32)), 0.0)
        # A lamp that is switched on changes all of a face, and hides nothing of it.
        some = self._some[known.hidden.ravel()[self._some] < 0.5]
        change = small.reshape(-1, 3)[some] - known.memory.reshape(-1, 3)[some]
        lamp = np.clip(np.median(change, axis=0), -40, 40) if len(some) else np.zeros(3)
        memory = np.clip(known.memory + np.asarray(lamp, np.float32), 0, 255)
        image = network_input(small, np.asarray(memory + 0.5, np.uint8), np.minimum(seen, self._front))
        (answer,) = self._session.run(["hidden"], {"image": image[None]})
        hidden = answer[0, 0] * np.clip(seen * 4 - 0.2, 0, 1) * (1 - self._own_skin(small, memory))
        hidden = np.asarray(hidden, np.float32)
        if elapsed > 0:
            hidden = known.hidden + (hidden - known.hidden) * np.float32(1 - math.exp(-elapsed / _CALM))
        learn = ((1 - hidden) * seen)[..., None] * np.float32(1 - math.exp(-elapsed / _LEARN))
        memory += (small - memory) * learn
        self._faces.keep(face.track, frame.time, _Known(memory, hidden))
        return Surface(live, _plane(hidden))

    def _own_skin(self, live: Pixels, memory: Floats) -> Floats:
        """(SIZE, SIZE) float32 0..1: where ``live`` is as it was remembered, and has the colour of the face's skin.

        What is there all the time and looks like skin is skin, however pale and smooth the light makes it.
        """
        middle = np.asarray(np.median(memory.reshape(-1, 3)[self._some], axis=0), np.float32)
        change, like = np.empty((SIZE, SIZE), np.float32), np.empty((SIZE, SIZE), np.float32)
        _compare(cv2.blur(live, (3, 3)), cv2.blur(memory, (3, 3)), middle, change, like)
        # Somewhere a hand has the very colour of the cheek behind it, but not all over.
        change = np.asarray(cv2.dilate(change, np.ones((11, 11), np.uint8)), np.float32)
        return np.asarray(like * np.clip((28 - change) * np.float32(0.1), 0, 1), np.float32)


def hidden_share(surface: Surface) -> float:
    """0..1: how much of the middle of the face, brows to chin, is hidden."""
    part = surface.hidden[SIZE // 4 : SIZE * 3 // 4, SIZE // 4 : SIZE * 3 // 4]
    return float((part > 127).mean())


def _plane(hidden: Floats) -> Plane:
    low, high = _SHARPEN
    return np.asarray(np.clip((hidden - low) * (255 / (high - low)), 0, 255), np.uint8)


def over_frame(
    frame: Frame, face: Face, canonical: CanonicalFace, x: int, y: int, width: int, height: int
) -> Plane | None:
    """(height, width) uint8, 255 where ``face`` is hidden, from pixel x, y of ``frame`` on; None where nothing hides it.

    The network's coarse answer is drawn onto the picture, and its edges are moved onto the picture's own by a guided filter
    (K. He, J. Sun, X. Tang, Guided image filtering, ECCV 2010), at half the picture's size (K. He, J. Sun, Fast guided
    filter, arXiv 1505.00996).
    """
    surface = face.surface
    if surface is None or not surface.hidden.any() or width < 4 or height < 4:
        return None
    half = max(2, width // 2), max(2, height // 2)
    scale = np.array([half[0] / width, half[1] / height, 1], np.float32)
    points = ((face.points[: len(canonical.uv)] - np.array([x, y, 0], np.float32)) * scale).astype(np.float32)
    coarse = np.zeros((half[1], half[0]), np.uint8)
    project(points, canonical.triangles, canonical.uv, surface.hidden, coarse)
    if not coarse.any():
        return None
    part = frame.pixels[y : y + height, x : x + width]
    guide = cv2.cvtColor(cv2.resize(part, half, interpolation=cv2.INTER_AREA), cv2.COLOR_BGRA2GRAY)
    radius = max(1, round(0.018 * float(np.ptp(points[:, 0]))))
    unit = np.float32(1 / 255)
    fine = _guided(
        np.multiply(guide, unit, dtype=np.float32), np.multiply(coarse, unit, dtype=np.float32), 2 * radius + 1
    )
    large = cv2.resize(
        np.asarray(np.clip((fine - _EDGE[0]) * (1 / (_EDGE[1] - _EDGE[0])), 0, 1) * 255, np.uint8),
        (width, height),
        interpolation=cv2.INTER_LINEAR,
    )
    return np.asarray(large, np.uint8)


_EDGE = 0.15, 0.5
"""The guided filter's answers that count as free and as hidden: it fades things that are thinner than its window."""
_SMOOTH = 1e-3
"""Variance of the guide, of brightness 0..1, from which on an edge of the picture is one of the mask's, too."""


def _guided(guide: Floats, mask: Floats, side: int) -> Floats:
    def mean(picture: Floats) -> Floats:
        return np.asarray(cv2.blur(picture, (side, side)), np.float32)

    guide_mean, mask_mean = mean(guide), mean(mask)
    slope = (mean(guide * mask) - guide_mean * mask_mean) / (mean(guide * guide) - guide_mean**2 + np.float32(_SMOOTH))
    return mean(slope) * guide + mean(mask_mean - slope * guide_mean)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _compare(live: Pixels, memory: Floats, middle: Floats, change: Floats, like: Floats) -> None:
    """For each texel of ``live`` how far it is from ``memory`` (levels), and how much it looks like skin of ``middle`` (0..1).

    Compared is chroma by brightness: the same in light and shadow, less where the camera comes near to white.
    """
    usual = (
        np.float32(0.114) * middle[0] + np.float32(0.587) * middle[1] + np.float32(0.299) * middle[2] + np.float32(1)
    )
    usual_b, usual_g, usual_r = (middle[0] - usual) / usual, (middle[1] - usual) / usual, (middle[2] - usual) / usual
    power = usual_b * usual_b + usual_g * usual_g + usual_r * usual_r + np.float32(1e-6)
    for y in range(live.shape[0]):
        for x in range(live.shape[1]):
            b, g, r = np.float32(live[y, x, 0]), np.float32(live[y, x, 1]), np.float32(live[y, x, 2])
            change[y, x] = max(abs(b - memory[y, x, 0]), abs(g - memory[y, x, 1]), abs(r - memory[y, x, 2]))
            bright = np.float32(0.114) * b + np.float32(0.587) * g + np.float32(0.299) * r + np.float32(1)
            b, g, r = (b - bright) / bright, (g - bright) / bright, (r - bright) / bright
            share = min(max((b * usual_b + g * usual_g + r * usual_r) / power, np.float32(0.5)), np.float32(1.3))
            apart = max(abs(b - share * usual_b), abs(g - share * usual_g), abs(r - share * usual_r))
            hue = min(max((np.float32(0.2) - apart) * np.float32(10), np.float32(0)), np.float32(1))
            lit = min(max((bright / usual - np.float32(0.5)) * np.float32(5), np.float32(0)), np.float32(1))
            like[y, x] = hue * lit
