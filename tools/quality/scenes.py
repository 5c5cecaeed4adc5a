"""Scenes with a known truth: what the talking head does, how it is lit, what gets in front of it, what the camera adds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from obs_facelive.frame import Floats
from tools.quality.things import THINGS, Moment
from tools.talking_head.motion import Motion, motion_at
from tools.talking_head.renderer import NOISE, WINDOW, Light, Renderer, Seat

WIDTH, HEIGHT, FPS = 1280, 720, 30
SEAT = Seat()
_SHUTTER = 0.5
"""Share of a frame's time in which the shutter is open."""
_SKIN = np.array([136, 172, 224], np.float32)
"""BGR of the talking head's cheeks in the room's light."""


@dataclass(frozen=True)
class Scene:
    """A recipe; times are shares 0..1 of the scene.

    Attributes
    ----------
    frames : how many there are, at `FPS`
    motion : share → what the head does
    light : share → where the light is
    thing : name of what gets in front of the face (`tools.quality.things.THINGS`), or none
    blur : pictures that are averaged while the shutter is open
    exposure : factors of blue, green, red
    noise : the sensor's, standard deviation of 255
    """

    frames: int
    motion: Callable[[float], Motion]
    light: Callable[[float], Light] = lambda _: WINDOW
    thing: str = ""
    blur: int = 1
    exposure: tuple[float, float, float] = (1.0, 1.0, 1.0)
    noise: float = NOISE


@dataclass(frozen=True)
class Shot:
    """One frame of a scene and its truth.

    Attributes
    ----------
    picture, clean : (h, w, 3) float32 BGR, as the lens sees it; without the thing in front of the face
    points : (478, 3) float32 where the face's points are, in pixels
    yaw : degrees, as `obs_facelive.geometry.head_pose` has it
    light : (3,) float32 direction to the lamp, of length 1
    alpha : (h, w) float32 0..1, what of the clean picture the thing hides
    """

    picture: Floats
    clean: Floats
    points: Floats
    yaw: float
    light: Floats
    alpha: Floats


def shoot(scene: Scene, renderer: Renderer, number: int) -> Shot:
    """The ``number``-th frame of ``scene``."""
    last = max(1, scene.frames - 1)
    moments = [(number + _SHUTTER * (k / scene.blur - 0.5 * (scene.blur > 1))) / last for k in range(scene.blur)]
    exposure = np.array(scene.exposure, np.float32)
    pictures = [renderer.scene([(SEAT, scene.motion(u))], scene.light(u)) * exposure for u in moments]
    clean = np.asarray(np.mean(pictures, axis=0), np.float32)
    now = number / last
    motion, lamp = scene.motion(now), np.array(scene.light(now).direction, np.float32)
    points = renderer.points(SEAT, motion).astype(np.float32)
    picture, alpha = clean, np.zeros((HEIGHT, WIDTH), np.float32)
    if scene.thing:
        start = renderer.points(SEAT, scene.motion(0)).astype(np.float32)
        overlay = THINGS[scene.thing](Moment(WIDTH, HEIGHT, points, start, _SKIN * exposure, float(exposure[1]), now))
        picture, alpha = overlay.over(clean), overlay.alpha
    return Shot(picture, clean, points, motion.yaw, lamp / np.linalg.norm(lamp), alpha)


def _sweep(u: float) -> Motion:
    """-70 and 70 degrees of yaw and back, at an almost constant speed."""
    return Motion(yaw=-70 * float(np.arcsin(0.985 * np.sin(2 * np.pi * u)) / np.arcsin(0.985)), smile=0.1)


def _talk(u: float, start: float = 0.0, seconds: float = 2.5, yaw: float = 1.0) -> Motion:
    """A piece of the demo clip's script, its head turned by ``yaw`` times as much."""
    motion = motion_at(start + seconds * u)
    return replace(motion, yaw=motion.yaw * yaw)


def _shake(u: float) -> Motion:
    """A quick "no", twice a second, with a head that sways."""
    swing = float(np.sin(2 * np.pi * 4 * u))
    return Motion(yaw=24 * swing, x=46 * swing, roll=3 * float(np.cos(2 * np.pi * 4 * u)), jaw=0.12, smile=0.1)


def _worn(u: float) -> Motion:
    """Turning to both sides, nodding, talking."""
    motion = motion_at(0.6 + 2.5 * u)
    return replace(motion, yaw=26 * float(np.sin(2 * np.pi * u)), pitch=7 * float(np.sin(4 * np.pi * u)))


def _around(u: float) -> Light:
    """A lamp that goes from the picture's left over the front to its right."""
    angle = np.radians(-80 + 160 * u)
    direction = (float(np.sin(angle)), -0.25, -float(np.cos(angle)))
    return Light(direction, lit=(1.22, 1.24, 1.28), shaded=(0.34, 0.34, 0.36))


SCENES: dict[str, Scene] = {
    "sweep": Scene(90, _sweep),
    "sidelight": Scene(75, partial(_talk, start=0.2), light=_around),
    "hand": Scene(90, partial(_talk, start=8.6, seconds=3.0, yaw=0.6), thing="hand"),
    "glasses": Scene(75, _worn, thing="glasses"),
    "shake": Scene(60, _shake, blur=4),
    "dim": Scene(75, partial(_talk, start=4.0), exposure=(0.15, 0.19, 0.25), noise=9.0),
}
"""All of them by name."""
