"""The surfaces of the talking head: skin and hair, the change that an expression brings, eyeballs, teeth.

All is made in the portrait's own pixels, so that texture coordinates are the portrait's coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from obs_facelive.frame import Floats
from obs_facelive.geometry import for_warp
from obs_facelive.personas.make import Portrait
from obs_facelive.swap.raster import empty_depth, interpolate
from obs_facelive.topology import FACE_OVAL, LEFT_EYE, LEFT_IRIS, LIPS_INNER, RIGHT_EYE, RIGHT_IRIS, Indices
from tools.talking_head.head import MARGIN, Head, Vertices, smoothstep, upper_face
from tools.talking_head.motion import Motion
from tools.talking_head.person import SIZE, Person

_HAIR = np.array([24, 24, 25], np.float32)
_EARS = (234, 454)
_SOLID = np.float32(0.9)


@dataclass(frozen=True)
class Card:
    """A flat picture that stands in the head, seen through an opening of the face.

    Attributes
    ----------
    x, y : of its top left corner in the portrait
    pixels : (h, w, 3) float32 BGR 0..255
    ring : the face's points around the opening
    """

    x: int
    y: int
    pixels: Floats
    ring: Indices


class Look:
    """The surfaces of one person.

    Attributes
    ----------
    opacity : (SIZE + 2 MARGIN, SIZE + 2 MARGIN) float32 0..1, of the portrait with its margins: 0 in the eyes' openings
    hair : (256, 1024, 3) float32 BGR, for the back of the head, around and down
    mouth : what is seen through an open mouth
    """

    def __init__(self, person: Person, head: Head, colour: Floats, opacity: Floats) -> None:
        points = head.points
        colour = _without_wall_in_the_hair(colour, opacity, points)
        self._skin: Floats = _widen(colour)
        self.opacity = _widen(opacity)
        self.opacity[:MARGIN] = 0
        for ring in (RIGHT_EYE, LEFT_EYE):
            opening = _fill(_shrink(points[ring, :2], 0.90, 0.74), SIZE, SIZE)
            self.opacity[MARGIN:-MARGIN, MARGIN:-MARGIN] *= 1 - cv2.GaussianBlur(opening, (0, 0), 1.6)
        self._eyes = [_Eye(colour, points, RIGHT_EYE, RIGHT_IRIS), _Eye(colour, points, LEFT_EYE, LEFT_IRIS)]
        self._left, self._top = (int(v) for v in points[:, :2].min(axis=0) - 8)
        self._changes = self._expression_changes(person, head)
        self.mouth = _mouth(person.smile, head.shape(Motion(smile=1)))
        strands = cv2.GaussianBlur(
            np.random.default_rng(3).normal(0, 1, (256, 1024)).astype(np.float32), (0, 0), 2, None, 24
        )
        self.hair: Floats = _HAIR - 8 + 4 * (strands / strands.std())[..., None]

    def skin(self, motion: Motion) -> Floats:
        """The portrait with its margins and ``motion``'s expression: (SIZE + 2 MARGIN, SIZE + 2 MARGIN, 3) float32 BGR."""
        skin = self._skin.copy()
        for name, change in self._changes.items():
            if strength := min(abs(getattr(motion, name)), 1.2):
                top, left = self._top + MARGIN, self._left + MARGIN
                skin[top : top + change.shape[0], left : left + change.shape[1]] += change * np.float32(strength)
        return skin

    def eyes(self, motion: Motion) -> list[Card]:
        """The eyeballs, looking where ``motion`` says."""
        return [eye.card(motion.look_x, motion.look_y) for eye in self._eyes]

    def _expression_changes(self, person: Person, head: Head) -> dict[str, Floats]:
        """What an expression adds to the skin's colour (folds, shadows, teeth left out), on the face's box."""
        points = head.points
        wide, high = (int(v) for v in points[:, :2].max(axis=0) + 8 - [self._left, self._top])
        corner = np.array([self._left, self._top, 0])

        def flat(picture: Portrait) -> Floats:
            source = np.full((high, wide, 2), -1, np.float32)
            place = (points - corner).astype(np.float32)
            interpolate(place, head.face, picture.points[:, :2] - np.float32(0.5), source, empty_depth(high, wide))
            pixels = picture.pixels.astype(np.float32)
            return np.asarray(cv2.remap(pixels, source[..., 0], source[..., 1], cv2.INTER_CUBIC), np.float32)

        inner = _fill(points[FACE_OVAL, :2] - corner[:2], wide, high)
        inner = np.asarray(cv2.erode(inner, np.ones((31, 31), np.uint8)), np.float32)
        for ring in (RIGHT_EYE, LEFT_EYE):
            inner *= 1 - _fill(points[ring, :2] - corner[:2], wide, high)
        inner = np.asarray(cv2.GaussianBlur(inner, (0, 0), 9)[..., None] * _SOLID, np.float32)
        upper = upper_face(points, np.arange(high, dtype=np.float64) + self._top)[:, None, None].astype(np.float32)
        neutral = flat(person.expressions["neutral"])

        def change(name: str, where: Floats) -> Floats:
            difference = flat(person.expressions[name]) - neutral
            # The sheet's pictures differ a little in light: only what is finer than that belongs to the expression.
            return np.asarray((difference - cv2.GaussianBlur(difference, (0, 0), 60)) * inner * where, np.float32)

        return {
            "smile": change("happy", 1 - upper),
            "jaw": change("surprised", 1 - upper),
            "brows": change("scared", 0.5 * upper),
        }


class _Eye:
    """An eyeball taken apart into white and iris, so that the iris can move behind the lids."""

    def __init__(self, colour: Floats, points: Vertices, ring: Indices, iris: Indices) -> None:
        self._ring = ring
        edge = points[ring, :2]
        self._x, self._y = (int(v) for v in edge.min(axis=0) - 14)
        wide, high = (int(v) for v in edge.max(axis=0) + 14 - [self._x, self._y])
        corner = np.array([self._x, self._y])
        self._seen = colour[self._y : self._y + high, self._x : self._x + wide]
        opening = _fill(edge - corner, wide, high)
        centre = points[iris[0], :2] - corner
        radius = 1.06 * float(np.linalg.norm(points[iris[1:], :2] - points[iris[0], :2], axis=1).mean())
        y, x = np.mgrid[0:high, 0:wide].astype(np.float32) + np.float32(0.5)
        is_iris = np.hypot(x - centre[0], y - centre[1]) < 1.12 * radius
        no_white = is_iris | (cv2.erode(opening, np.ones((5, 5), np.uint8)) < 1)
        seen = np.clip(self._seen, 0, 255).astype(np.uint8)
        white = cv2.inpaint(seen, no_white.astype(np.uint8), 5, cv2.INPAINT_TELEA).astype(np.float32)
        # The upper lid's shadow lies on the ball.
        shadow = np.roll(cv2.GaussianBlur(opening, (0, 0), 3), 2, axis=0)[..., None]
        self._shadow: Floats = 0.55 + 0.45 * shadow
        self._white = cv2.GaussianBlur(white, (0, 0), 2.5)
        self._opening = cv2.GaussianBlur(cv2.erode(opening, np.ones((3, 3), np.uint8)), (0, 0), 1.2)[..., None]
        self._centre, self._radius = centre, radius
        self._iris, self._iris_opacity = _whole_iris(self._seen, opening, centre, radius)

    def card(self, look_x: float, look_y: float) -> Card:
        high, wide = self._white.shape[:2]
        corner = self._centre - self._iris.shape[0] / 2 + np.array([look_x, look_y]) * self._radius
        place = for_warp(np.array([[1, 0, corner[0]], [0, 1, corner[1]]], np.float32))
        cover = cv2.warpAffine(self._iris_opacity, place, (wide, high))[..., None]
        ball = (self._white * (1 - cover) + cv2.warpAffine(self._iris, place, (wide, high)) * cover) * self._shadow
        pixels = self._seen * (1 - self._opening) + ball * self._opening
        return Card(self._x, self._y, pixels.astype(np.float32), self._ring)


def _whole_iris(eye: Floats, opening: Floats, centre: Vertices, radius: float) -> tuple[Floats, Floats]:
    """The iris with what the lids hide: mirrored from its other half, or else the mean at that distance from the centre."""
    half = int(1.3 * radius)
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    place = np.array([[1, 0, half + 0.5 - centre[0]], [0, 1, half + 0.5 - centre[1]]], np.float32)
    size = (2 * half + 1, 2 * half + 1)
    patch = cv2.warpAffine(eye, for_warp(place), size, flags=cv2.INTER_CUBIC)
    lashes_off = cv2.erode(opening, np.ones((3, 7), np.uint8))
    seen = cv2.warpAffine(lashes_off, for_warp(place), size)
    apart = np.hypot(x, y)
    step, sure = apart.astype(int), seen > 0.9
    count = np.bincount(step[sure], minlength=3 * half)
    profile = (
        np.stack([np.bincount(step[sure], patch[..., c][sure], minlength=3 * half) for c in range(3)], axis=1)
        / np.maximum(count, 1)[:, None]
    )
    profile[count == 0] = profile[count > 0][-1]
    around = profile[step]
    whole = np.where(seen[..., None] > 0.5, patch, np.where(seen[::-1, :, None] > 0.5, patch[::-1], around))
    soft = np.asarray(cv2.GaussianBlur(whole.astype(np.float32), (0, 0), 0.6), np.float32)
    return soft, np.asarray(np.clip((radius - apart) / 2.2 + 0.5, 0, 1), np.float32)


def _mouth(smile: Portrait, smiling: Vertices) -> Card:
    """A dark cavity with a tongue and the teeth of ``smile``, where they are in the smiling head (n, 3)."""
    # An affine fit, not a similarity: the two smiles are not equally wide open.
    around = np.column_stack([smile.points[LIPS_INNER, :2], np.ones(len(LIPS_INNER))])
    matrix = np.linalg.lstsq(around, smiling[LIPS_INNER, :2], rcond=None)[0].T
    lips = smile.points[LIPS_INNER, :2] @ matrix[:, :2].T + matrix[:, 2]
    left, top = (int(v) for v in lips.min(axis=0) - np.array([6, 30]))
    wide, high = (int(v) for v in lips.max(axis=0) + np.array([6 - left, 90 - top]))
    matrix[:, 2] -= [left, top]
    photo = cv2.warpAffine(
        smile.pixels.astype(np.float32), for_warp(matrix.astype(np.float32)), (wide, high), flags=cv2.INTER_AREA
    )
    between = cv2.erode(_fill(lips - [left, top], wide, high), np.ones((3, 3), np.uint8))
    pale = between * smoothstep(70, 120, photo.min(axis=2))
    # With the gums above the teeth, without the lip below them.
    teeth = np.maximum.accumulate(pale[::-1], axis=0)[::-1] * between
    teeth = cv2.GaussianBlur(teeth.astype(np.float32), (0, 0), 0.8)[..., None]
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    depth = np.clip(1 - np.hypot((2 * x - wide) / wide, (y - 0.62 * high) / (0.5 * high)), 0, 1)
    cavity = np.array([22, 20, 40], np.float32) * (1.1 - 0.6 * depth)[..., None]
    tongue = smoothstep(0, 0.6, 1 - np.hypot((x - wide / 2) / (0.27 * wide), (y - 0.8 * high) / (0.22 * high)))[
        ..., None
    ]
    cavity = cavity * (1 - tongue) + np.array([58, 51, 106], np.float32) * tongue
    return Card(left, top, (cavity * (1 - teeth) + photo * teeth).astype(np.float32), LIPS_INNER)


def _without_wall_in_the_hair(colour: Floats, opacity: Floats, points: Vertices) -> Floats:
    """``colour`` with the wall's grey, which shows between loose strands down to the ears, darkened to hair."""
    lowest = float(points[list(_EARS), 1].mean())
    inwards = cv2.distanceTransform((opacity > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    rows = np.arange(len(colour))[:, None]
    edge = np.clip(1 - (inwards - 12) / 14, 0, 1) * np.clip((lowest - rows) / 20, 0, 1)
    # Skin is never grey: its red is far above its blue.
    grey = smoothstep(0.35, 0.2, 1 - colour[..., 0] / np.maximum(colour[..., 2], 1))
    share = cv2.GaussianBlur((edge * grey).astype(np.float32), (0, 0), 1.0)[..., None]
    return np.asarray(colour * (1 - share) + np.minimum(colour, _HAIR) * share, np.float32)


def _widen(picture: Floats) -> Floats:
    """``picture`` with `MARGIN` more on all sides; to the left and right the shoulders go on, falling."""
    wide = cv2.copyMakeBorder(picture, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REPLICATE)
    for out in range(1, MARGIN + 1):
        drop = int(0.75 * out + out * out / 200)
        for column, edge in ((MARGIN - out, MARGIN), (out - MARGIN - 1, -MARGIN - 1)):
            wide[drop:, column] = wide[: -drop or None, edge]
            wide[:drop, column] = wide[0, edge]
    return np.asarray(wide, np.float32)


def _shrink(ring: Vertices, across: float, down: float) -> Vertices:
    middle = ring.mean(axis=0)
    return np.asarray(middle + (ring - middle) * [across, down], np.float64)


def _fill(ring: Vertices, width: int, height: int) -> Floats:
    """The polygon's inside: (height, width) float32 0..1."""
    mask = np.zeros((height, width), np.float32)
    cv2.fillPoly(mask, [np.round((ring - 0.5) * 16).astype(np.int32)], (1.0,), cv2.LINE_AA, 4)
    return mask
