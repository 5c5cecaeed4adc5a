"""Swapped pictures with and without the mark, of real clips on a 720p canvas."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from obs_facelive.engine.stages import Stages
from obs_facelive.frame import Box, Face, Frame, Patch, Pixels
from obs_facelive.home import Home
from obs_facelive.settings import Settings
from obs_facelive.view import compose

WIDTH, HEIGHT, FPS = 1280, 720, 30


@dataclass(frozen=True, slots=True)
class Swapped:
    """One picture of a clip, (720, 1280, 3) uint8 BGR.

    Attributes
    ----------
    plain, marked : swapped, without and with the mark
    box : x0 y0 x1 y1 of the patch
    ms : milliseconds of one core that the mark took
    """

    plain: Pixels
    marked: Pixels
    box: tuple[int, int, int, int]
    ms: float


class _Both:
    """Writes the mark, and remembers what was there before."""

    def __init__(self, mark: Any) -> None:
        self._mark = mark
        self.before: list[Patch] = []
        self.ms = 0.0

    def reach(self, face: Face, frame: Frame) -> Box:
        """As the real one."""
        box: Box = self._mark.reach(face, frame)
        return box

    def __call__(self, faces: list[Face], patches: list[Patch]) -> list[Patch]:
        self.before = patches
        began = time.thread_time()
        marked: list[Patch] = self._mark(faces, patches)
        self.ms = (time.thread_time() - began) * 1e3
        return marked


def clip_frames(clip: Path, start: int = 0) -> Iterator[Pixels]:
    """The pictures of ``clip`` from number ``start`` on."""
    with av.open(str(clip)) as container:
        for number, picture in enumerate(container.decode(video=0)):
            if number >= start:
                yield np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)


def on_canvas(pixels: Pixels) -> Pixels:
    """``pixels`` scaled to the height of 720p, in the middle; beside it is a blurred copy."""
    height, width = pixels.shape[:2]
    if (width, height) == (WIDTH, HEIGHT):
        return pixels
    wide = min(WIDTH, round(width * HEIGHT / height))
    canvas = cv2.resize(cv2.resize(pixels, (32, 18), interpolation=cv2.INTER_AREA), (WIDTH, HEIGHT))
    left = (WIDTH - wide) // 2
    canvas[:, left : left + wide] = cv2.resize(pixels, (wide, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.asarray(canvas, np.uint8)


def swapped(home: Home, clip: Path, persona: str, count: int, start: int = 0) -> list[Swapped]:
    """``count`` pictures of ``clip`` with ``persona``; those without a face are left out."""
    cv2.setNumThreads(1)
    settings = Settings(persona=persona, badge="off")
    pipeline = Stages(home).pipeline(settings)
    both = _Both(pipeline._mark)
    pipeline._mark = both  # type: ignore[assignment]
    pictures: list[Swapped] = []
    for number, pixels in enumerate(clip_frames(clip, start)):
        if number == count:
            break
        frame = Frame(np.asarray(cv2.cvtColor(on_canvas(pixels), cv2.COLOR_BGR2BGRA), np.uint8), number, number / FPS)
        outcome = pipeline.process(frame, settings)
        if not outcome.patches or outcome.turned:
            continue
        patch = outcome.patches[0]
        box = (patch.x, patch.y, patch.x + patch.pixels.shape[1], patch.y + patch.pixels.shape[0])
        plain, marked = (np.ascontiguousarray(compose(frame, p)[..., :3]) for p in (both.before, outcome.patches))
        pictures.append(Swapped(plain, marked, box, both.ms))
    return pictures
