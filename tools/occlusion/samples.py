"""Training samples: a face with and without something in front of it, as the network will see it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from obs_facelive.frame import Floats, Pixels
from obs_facelive.geometry import apply_affine
from obs_facelive.mask.occlusion import network_input
from obs_facelive.surface import SIZE, Unwrapper
from obs_facelive.swap.light import LUMA, log_odds, skin_points
from obs_facelive.swap.raster import facing
from obs_facelive.topology import LIPS_INNER, NOSE_TIP, CanonicalFace
from tools.occlusion.faces import SIDE, TrainingFace
from tools.occlusion.occluders import draw
from tools.occlusion.place import Occluder, Place, Random

_BARE = 0.18
"""Share of samples with nothing in front of the face."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample.

    Attributes
    ----------
    image : (7, SIZE, SIZE) float32, as `obs_facelive.mask.occlusion.network_input` makes it
    hidden : (SIZE, SIZE) float32 0..1, how much of each texel is covered
    weight : (SIZE, SIZE) float32, 0 where nobody knows
    """

    image: Floats
    hidden: Floats
    weight: Floats


class Sampler:
    """Draws samples without end."""

    def __init__(self, faces: list[TrainingFace], canonical: CanonicalFace, seed: int) -> None:
        self._faces, self._canonical = faces, canonical
        self._random = np.random.default_rng(seed)
        self._by_person = {f.person: [g for g in faces if g.person == f.person] for f in faces}
        self._unwrapper = Unwrapper(canonical, SIZE)
        self._skin = skin_points(canonical)
        u, v = np.abs(canonical.uv[:, 0] - 0.5), canonical.uv[:, 1]
        self._hairline = np.clip((0.27 - v) / 0.03, 0, 1) + np.clip((u - 0.24) / 0.06, 0, 1)

    def sample(self) -> Sample:
        """The next one."""
        random = self._random
        face = self._faces[random.integers(len(self._faces))]
        others = self._by_person[face.person]
        before = [face, *(others[random.integers(len(others))] for _ in range(random.integers(0, 3)))]
        skin = self._tone(face)
        scrap = self._faces[random.integers(len(self._faces))].pixels
        place = Place(face.points, SIDE, skin, scrap)
        kinds, things = [], []
        for _ in range(random.choice([1, 1, 1, 2, 2, 3])):
            kind, thing = draw(random, place)
            kinds.append(kind)
            things.append(thing)
        if random.random() < _BARE:
            kinds, things = [], []
        # What is worn was there before, too; what passes was not.
        history = random.random()
        worn = [
            thing
            for kind, thing in zip(kinds, things, strict=True)
            if kind in ("glasses", "strands", "fringe", "cloth")
        ]
        lasting = worn if history < 0.5 else []
        if history < 0.15:
            before = [face]
        now, hidden = self._lay(face.pixels, things)
        room = _Room(random)
        now = room.light(now, random, 0.0)
        points = _shaken(face.points, random, hidden=float(hidden.mean()))
        live = self._unwrapper.unwrap(now, points)
        covered = self._unwrapper.unwrap(np.repeat((hidden * 255).astype(np.uint8)[..., None], 3, 2), points)[..., 0]
        if history < 0.15:
            memory = live.copy()
        else:
            pictures = []
            for other in before:
                lit = room.light(self._lay(other.pixels, lasting)[0], random, 0.15)
                pictures.append(self._unwrapper.unwrap(lit, _shaken(other.points, random, 0.0)))
            memory = np.asarray(np.mean(pictures, axis=0) + 0.5, np.uint8)
        visible = np.clip(facing(points[:468], self._canonical.triangles), 0, 1).astype(np.float32)
        seen_now = self._unwrapper.spread(visible)
        if random.random() < 0.5:
            live, memory, covered, seen_now = live[:, ::-1], memory[:, ::-1], covered[:, ::-1], seen_now[:, ::-1]
        label = np.asarray(covered, np.float32) / np.float32(255)
        # What is seen at a grazing angle is hard to tell, but must not be left to chance.
        weight = self._unwrapper.inside * np.clip((seen_now - 0.15) / 0.3, 0.15, 1)
        weight = weight * np.maximum(label > 0.5, 1 - self._hair(live, memory))
        return Sample(network_input(live, memory, seen_now), label, np.asarray(weight, np.float32))

    def _hair(self, live: Pixels, memory: Pixels) -> Floats:
        """(SIZE, SIZE) 1 where the person's own hair may lie over forehead and temples, which nobody has outlined."""
        luma = log_odds(memory.astype(np.float32)) @ LUMA
        middle = np.median(luma[self._unwrapper.inside])
        return np.asarray((luma < middle - 0.9) * np.clip(self._unwrapper.spread(self._hairline), 0, 1), np.float32)

    def _tone(self, face: TrainingFace) -> Floats:
        columns, rows = face.points[:468, 0].astype(int), face.points[:468, 1].astype(int)
        good = (self._skin > 0.9) & (columns >= 0) & (columns < SIDE) & (rows >= 0) & (rows < SIDE)
        return np.asarray(np.median(face.pixels[rows[good], columns[good]], axis=0), np.float32)

    def _lay(self, pixels: Pixels, things: list[Occluder]) -> tuple[Pixels, Floats]:
        random = self._random
        picture, hidden = pixels.astype(np.float32), np.zeros(pixels.shape[:2], np.float32)
        for thing in things:
            shadow = cv2.GaussianBlur(thing.alpha, (0, 0), random.uniform(1.5, 14))
            move = np.array([[1, 0, random.normal(0, 8)], [0, 1, random.normal(3, 8)]])
            shadow = cv2.warpAffine(shadow, move, (SIDE, SIDE)) * random.uniform(0, 0.5)
            alpha = thing.alpha[..., None]
            picture = picture * (1 - shadow[..., None]) * (1 - alpha) + thing.pixels * alpha
            hidden = np.maximum(hidden, thing.alpha)
        return np.clip(picture, 0, 255).astype(np.uint8), hidden


class _Room:
    """One room's light and camera: much the same now and before."""

    def __init__(self, random: Random) -> None:
        self._gain = np.exp(random.normal(0, 0.35) + random.normal(0, 0.13, 3))
        self._lift = random.normal(0.5, 0.9)
        self._side = random.normal(0, 0.7, 2)
        self._fine = random.uniform(0.3, 0.8) if random.random() < 0.3 else 1.0
        self._pale = random.uniform(0.3, 1)
        # A window's or a lamp's light on one cheek, up to where the camera shows plain white.
        self._spots = [
            (
                *random.uniform(-0.35, 0.35, 2),
                random.uniform(0.08, 0.25),
                random.normal(0.7, 1.0),
                random.normal(0, 0.15, 3),
            )
            for _ in range(random.choice([0, 0, 1, 2]))
        ]
        self._noise = random.uniform(0, 6) * (random.random() < 0.7)
        self._blur = max(0.0, random.normal(0.3, 0.8))
        self._haze = random.uniform(0, 40) * (random.random() < 0.3)

    def light(self, pixels: Pixels, random: Random, change: float) -> Pixels:
        """``pixels`` in this room; ``change``: how much the light differs from the last time, in log-odds."""
        odds = log_odds(pixels.astype(np.float32))
        luma = (odds @ LUMA)[..., None]
        odds = np.asarray(luma + (odds - luma) * self._pale, np.float32)
        y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) / SIDE - 0.5
        side = self._side + random.normal(0, change, 2)
        odds += (self._lift + random.normal(0, change) + side[0] * 2 * x + side[1] * y)[..., None].astype(np.float32)
        for across, down, wide, strength, tint in self._spots:
            moved = random.normal(0, change * 0.1, 2)
            near = np.exp(-((x - across - moved[0]) ** 2 + (y - down - moved[1]) ** 2) / (2 * wide**2))
            odds += (near[..., None] * (strength + tint)).astype(np.float32)
        if random.random() < 0.25:  # the edge of a shadow
            edge = np.tanh(
                (np.cos(a := random.uniform(0, 6.3)) * x + np.sin(a) * y + random.normal(0, 0.15))
                * random.uniform(5, 60)
            )
            odds -= (random.uniform(0, 0.9) * (edge * 0.5 + 0.5))[..., None].astype(np.float32)
        lit = 255 / (1 + np.exp(-odds)) * self._gain * (1 - self._haze / 255) + self._haze
        shown = np.asarray(np.clip(lit, 0, 255), np.float32)
        if self._fine < 1:
            small = cv2.resize(shown, None, fx=self._fine, fy=self._fine, interpolation=cv2.INTER_AREA)
            shown = np.asarray(cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), np.float32)
        if self._blur > 0.3:
            shown = np.asarray(cv2.GaussianBlur(shown, (0, 0), self._blur), np.float32)
        noise = random.normal(0, self._noise + 0.3, shown.shape)
        picture = np.asarray(np.clip(shown + noise, 0, 255), np.uint8)
        if random.random() < 0.4:
            _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(30, 95))])
            picture = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
        return picture


def _shaken(points: Floats, random: Random, hidden: float) -> Floats:
    """``points`` as a landmarker finds them: a little off, and more so where much of the face is hidden."""
    size = float(np.ptp(points[:, 1]))
    amount = 0.35 + 2.5 * min(hidden * 6, 1.0) * random.random()
    turn, scale = random.normal(0, 0.008) * amount, 1 + random.normal(0, 0.008) * amount
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0]], np.float32)
    middle = points[NOSE_TIP, :2]
    moved = points.copy()
    moved[:, :2] = apply_affine(matrix, points[:, :2] - middle) + middle + random.normal(0, 0.006 * size, 2) * amount
    for _ in range(4):
        centre = points[random.integers(468), :2]
        near = np.exp(-((points[:, :2] - centre) ** 2).sum(1) / (2 * (0.15 * size) ** 2))
        moved[:, :2] += near[:, None] * random.normal(0, 0.008 * size, 2) * amount
    if random.random() < 0.25:  # an opened mouth, or lips found where there are none
        moved[LIPS_INNER, 1] += random.normal(0, 0.004 * size)
    return moved.astype(np.float32)
