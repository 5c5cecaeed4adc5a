"""Something in front of a face, the face that it is made for, and the forms that such things are drawn of."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from obs_facelive.frame import Floats, Pixels
from obs_facelive.topology import CHIN, FOREHEAD, NOSE_TIP

Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Occluder:
    """Something to be laid over a picture.

    Attributes
    ----------
    pixels : (h, w, 3) float32 BGR 0..255
    alpha : (h, w) float32 0..1
    """

    pixels: Floats
    alpha: Floats


@dataclass(frozen=True, slots=True)
class Place:
    """The face that an occluder is made for.

    Attributes
    ----------
    points : (478, 3) float32, pixels
    side : of the square picture
    skin : (3,) float32 BGR, the face's own
    scrap : (side, side, 3) uint8 BGR, a picture to cut textures from
    """

    points: Floats
    side: int
    skin: Floats
    scrap: Pixels

    @property
    def size(self) -> float:
        """Forehead to chin."""
        return float(np.linalg.norm(self.points[CHIN, :2] - self.points[FOREHEAD, :2]))

    def somewhere(self, random: Random, spread: float = 0.45) -> Floats:
        """(2,) a place on or near the face."""
        return np.asarray(self.points[NOSE_TIP, :2] + random.normal(0, spread * self.size, 2), np.float32)


def fill(side: int, polygon: Floats) -> Floats:
    """(side, side) 0..1: a polygon (n, 2)."""
    plane = np.zeros((side, side), np.uint8)
    cv2.fillPoly(plane, [np.round(polygon * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return np.asarray(plane, np.float32) / np.float32(255)


def capsule(side: int, start: Floats, end: Floats, thick: float, thin: float) -> Floats:
    """A thick line with round ends, ``thick`` and ``thin`` the radii at its ends."""
    along = math.atan2(float(end[1] - start[1]), float(end[0] - start[0]))
    first = along + math.pi / 2 + np.linspace(0, math.pi, 12)
    last = along - math.pi / 2 + np.linspace(0, math.pi, 12)
    corners = [start + thick * np.column_stack([np.cos(first), np.sin(first)])]
    corners += [end + thin * np.column_stack([np.cos(last), np.sin(last)])]
    return fill(side, np.vstack(corners).astype(np.float32))


def rounded(alpha: Floats, radius: float, light: float) -> Floats:
    """(h, w) brightness of a body that bulges towards the viewer, lit from the direction ``light``."""
    inside = cv2.distanceTransform((alpha > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    height = np.sqrt(np.clip(1 - (1 - np.clip(inside / max(radius, 1), 0, 1)) ** 2, 0, 1)).astype(np.float32)
    height = cv2.GaussianBlur(height, (0, 0), max(1.0, radius * 0.15))
    slope_x, slope_y = cv2.Sobel(height, cv2.CV_32F, 1, 0), cv2.Sobel(height, cv2.CV_32F, 0, 1)
    slope = (slope_x * math.cos(light) + slope_y * math.sin(light)) * radius / 8
    return np.asarray(np.clip(0.68 + 0.32 * height - 0.35 * np.clip(slope, -1, 1), 0.2, 1.3), np.float32)


def over(below: Occluder, above: Occluder) -> Occluder:
    """One thing before another."""
    a = above.alpha[..., None]
    return Occluder(below.pixels * (1 - a) + above.pixels * a, np.maximum(below.alpha, above.alpha))


def soft(plane: Floats, width: float) -> Floats:
    """``plane``, blurred."""
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), width), np.float32)


def nothing(side: int) -> Occluder:
    """What hides nothing."""
    return Occluder(np.zeros((side, side, 3), np.float32), np.zeros((side, side), np.float32))


def cloud(random: Random, side: int, grain: float) -> Floats:
    """(side, side) smooth noise, standard deviation 1."""
    small = max(4, round(side / grain))
    noise = random.normal(0, 1, (small, small)).astype(np.float32)
    return np.asarray(cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)
