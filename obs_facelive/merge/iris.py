"""The colour of eyes: read from a picture, and put on live eyes that stay as they are otherwise."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from obs_facelive.frame import Face, Floats, Pixels, Plane
from obs_facelive.known_faces import KnownFaces
from obs_facelive.mask.face import fill
from obs_facelive.swap.crossfade import Fade
from obs_facelive.swap.expression import follow
from obs_facelive.swap.light import LUMA, log_odds
from obs_facelive.topology import LEFT_EYE, LEFT_IRIS, RIGHT_EYE, RIGHT_IRIS, Indices

EYES = ((RIGHT_IRIS, RIGHT_EYE), (LEFT_IRIS, LEFT_EYE))
PUPIL, RIM = 0.45, 0.9
"""Where colour is read, in radii of the iris: between the pupil and the dark ring around the iris."""
SMALLEST = 2.0
"""Radius in pixels of an iris below which there is no colour to be seen."""
BRIGHTNESS = 0.5
"""Share of the difference in brightness that goes over: a light grey with brown's hue alone would be a yellow."""
PALER = 0.9
"""How much paler a colour becomes, by log-odds that it is made brighter by: at middle brightness it is strongest."""
MOST = 1.0
"""Log-odds that a channel's hue changes by at the most."""
QUICK = 1.0
"""Seconds in which what is known of the live iris follows its picture."""
AGAIN = 0.1
"""Seconds after which an eye's own colour is looked at anew."""
FORGET = 2.0
"""Seconds after which an iris that was not seen is read afresh."""


def eye_closed(ring: Floats) -> float:
    """0 for an open eye to 1 for a closed one, from the ``ring`` of its lids (16, 2 or more)."""
    half = len(ring) // 2
    height = np.linalg.norm(ring[1:half, :2] - ring[:-half:-1, :2], axis=1).max()
    opened = float(height / (np.linalg.norm(ring[0] - ring[half]) + 1e-6))
    return min(max((0.28 - opened) / 0.16, 0.0), 1.0)


def iris_radius(points: Floats, iris: Indices) -> float:
    """Pixels from the centre of an iris to the points on its edge, as if seen from the front."""
    return float(np.linalg.norm(points[iris[1:], :2] - points[iris[0], :2], axis=1).max())


def read_iris(pixels: Pixels, points: Floats) -> Floats | None:
    """(3,) float32 log-odds of blue, green, red of the irises of a face with ``points`` (478, 3); None where none is seen.

    Away from pupil, rim and lids, without the brightest (highlights) and the darkest (lashes, reflections of the lids).
    """
    found = [colour for iris, ring in EYES if (colour := _iris_colour(pixels, points, iris, ring)) is not None]
    return np.asarray(np.mean(found, axis=0), np.float32) if found else None


def _iris_colour(pixels: Pixels, points: Floats, iris: Indices, ring: Indices) -> Floats | None:
    centre, radius = points[iris[0], :2], iris_radius(points, iris)
    if radius < SMALLEST or eye_closed(points[ring]) > 0.5:
        return None
    low = np.clip(np.floor(centre - radius), 0, pixels.shape[1::-1]).astype(int)
    high = np.clip(np.ceil(centre + radius) + 1, low, pixels.shape[1::-1]).astype(int)
    if not (high > low).all():
        return None
    lids = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    middle = points[ring, :2].mean(0)
    fill(lids, np.asarray((points[ring, :2] - middle) * np.float32(0.85) + middle - low, np.float32))
    y, x = np.mgrid[low[1] : high[1], low[0] : high[0]] + 0.5
    away = np.hypot(x - centre[0], y - centre[1]) / radius
    here = pixels[low[1] : high[1], low[0] : high[0], :3][(lids == 255) & (away > PUPIL) & (away < RIM)]
    if len(here) < 6:
        return None
    odds = log_odds(here.astype(np.float32))
    luma = odds @ LUMA
    dark, bright = np.percentile(luma, [15, 70])
    return np.asarray(odds[(luma >= dark) & (luma <= bright)].mean(0), np.float32)


class EyeColour:
    """Puts one persona's eye colour on live eyes; remembers each face's own to keep it steady.

    Parameters
    ----------
    colour : (3,) float32 log-odds of blue, green, red, as `read_iris` gives it
    """

    def __init__(self, colour: Floats) -> None:
        self._colour = colour
        self._known = KnownFaces[tuple[int, int], Floats](FORGET)
        self._before: tuple[EyeColour, Fade] | None = None

    def follow(self, before: EyeColour, fade: Fade) -> None:
        """Goes on with the faces that ``before`` knows, and from its colour to this one."""
        self._known, self._before = before._known, (before, fade)

    def colour(self, time: float) -> Floats:
        """(3,) float32 log-odds, the one that is put on at ``time``."""
        if self._before is None:
            return self._colour
        before, fade = self._before
        if fade.share(time) >= 1:
            self._before = None
            return self._colour
        return fade.mixed(before.colour(time), self._colour, time)

    def paint(
        self, out: Pixels, x: int, y: int, live: Plane, face: Face, time: float, pixels: Pixels, share: float
    ) -> None:
        """Changes ``out`` inside of the irises only.

        Parameters
        ----------
        out : (h, w, 4) uint8, its top left pixel lies on the frame's pixel ``x``, ``y``
        live : (h, w) uint8, 255 where ``out`` shows the live eyes
        pixels : the frame's, that the live colour is read from
        share : 0..1, how far the colour goes over
        """
        # Each eye for itself: one may lie in shade, or behind a reflection on glasses.
        for iris, ring in EYES:
            own, radius = self._own(pixels, face, iris, ring, time), iris_radius(face.points, iris)
            how = share * min(max(radius / SMALLEST - 1, 0.0), 1.0) * (1 - eye_closed(face.points[ring]))
            if own is not None and how > 0:
                column, row = face.points[iris[0], :2] - np.array([x, y], np.float32)
                shift = shift_between(own, self.colour(time))
                _paint(out, live, column, row, np.float32(radius), shift, own @ LUMA, np.float32(how))

    def _own(self, pixels: Pixels, face: Face, iris: Indices, ring: Indices, time: float) -> Floats | None:
        key = face.track, int(iris[0])
        recalled = self._known.recall(key, time)
        if recalled and recalled[1] < AGAIN:
            return recalled[0]
        colour = _iris_colour(pixels, face.points, iris, ring)
        if recalled:
            if colour is None:
                return recalled[0]
            colour = follow(recalled[0], colour, recalled[1], QUICK)
        if colour is not None:
            self._known.keep(key, time, colour)
        return colour


def shift_between(own: Floats, wanted: Floats) -> Floats:
    """(3,) float32 log-odds to be added to an iris of the colour ``own`` (3,) to give it the hue of ``wanted`` (3,)."""
    own_luma, luma = float(own @ LUMA), float(wanted @ LUMA)
    brightness = BRIGHTNESS * math.tanh(luma - own_luma)
    paler = math.exp(-PALER * max(own_luma + brightness - luma, 0.0))
    hue = (wanted - luma) * paler - (own - own_luma)
    return np.asarray(hue * min(1.0, MOST / (float(np.abs(hue).max()) + 1e-6)) + brightness, np.float32)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _paint(
    out: Pixels, live: Plane, column: float, row: float, radius: float, shift: Floats, middle: float, share: float
) -> None:
    """Adds ``shift`` to the log-odds of the disc at ``column``, ``row``; less where it is far brighter than ``middle``."""
    height, width = live.shape
    reach = radius * np.float32(1.03)
    for y in range(max(0, math.floor(row - reach)), min(height, math.ceil(row + reach))):
        for x in range(max(0, math.floor(column - reach)), min(width, math.ceil(column + reach))):
            away = math.hypot(np.float32(x) + np.float32(0.5) - column, np.float32(y) + np.float32(0.5) - row)
            part = min(max((reach - away) / (np.float32(0.3) * radius), np.float32(0)), np.float32(1))
            part *= np.float32(live[y, x]) / np.float32(255) * share
            if part <= 0:
                continue
            luma = (
                np.float32(0.114) * out[y, x, 0] + np.float32(0.587) * out[y, x, 1] + np.float32(0.299) * out[y, x, 2]
            )
            luma = min(max(luma, np.float32(4)), np.float32(251))
            # The white of the eye and the highlights are far brighter than the iris.
            white = (math.log(luma / (np.float32(255) - luma)) - middle - np.float32(0.5)) / np.float32(0.7)
            part *= np.float32(1) - min(max(white, np.float32(0)), np.float32(1))
            for k in range(3):
                gain, value = math.exp(part * shift[k]), np.float32(out[y, x, k])
                lit = gain * value * np.float32(255) / (np.float32(255) + (gain - np.float32(1)) * value)
                out[y, x, k] = np.uint8(min(max(lit + np.float32(0.5), np.float32(0)), np.float32(255)))
