"""Several talking heads in one room, who sit, pass each other, leave and come back; it is known who is where."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import cv2
import numpy as np

from obs_facelive.frame import Floats, Frame, Plane
from obs_facelive.topology import FACE_OVAL
from tools.demo_clip import load_renderer
from tools.talking_head.motion import Motion, motion_at
from tools.talking_head.renderer import Renderer, Seat

FPS: Final = 30
Way: TypeAlias = Callable[[float], Seat | None]
"""Where somebody is after so many seconds; None while they are not in the picture."""


@dataclass(frozen=True)
class Role:
    """Somebody in a scene.

    Attributes
    ----------
    who : number in the openpeople wheel
    way : where they are
    begin : moment of `tools.talking_head.motion` with which they begin
    """

    who: str
    way: Way
    begin: float = 0.0

    def motion(self, time: float) -> Motion:
        """What the head does after ``time`` seconds."""
        return motion_at(self.begin + time)


@dataclass(frozen=True)
class Scene:
    """Somebody, and others.

    Attributes
    ----------
    roles : the farthest from the camera first
    """

    name: str
    seconds: float
    roles: tuple[Role, ...]


@dataclass(frozen=True)
class Place:
    """Where somebody's face truly is.

    Attributes
    ----------
    points : (478, 3) float32
    visible : share of the face's oval that is inside the picture and behind nobody
    """

    points: Floats
    visible: float


@dataclass(frozen=True)
class Shot:
    """One picture, and who is where in it; nobody who is not in the picture."""

    frame: Frame
    places: Mapping[str, Place]


def load_cast(scene: Scene, models: Path, wheels: Path, width: int, height: int) -> dict[str, Renderer]:
    """Everybody in ``scene``, ready to be drawn. Raises as `tools.talking_head.person.load_person` does."""
    return {role.who: load_renderer(models, wheels, width, height, role.who) for role in scene.roles}


def shots(scene: Scene, cast: Mapping[str, Renderer]) -> Iterator[Shot]:
    """The scene's pictures in order."""
    camera = cast[scene.roles[0].who]
    for number in range(round(scene.seconds * FPS)):
        time = number / FPS
        picture = camera.room()
        height, width = picture.shape[:2]
        there = [(role, seat) for role in scene.roles if (seat := role.way(time))]
        points: dict[str, Floats] = {}
        for role, seat in there:
            cast[role.who].draw(picture, seat, role.motion(time))
            points[role.who] = cast[role.who].points(seat, role.motion(time)).astype(np.float32)
        pixels = np.asarray(cv2.cvtColor(camera.expose(picture, number), cv2.COLOR_BGR2BGRA), np.uint8)
        yield Shot(Frame(pixels, number, time), _places(points, width, height))


def _places(points: dict[str, Floats], width: int, height: int) -> dict[str, Place]:
    places: dict[str, Place] = {}
    front = np.zeros((height, width), np.uint8)
    for who in reversed(points):  # the nearest first
        whole = float(cv2.contourArea(points[who][FACE_OVAL, :2]))
        seen = oval(points[who], width, height) & ~front
        visible = float(np.count_nonzero(seen)) / max(whole, 1.0)
        if visible > 0.02:
            places[who] = Place(points[who], min(visible, 1.0))
        front |= _head(points[who], width, height)
    return places


def oval(points: Floats, width: int, height: int) -> Plane:
    """255 where the face of ``points`` is in a picture of that size."""
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.round(points[FACE_OVAL, :2]).astype(np.int32)], (255,))
    return mask


def _head(points: Floats, width: int, height: int) -> Plane:
    """The same for the whole head, hair included, roughly."""
    ring = points[FACE_OVAL, :2]
    middle = ring.mean(0)
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.round(middle + (ring - middle) * 1.2).astype(np.int32)], (255,))
    return mask


def sits(x: float, y: float = 0.47, size: float = 0.7) -> Way:
    """Stays where they are."""
    return lambda time: Seat(x, y, size)


def walks(start: float, end: float, begin: float, seconds: float, y: float = 0.47, size: float = 0.7) -> Way:
    """Goes across, from ``start`` to ``end`` (shares of the picture's width), and stays there."""

    def way(time: float) -> Seat:
        done = float(np.clip((time - begin) / seconds, 0, 1))
        return Seat(start + (end - start) * (3 * done**2 - 2 * done**3), y, size)

    return way


def goes_out(x: float, leaves: float, back: float, outside: float, y: float = 0.47, size: float = 0.7) -> Way:
    """Leaves the picture for ``outside`` at ``leaves`` seconds, and comes back from there at ``back``; each takes a second."""
    out, home = walks(x, outside, leaves, 1.0, y, size), walks(outside, x, back, 1.0, y, size)
    return lambda time: out(time) if time < back else home(time)
