"""A room out of focus: what a webcam sees behind a person."""

from __future__ import annotations

import cv2
import numpy as np

from obs_facelive.frame import Floats

_WIDE, _HIGH = 1280, 720
_BOOKS = np.array([(70, 66, 110), (100, 84, 60), (70, 100, 124), (150, 150, 156), (74, 88, 74), (48, 52, 58)])
_BLUR = 9.0


def draw_room(width: int, height: int) -> Floats:
    """A window with daylight on the left, a plant, a picture, a bookshelf: (height, width, 3) float32 BGR 0..255."""
    random = np.random.default_rng(7)
    y, x = np.mgrid[0:_HIGH, 0:_WIDE].astype(np.float32)
    room: Floats = np.array([176, 190, 200], np.float32) * (1.08 - 0.42 * x / _WIDE)[..., None]
    _window(room, random)
    _bookshelf(room, random)
    _picture(room)
    _plant(room, random)
    room = np.asarray(cv2.GaussianBlur(room, (0, 0), _BLUR), np.float32)
    daylight = np.exp(-(((x - 110) / 380) ** 2) - ((y - 220) / 420) ** 2)
    room += daylight[..., None] * np.array([44, 40, 34], np.float32)
    vignette = 1 - 0.11 * ((2 * x / _WIDE - 1) ** 2 + (2 * y / _HIGH - 1) ** 2)
    room = np.clip(room * vignette[..., None], 0, 255)
    return np.asarray(cv2.resize(room, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def _box(
    room: Floats, left: float, top: float, right: float, bottom: float, colour: tuple[float, float, float]
) -> None:
    cv2.rectangle(room, (int(left), int(top)), (int(right), int(bottom)), colour, cv2.FILLED)


def _window(room: Floats, random: np.random.Generator) -> None:
    _box(room, -10, -10, 250, 470, (232, 228, 222))
    _box(room, 0, 0, 225, 450, (255, 252, 246))
    _box(room, 112, 0, 124, 450, (225, 222, 218))
    _box(room, 0, 205, 225, 214, (225, 222, 218))
    for fold in range(12):
        shade = 0.9 + 0.14 * random.random()
        _box(room, 150 + 14 * fold, -5, 163 + 14 * fold, 560, (206 * shade, 214 * shade, 222 * shade))


def _bookshelf(room: Floats, random: np.random.Generator) -> None:
    _box(room, 930, 90, 1210, 720, (58, 84, 112))
    for top in range(110, 700, 150):
        _box(room, 942, top, 1198, top + 132, (38, 52, 70))
        left = 948
        while left < 1180:
            wide, high = int(random.integers(14, 30)), int(random.integers(80, 122))
            b, g, r = random.choice(_BOOKS) * (0.75 + 0.4 * random.random())
            if random.random() < 0.85:
                _box(room, left, top + 132 - high, min(left + wide, 1196), top + 132, (float(b), float(g), float(r)))
            left += wide + 1


def _picture(room: Floats) -> None:
    _box(room, 640, 80, 820, 230, (60, 66, 74))
    _box(room, 652, 92, 808, 218, (190, 200, 206))
    cv2.circle(room, (730, 165), 42, (110, 130, 175), cv2.FILLED)
    _box(room, 652, 180, 808, 218, (120, 140, 120))


def _plant(room: Floats, random: np.random.Generator) -> None:
    cv2.ellipse(room, (330, 640), (60, 120), 0, 0, 360, (70, 90, 110), cv2.FILLED)
    for _ in range(26):
        turn, length, green = random.uniform(-1.4, 1.4), random.uniform(110, 230), 84 + random.integers(26)
        tip = (int(330 + np.sin(turn) * length), int(560 - np.cos(turn) * length))
        cv2.line(room, (330, 560), tip, (58, float(green), 66), int(random.integers(8, 20)), cv2.LINE_AA)
