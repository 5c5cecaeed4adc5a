"""Hair and glasses in front of a face, drawn at random."""

from __future__ import annotations

import math

import cv2
import numpy as np

from obs_facelive.frame import Floats
from obs_facelive.topology import CHIN, FOREHEAD, LEFT_EYE, RIGHT_EYE
from tools.occlusion.place import Occluder, Place, Random, cloud, fill, nothing, over


def _hair_colour(random: Random) -> Floats:
    dark = np.array([18, 22, 30]) + random.uniform(0, 30)
    colours = [
        dark,
        dark,
        np.array([40, 60, 95]),
        np.array([70, 110, 165]),
        np.array([120, 170, 215]),
        np.full(3, 150.0),
    ]
    return np.asarray(colours[random.integers(len(colours))] * random.uniform(0.7, 1.2), np.float32)


def strands(random: Random, place: Place) -> Occluder:
    """Loose hair, from above or from the side."""
    side, size = place.side, place.size
    made, colour = nothing(side), _hair_colour(random)
    alpha, pixels = made.alpha.copy(), made.pixels.copy()
    root = place.points[FOREHEAD, :2] + [random.uniform(-0.5, 0.5) * size, -random.uniform(0.05, 0.3) * size]
    tip = root + np.array([random.uniform(-0.4, 0.4) * size, random.uniform(0.4, 1.2) * size])
    sway = random.normal(0, 0.15 * size, 2)
    wide, thick = random.uniform(0.01, 0.12) * size, random.uniform(0.6, 2.4)
    for _ in range(random.integers(1, 7)):  # locks of one shade each
        lock = np.zeros((side, side), np.uint8)
        for _ in range(random.integers(1, 10)):
            start, end = root + random.normal(0, wide, 2), tip + random.normal(0, wide, 2)
            bend = (start + end) / 2 + sway + random.normal(0, wide, 2)
            t = np.linspace(0, 1, 24)[:, None]
            curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end
            cv2.polylines(
                lock, [np.round(curve * 16).astype(np.int32)], False, 255, max(1, round(thick)), cv2.LINE_AA, 4
            )
        one = lock.astype(np.float32) * np.float32(min(1.0, thick) * random.uniform(0.7, 1) / 255)
        pixels += (colour * random.uniform(0.7, 1.35) - pixels) * one[..., None]
        alpha = np.maximum(alpha, one)
    return Occluder(pixels.astype(np.float32), alpha)


def fringe(random: Random, place: Place) -> Occluder:
    """A fringe or a curtain of hair over forehead and temple."""
    side, size = place.side, place.size
    top, chin = place.points[FOREHEAD, :2], place.points[CHIN, :2]
    down = (chin - top) / size
    across = np.array([-down[1], down[0]])
    columns = np.linspace(-0.6, 0.6, 13)
    slant, level, wave = random.uniform(-0.4, 0.4), random.uniform(0.02, 0.3), random.uniform(0, 0.05)
    if random.random() < 0.3:  # a curtain down one side
        reach = np.clip((columns * random.choice([-1, 1]) - random.uniform(0.1, 0.4)) * 6, 0, 1) * random.uniform(
            0.3, 1
        )
    else:
        reach = level + slant * columns
    reach = reach + random.normal(0, wave + 0.01, 13)
    edge = [top + size * (x * across + y * down) for x, y in zip(columns, reach, strict=True)]
    ends = [top + size * (0.65 * across - 0.6 * down), top + size * (-0.65 * across - 0.6 * down)]
    alpha = fill(side, np.array([*edge, *ends], np.float32))
    alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), random.uniform(0.6, 2.5)), np.float32)
    grain = random.normal(0, 1, (side, side)).astype(np.float32)
    angle = math.degrees(math.atan2(float(down[1]), float(down[0]))) + random.uniform(-35, 35)
    kernel = np.zeros((31, 31), np.float32)
    kernel[15] = 1 / 31
    turn = cv2.getRotationMatrix2D((15, 15), -angle, 1)
    kernel = np.asarray(cv2.warpAffine(kernel, turn, (31, 31)), np.float32)
    hairs = cv2.filter2D(grain, -1, kernel)
    hairs = hairs / (hairs.std() + 1e-6)
    shade = np.clip(1 + 0.22 * hairs + 0.15 * cloud(random, side, 60), 0.3, 2)
    ragged = np.clip(alpha + 0.25 * hairs * 4 * alpha * (1 - alpha), 0, 1)
    return Occluder((_hair_colour(random) * shade[..., None]).astype(np.float32), np.asarray(ragged, np.float32))


def glasses(random: Random, place: Place) -> Occluder:
    """Rims, bridge and arms; sometimes a reflection, a tint, or dark glass."""
    side, points = place.side, place.points[:, :2]
    eyes = [points[ring].mean(0) for ring in (RIGHT_EYE, LEFT_EYE)]
    apart = float(np.linalg.norm(eyes[1] - eyes[0]))
    across = (eyes[1] - eyes[0]) / apart
    down = np.array([-across[1], across[0]])
    wide, high = apart * random.uniform(0.32, 0.46), apart * random.uniform(0.22, 0.42)
    power, thick = random.uniform(2, 6), apart * random.uniform(0.012, 0.085)
    colours = [
        np.full(3, random.uniform(5, 60)),
        random.uniform(10, 230, 3),
        np.array([90, 150, 190]) * random.uniform(0.5, 1.1),
    ]
    colour = colours[random.integers(3)]
    if random.random() < 0.4:  # wire
        thick = apart * random.uniform(0.008, 0.022)
        colour = np.full(3, random.uniform(90, 235)) * random.uniform(0.85, 1.1, 3)
    drop, metal = random.uniform(-0.03, 0.12) * apart, random.uniform(0, 1)
    t = np.linspace(0, 2 * math.pi, 64, endpoint=False)
    shape = np.column_stack(
        [np.sign(np.cos(t)) * np.abs(np.cos(t)) ** (2 / power), np.sign(np.sin(t)) * np.abs(np.sin(t)) ** (2 / power)]
    )
    rims, lens = np.zeros((side, side), np.uint8), np.zeros((side, side), np.float32)
    pixel = max(1, round(thick))
    fine = min(1.0, thick)
    half = random.random() < 0.15
    for eye in eyes:
        ring = eye + drop * down + wide * shape[:, :1] * across + high * shape[:, 1:] * down
        shown = ring[np.sin(t) < 0.2] if half else ring
        cv2.polylines(rims, [np.round(shown * 16).astype(np.int32)], not half, 255, pixel, cv2.LINE_AA, 4)
        lens = np.maximum(lens, fill(side, ring.astype(np.float32)))
    inner = [eyes[0] + drop * down + wide * across, eyes[1] + drop * down - wide * across]
    bow = (inner[0] + inner[1]) / 2 - down * high * random.uniform(0, 0.4)
    outer = [eyes[0] - wide * across, eyes[1] + wide * across]
    ends = [points[127], points[356]]
    for line in (
        np.array([inner[0], bow, inner[1]]),
        *(np.array([o + drop * down, e]) for o, e in zip(outer, ends, strict=True)),
    ):
        cv2.polylines(rims, [np.round(line * 16).astype(np.int32)], False, 255, pixel, cv2.LINE_AA, 4)
    alpha = np.asarray(rims, np.float32) * np.float32(fine / 255)
    gloss = 1 + metal * 0.8 * np.clip(cloud(random, side, 25), 0, 2)
    pixels = (colour * gloss[..., None]).astype(np.float32)
    kind = random.random()
    if kind < 0.18:  # dark glass
        glass = (
            np.full((side, side, 3), random.uniform(10, 60), np.float32)
            * (1 + 0.3 * cloud(random, side, 80))[..., None]
        )
        made = Occluder(glass, np.asarray(lens * random.uniform(0.8, 1), np.float32))
        return over(made, Occluder(pixels, alpha))
    if kind < 0.45:  # a reflection of a screen or a window
        slope = cloud(random, side, 60)
        shine = lens * np.clip((slope - random.uniform(0.6, 1.6)) * 3, 0, 1) * random.uniform(0.4, 1)
        made = Occluder(
            np.asarray(np.full((side, side, 3), random.uniform(180, 255, 3)), np.float32), np.asarray(shine, np.float32)
        )
        return over(made, Occluder(pixels, alpha))
    return Occluder(pixels, alpha)
