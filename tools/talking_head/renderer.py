"""Pictures of the talking head in its room."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from obs_facelive.frame import Floats, Pixels
from obs_facelive.swap.raster import FAR, empty_depth, interpolate
from obs_facelive.topology import LIPS_INNER, Indices
from tools.talking_head.head import MARGIN, Head, Vertices
from tools.talking_head.look import Card, Look
from tools.talking_head.motion import Motion
from tools.talking_head.room import draw_room

NOISE = 3.2
"""Standard deviation of the sensor's noise, of 255."""
_SOFTNESS = 0.6
"""Blur of the lens, standard deviation in pixels at 720p."""
_Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Light:
    """The one lamp.

    Attributes
    ----------
    direction : to where it is; the picture's right, down, away, of any length
    lit, shaded : what skin that faces it, and skin that is turned away from it, keeps of its blue, green, red
    """

    direction: tuple[float, float, float] = (-0.72, -0.35, -0.60)
    lit: _Colour = (1.18, 1.15, 1.12)
    shaded: _Colour = (0.80, 0.86, 0.93)


WINDOW = Light()
"""Daylight from the room's window."""


@dataclass(frozen=True)
class Seat:
    """Where somebody sits: the middle of the face in shares of the picture; size 1 makes the face about half as high."""

    x: float = 0.5
    y: float = 0.47
    size: float = 1.0


class Renderer:
    """Draws frames of one size."""

    def __init__(self, head: Head, look: Look, width: int, height: int) -> None:
        self._head, self._look = head, look
        self._width, self._height = width, height
        self._room = draw_room(width, height)
        grain = np.random.default_rng(1).normal(0, 1, (height + 256, width + 256, 3)).astype(np.float32)
        self._grain = cv2.GaussianBlur(grain, (0, 0), 0.7)

    def frame(self, number: int, people: list[tuple[Seat, Motion]]) -> Pixels:
        """The picture of ``people``, the farthest first: (height, width, 3) uint8 BGR. ``number`` chooses the noise."""
        return self.expose(self.scene(people), number)

    def scene(self, people: list[tuple[Seat, Motion]], light: Light = WINDOW) -> Floats:
        """``people``, the farthest first, as no camera has seen them yet: (height, width, 3) float32 BGR 0..255."""
        picture = self.room()
        for seat, motion in people:
            self.draw(picture, seat, motion, light)
        return picture

    def room(self) -> Floats:
        """Nobody: (height, width, 3) float32 BGR 0..255."""
        return self._room.copy()

    def expose(self, scene: Floats, number: int, noise: float = NOISE) -> Pixels:
        """``scene`` through the lens and onto the sensor, (height, width, 3) uint8 BGR.

        ``number`` chooses the noise, whose standard deviation is ``noise`` of 255.
        """
        picture = np.asarray(cv2.GaussianBlur(scene, (0, 0), _SOFTNESS * self._height / 720), np.float32)
        down, across = np.random.default_rng(number).integers(0, 256, 2)
        picture += self._grain[down : down + self._height, across : across + self._width] * np.float32(noise)
        return np.clip(picture, 0, 255).astype(np.uint8)

    def points(self, seat: Seat, motion: Motion) -> Vertices:
        """(478, 3) where the face's points truly are: x, y in the picture's pixels, z in the same scale, away."""
        return self._on_screen(self._head.shape(motion), seat, motion)[:478]

    def _on_screen(self, vertices: Vertices, seat: Seat, motion: Motion, turning: Vertices | None = None) -> Vertices:
        scale = 0.80 * self._height / 720 * seat.size
        middle = np.array([self._width * seat.x, self._height * seat.y, 0])
        return np.asarray(self._head.pose(vertices, motion, turning) * scale + middle, np.float64)

    def draw(self, picture: Floats, seat: Seat, motion: Motion, lamp: Light = WINDOW) -> None:
        """Lays the head over ``picture``, which is changed."""
        head, look = self._head, self._look

        def on_screen(vertices: Vertices, turning: Vertices | None = None) -> Vertices:
            return self._on_screen(vertices, seat, motion, turning)

        def stand(card: Card, depth: float, light: float) -> None:
            high, wide = card.pixels.shape[:2]
            corners = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float64)
            place = np.column_stack([corners + np.array([card.x, card.y]), np.full(4, depth)])
            values = np.column_stack([corners, np.full(4, light)])
            square = np.array([[0, 2, 1], [0, 3, 2]], np.int32)
            _lay(picture, on_screen(place, np.ones(4)), square, values, card.pixels, lamp, ring=front[card.ring, :2])

        front = on_screen(head.shape(motion))
        light = _light(front, head.triangles, lamp)
        back = on_screen(head.skull, np.ones(len(head.skull)))
        high, wide = look.hair.shape[:2]
        around = np.indices((25, 49)).reshape(2, -1)[::-1].T / [48, 24] * [wide - 1, high - 1]
        _lay(
            picture,
            back,
            head.skull_triangles,
            np.column_stack([around, _light(back, head.skull_triangles, lamp)]),
            look.hair,
            lamp,
        )
        for eye in look.eyes(motion):
            stand(eye, float(head.points[eye.ring, 2].mean()), float(light[eye.ring].mean()))
        stand(look.mouth, float(head.points[LIPS_INNER, 2].mean()) + 14, float(light[LIPS_INNER].mean()))
        values = np.column_stack([head.rest[:, :2] + MARGIN, light])
        # Both sides: at the edge of a turned nose the network's depth is not good enough to leave one out.
        triangles = np.concatenate([head.triangles, head.triangles[:, ::-1]])
        _lay(picture, front, triangles, values, look.skin(motion), lamp, opacity=look.opacity)


def _light(vertices: Vertices, triangles: Indices, lamp: Light) -> Vertices:
    """How much of the lamp's light each vertex gets: 0..1."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    facing = np.cross(b - a, c - a)
    normals = np.stack(
        [sum(np.bincount(triangles[:, k], facing[:, axis], len(vertices)) for k in range(3)) for axis in range(3)],
        axis=1,
    )
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    direction = np.array(lamp.direction) / np.linalg.norm(lamp.direction)
    # Front triangles have a negative area (see `interpolate`): their normals point at the viewer, to negative z.
    return np.asarray(np.clip(0.5 + 0.55 * (normals @ direction), 0, 1), np.float64)


def _lay(
    picture: Floats,
    vertices: Vertices,
    triangles: Indices,
    values: Vertices,
    texture: Floats,
    lamp: Light,
    opacity: Floats | None = None,
    ring: Vertices | None = None,
) -> None:
    """Draws a textured, lit mesh over ``picture``. ``values`` (n, 3): texture x, y, light; ``ring``: an outline to stay in."""
    low = np.clip(np.floor(vertices[:, :2].min(axis=0)).astype(int) - 1, 0, None)
    high = np.minimum(np.ceil(vertices[:, :2].max(axis=0)).astype(int) + 1, [picture.shape[1], picture.shape[0]])
    if (high <= low).any():
        return
    wide, tall = (int(v) for v in high - low)
    moved = (vertices - [*low, 0]).astype(np.float32)
    found, depth = np.full((tall, wide, 3), -1, np.float32), empty_depth(tall, wide)
    interpolate(moved, triangles, values.astype(np.float32), found, depth)
    x, y, light = found[..., 0] - np.float32(0.5), found[..., 1] - np.float32(0.5), found[..., 2:]
    colour = cv2.remap(texture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    shaded = np.array(lamp.shaded, np.float32)
    colour *= shaded + (np.array(lamp.lit, np.float32) - shaded) * light
    mask = (depth < FAR).astype(np.float32)
    if ring is None:
        mask = np.clip(cv2.blur(mask, (3, 3)) * 2 - 1, 0, 1)
    else:
        outline = np.zeros_like(mask)
        cv2.fillPoly(outline, [np.round((ring - low - 0.5) * 16).astype(np.int32)], (1.0,), cv2.LINE_AA, 4)
        mask *= cv2.dilate(outline, np.ones((5, 5), np.uint8))
    if opacity is not None:
        mask *= cv2.remap(opacity, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    area = picture[low[1] : high[1], low[0] : high[0]]
    area += (colour - area) * mask[..., None]
