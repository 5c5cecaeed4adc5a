"""Things in front of a face, drawn at random: hands, hair, glasses, caps, masks, mugs, microphones, telephones, anything."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from obs_facelive.frame import Floats, Pixels
from obs_facelive.topology import CHIN, FOREHEAD, LEFT_EYE, NOSE_TIP, RIGHT_EYE

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


def _fill(side: int, polygon: Floats) -> Floats:
    plane = np.zeros((side, side), np.uint8)
    cv2.fillPoly(plane, [np.round(polygon * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return np.asarray(plane, np.float32) / np.float32(255)


def _capsule(side: int, start: Floats, end: Floats, thick: float, thin: float) -> Floats:
    """A thick line with round ends, ``thick`` and ``thin`` the radii at its ends."""
    along = math.atan2(float(end[1] - start[1]), float(end[0] - start[0]))
    first = along + math.pi / 2 + np.linspace(0, math.pi, 12)
    last = along - math.pi / 2 + np.linspace(0, math.pi, 12)
    corners = [start + thick * np.column_stack([np.cos(first), np.sin(first)])]
    corners += [end + thin * np.column_stack([np.cos(last), np.sin(last)])]
    return _fill(side, np.vstack(corners).astype(np.float32))


def _rounded(alpha: Floats, radius: float, light: float) -> Floats:
    """(h, w) brightness of a body that bulges towards the viewer, lit from the direction ``light``."""
    inside = cv2.distanceTransform((alpha > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    height = np.sqrt(np.clip(1 - (1 - np.clip(inside / max(radius, 1), 0, 1)) ** 2, 0, 1)).astype(np.float32)
    height = cv2.GaussianBlur(height, (0, 0), max(1.0, radius * 0.15))
    slope_x, slope_y = cv2.Sobel(height, cv2.CV_32F, 1, 0), cv2.Sobel(height, cv2.CV_32F, 0, 1)
    slope = (slope_x * math.cos(light) + slope_y * math.sin(light)) * radius / 8
    return np.asarray(np.clip(0.68 + 0.32 * height - 0.35 * np.clip(slope, -1, 1), 0.2, 1.3), np.float32)


def _over(below: Occluder, above: Occluder) -> Occluder:
    a = above.alpha[..., None]
    return Occluder(below.pixels * (1 - a) + above.pixels * a, np.maximum(below.alpha, above.alpha))


def _soft(plane: Floats, width: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), width), np.float32)


def _nothing(side: int) -> Occluder:
    return Occluder(np.zeros((side, side, 3), np.float32), np.zeros((side, side), np.float32))


def _cloud(random: Random, side: int, grain: float) -> Floats:
    """(side, side) smooth noise, standard deviation 1."""
    small = max(4, round(side / grain))
    noise = random.normal(0, 1, (small, small)).astype(np.float32)
    return np.asarray(cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)


def hand(random: Random, place: Place) -> Occluder:
    """A hand with its arm, mostly in the person's own skin colour."""
    side, palm = place.side, place.size * random.uniform(0.2, 0.3)
    tone = place.skin * random.uniform(0.72, 1.22) * random.uniform(0.93, 1.07, 3)
    if random.random() < 0.12:
        tone = random.uniform(20, 240, 3)
    light, turn = random.uniform(0, 2 * math.pi), random.uniform(0, 2 * math.pi)
    middle = place.somewhere(random)
    across = np.array([math.cos(turn), math.sin(turn)])
    up = np.array([math.sin(turn), -math.cos(turn)])
    made = _nothing(side)

    def lay(alpha: Floats, radius: float, shade: float = 1.0) -> None:
        nonlocal made
        body = _rounded(alpha, radius, light)[..., None] * (tone * shade)
        # Where one part lies on another, it casts a little shadow.
        near = cv2.GaussianBlur(alpha, (0, 0), max(1.0, palm * 0.05))[..., None]
        made = Occluder(made.pixels * (1 - 0.45 * near * (1 - alpha[..., None])), made.alpha)
        made = _over(made, Occluder(body.astype(np.float32), alpha))

    def at(x: float, y: float) -> Floats:
        return np.asarray(middle + palm * (x * across + y * up), np.float32)

    bent, mirrored = random.uniform(0.45, 1.0), random.choice([-1.0, 1.0])
    lay(_capsule(side, at(0, -0.8), at(random.uniform(-0.4, 0.4), -7), palm * 0.62, palm * 0.85), palm * 0.7)
    fingers = []
    spread = random.uniform(0.0, 0.22)
    for k, (x, length) in enumerate(((-0.66, 1.45), (-0.22, 1.75), (0.22, 1.65), (0.64, 1.25))):
        lean = (k - 1.5) * spread + random.normal(0, 0.06)
        fingers.append((x * mirrored, 0.72, lean * mirrored, length * bent * random.uniform(0.85, 1.05), 0.235))
    outline = [at(x, y) for x, y in ((-0.95, 0.7), (-0.5, 1.0), (0.5, 1.0), (0.95, 0.7), (0.9, -0.6), (0.5, -1.05))]
    outline += [at(x, y) for x, y in ((-0.5, -1.05), (-0.95, -0.6))]
    if random.random() < 0.5:
        lay(_soft(_fill(side, np.array(outline)), 1.0), palm * 0.8)
        fingers.append((-0.75 * mirrored, -0.35, -0.8 * mirrored + random.normal(0, 0.3), 1.35, 0.29))
    else:
        fingers.insert(0, (-0.75 * mirrored, -0.35, -0.8 * mirrored + random.normal(0, 0.3), 1.35, 0.29))
        lay(_soft(_fill(side, np.array(outline)), 1.0), palm * 0.8)
    for x, y, lean, length, thick in fingers:
        start, direction = np.array([x, y]), lean
        for joint in range(3):
            step = length * (0.42, 0.33, 0.25)[joint]
            end = start + step * np.array([math.sin(direction), math.cos(direction)])
            width = thick * (1.0, 0.92, 0.82)[joint] * palm
            lay(_capsule(side, at(*start), at(*end), width, width * 0.93), width, random.uniform(0.94, 1.05))
            start, direction = end, direction + random.normal(0, 0.18)
        if random.random() < 0.5:
            nail = _capsule(side, at(*(start * 0.97)), at(*start), width * 0.5, width * 0.45)
            pink = np.clip(tone * random.uniform(1.02, 1.25) + [6, 2, 10], 0, 255)
            made = _over(made, Occluder(np.broadcast_to(pink, made.pixels.shape).astype(np.float32), nail * 0.7))
    skin = 1 + 0.05 * _cloud(random, side, 20) + 0.025 * _cloud(random, side, 3)
    return Occluder(made.pixels * skin[..., None], made.alpha)


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
    made, colour = _nothing(side), _hair_colour(random)
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
    alpha = _fill(side, np.array([*edge, *ends], np.float32))
    alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), random.uniform(0.6, 2.5)), np.float32)
    grain = random.normal(0, 1, (side, side)).astype(np.float32)
    angle = math.degrees(math.atan2(float(down[1]), float(down[0]))) + random.uniform(-35, 35)
    kernel = np.zeros((31, 31), np.float32)
    kernel[15] = 1 / 31
    turn = cv2.getRotationMatrix2D((15, 15), -angle, 1)
    kernel = np.asarray(cv2.warpAffine(kernel, turn, (31, 31)), np.float32)
    hairs = cv2.filter2D(grain, -1, kernel)
    hairs = hairs / (hairs.std() + 1e-6)
    shade = np.clip(1 + 0.22 * hairs + 0.15 * _cloud(random, side, 60), 0.3, 2)
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
        lens = np.maximum(lens, _fill(side, ring.astype(np.float32)))
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
    gloss = 1 + metal * 0.8 * np.clip(_cloud(random, side, 25), 0, 2)
    pixels = (colour * gloss[..., None]).astype(np.float32)
    kind = random.random()
    if kind < 0.18:  # dark glass
        glass = (
            np.full((side, side, 3), random.uniform(10, 60), np.float32)
            * (1 + 0.3 * _cloud(random, side, 80))[..., None]
        )
        made = Occluder(glass, np.asarray(lens * random.uniform(0.8, 1), np.float32))
        return _over(made, Occluder(pixels, alpha))
    if kind < 0.45:  # a reflection of a screen or a window
        slope = _cloud(random, side, 60)
        shine = lens * np.clip((slope - random.uniform(0.6, 1.6)) * 3, 0, 1) * random.uniform(0.4, 1)
        made = Occluder(
            np.asarray(np.full((side, side, 3), random.uniform(180, 255, 3)), np.float32), np.asarray(shine, np.float32)
        )
        return _over(made, Occluder(pixels, alpha))
    return Occluder(pixels, alpha)


def _surface(random: Random, place: Place) -> Floats:
    """(side, side, 3) what a thing's surface looks like."""
    side = place.side
    kind = random.random()
    if kind < 0.4:
        colour = random.uniform(0, 255, 3) if random.random() < 0.6 else np.full(3, random.uniform(0, 255))
        plain = np.broadcast_to(colour, (side, side, 3)) * (1 + 0.25 * _cloud(random, side, 150))[..., None]
        return np.asarray(plain + random.uniform(0, 12) * _cloud(random, side, 2)[..., None], np.float32)
    if kind < 0.7:  # cut from a picture, at another size
        part = int(random.integers(30, side))
        x, y = random.integers(0, side - part + 1, 2)
        cut = cv2.resize(place.scrap[y : y + part, x : x + part], (side, side), interpolation=cv2.INTER_LINEAR)
        return np.asarray(np.rot90(np.asarray(cut), int(random.integers(4))) * random.uniform(0.6, 1.3), np.float32)
    if kind < 0.85:  # stripes, letters, a grille
        step, turn = random.uniform(4, 40), random.uniform(0, math.pi)
        y, x = np.mgrid[:side, :side]
        wave = np.sign(np.sin((x * math.cos(turn) + y * math.sin(turn)) * 2 * math.pi / step))[..., None]
        first, second = random.uniform(0, 255, 3), random.uniform(0, 255, 3)
        return np.asarray((first + second) / 2 + (first - second) / 2 * wave, np.float32)
    # something of the colour of skin, but without a face's features
    return np.asarray(
        place.skin * random.uniform(0.8, 1.2) * (1 + 0.1 * _cloud(random, side, 90))[..., None], np.float32
    )


def thing(random: Random, place: Place) -> Occluder:
    """A mug, a telephone, a microphone, food, a sleeve: a blob, a box or a disc with a surface."""
    side, middle = place.side, place.somewhere(random)
    reach = place.size * random.uniform(0.06, 0.45)
    t = np.linspace(0, 2 * math.pi, 40, endpoint=False)
    power, stretch, turn = random.choice([2.0, 2.0, 4.0, 9.0]), random.uniform(0.35, 1), random.uniform(0, math.pi)
    x = np.sign(np.cos(t)) * np.abs(np.cos(t)) ** (2 / power)
    y = np.sign(np.sin(t)) * np.abs(np.sin(t)) ** (2 / power) * stretch
    if random.random() < 0.35:
        wobble = 1 + sum(random.normal(0, 0.15) * np.cos(k * t + random.uniform(0, 6)) for k in range(2, 6))
        x, y = x * wobble, y * wobble
    ring = middle + reach * np.column_stack(
        [x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)]
    )
    alpha = _fill(side, ring.astype(np.float32))
    if random.random() < 0.5:  # with a stick, a handle, an arm
        away = random.uniform(0, 2 * math.pi)
        end = middle + place.size * 1.5 * np.array([math.cos(away), math.sin(away)])
        width = reach * random.uniform(0.1, 0.6)
        alpha = np.maximum(alpha, _capsule(side, middle, end.astype(np.float32), width, width))
    alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), random.uniform(0.4, 2.0)), np.float32)
    shade = _rounded(alpha, reach * random.uniform(0.2, 1), random.uniform(0, 6.3))[..., None]
    return Occluder(np.asarray(_surface(random, place) * shade, np.float32), alpha)


def cloth(random: Random, place: Place) -> Occluder:
    """A cap's visor from above, or a mask or a scarf from below."""
    side, size = place.side, place.size
    top, chin = place.points[FOREHEAD, :2], place.points[CHIN, :2]
    down = (chin - top) / size
    across = np.array([-down[1], down[0]])
    x = np.linspace(-0.75, 0.75, 15)
    bow = random.uniform(-0.15, 0.15) * (x / 0.75) ** 2 + random.uniform(-0.1, 0.1) * x
    above = random.random() < 0.55
    level = random.uniform(0.03, 0.3) if above else random.uniform(0.45, 0.85)
    edge = top + size * (x[:, None] * across + (level + bow)[:, None] * down)
    far = -0.8 if above else 1.6
    ends = [top + size * (0.8 * across + far * down), top + size * (-0.8 * across + far * down)]
    alpha = _fill(side, np.array([*edge, *ends], np.float32))
    alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), random.uniform(0.4, 2.0)), np.float32)
    return Occluder(np.asarray(_surface(random, place), np.float32), alpha)


KINDS: tuple[tuple[float, Callable[[Random, Place], Occluder]], ...] = (
    *((0.36, hand), (0.12, strands), (0.08, fringe), (0.24, glasses), (0.15, thing), (0.05, cloth)),
)
"""How often each is drawn."""


def draw(random: Random, place: Place) -> tuple[str, Occluder]:
    """A random kind's name, and one of it."""
    kind = KINDS[random.choice(len(KINDS), p=[share for share, _ in KINDS])][1]
    return kind.__name__, kind(random, place)
