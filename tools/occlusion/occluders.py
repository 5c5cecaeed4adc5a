"""Things in front of a face, drawn at random: hands, hair, glasses, caps, masks, mugs, microphones, telephones, anything."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

from obs_facelive.frame import Floats
from obs_facelive.topology import CHIN, FOREHEAD
from tools.occlusion.place import Occluder, Place, Random, capsule, cloud, fill, nothing, over, rounded, soft
from tools.occlusion.worn import fringe, glasses, strands


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
    made = nothing(side)

    def lay(alpha: Floats, radius: float, shade: float = 1.0) -> None:
        nonlocal made
        body = rounded(alpha, radius, light)[..., None] * (tone * shade)
        # Where one part lies on another, it casts a little shadow.
        near = cv2.GaussianBlur(alpha, (0, 0), max(1.0, palm * 0.05))[..., None]
        made = Occluder(made.pixels * (1 - 0.45 * near * (1 - alpha[..., None])), made.alpha)
        made = over(made, Occluder(body.astype(np.float32), alpha))

    def at(x: float, y: float) -> Floats:
        return np.asarray(middle + palm * (x * across + y * up), np.float32)

    bent, mirrored = random.uniform(0.45, 1.0), random.choice([-1.0, 1.0])
    lay(capsule(side, at(0, -0.8), at(random.uniform(-0.4, 0.4), -7), palm * 0.62, palm * 0.85), palm * 0.7)
    fingers = []
    spread = random.uniform(0.0, 0.22)
    for k, (x, length) in enumerate(((-0.66, 1.45), (-0.22, 1.75), (0.22, 1.65), (0.64, 1.25))):
        lean = (k - 1.5) * spread + random.normal(0, 0.06)
        fingers.append((x * mirrored, 0.72, lean * mirrored, length * bent * random.uniform(0.85, 1.05), 0.235))
    outline = [at(x, y) for x, y in ((-0.95, 0.7), (-0.5, 1.0), (0.5, 1.0), (0.95, 0.7), (0.9, -0.6), (0.5, -1.05))]
    outline += [at(x, y) for x, y in ((-0.5, -1.05), (-0.95, -0.6))]
    if random.random() < 0.5:
        lay(soft(fill(side, np.array(outline)), 1.0), palm * 0.8)
        fingers.append((-0.75 * mirrored, -0.35, -0.8 * mirrored + random.normal(0, 0.3), 1.35, 0.29))
    else:
        fingers.insert(0, (-0.75 * mirrored, -0.35, -0.8 * mirrored + random.normal(0, 0.3), 1.35, 0.29))
        lay(soft(fill(side, np.array(outline)), 1.0), palm * 0.8)
    for x, y, lean, length, thick in fingers:
        start, direction = np.array([x, y]), lean
        for joint in range(3):
            step = length * (0.42, 0.33, 0.25)[joint]
            end = start + step * np.array([math.sin(direction), math.cos(direction)])
            width = thick * (1.0, 0.92, 0.82)[joint] * palm
            lay(capsule(side, at(*start), at(*end), width, width * 0.93), width, random.uniform(0.94, 1.05))
            start, direction = end, direction + random.normal(0, 0.18)
        if random.random() < 0.5:
            nail = capsule(side, at(*(start * 0.97)), at(*start), width * 0.5, width * 0.45)
            pink = np.clip(tone * random.uniform(1.02, 1.25) + [6, 2, 10], 0, 255)
            made = over(made, Occluder(np.broadcast_to(pink, made.pixels.shape).astype(np.float32), nail * 0.7))
    skin = 1 + 0.05 * cloud(random, side, 20) + 0.025 * cloud(random, side, 3)
    return Occluder(made.pixels * skin[..., None], made.alpha)


def _surface(random: Random, place: Place) -> Floats:
    """(side, side, 3) what a thing's surface looks like."""
    side = place.side
    kind = random.random()
    if kind < 0.4:
        colour = random.uniform(0, 255, 3) if random.random() < 0.6 else np.full(3, random.uniform(0, 255))
        plain = np.broadcast_to(colour, (side, side, 3)) * (1 + 0.25 * cloud(random, side, 150))[..., None]
        return np.asarray(plain + random.uniform(0, 12) * cloud(random, side, 2)[..., None], np.float32)
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
        place.skin * random.uniform(0.8, 1.2) * (1 + 0.1 * cloud(random, side, 90))[..., None], np.float32
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
    alpha = fill(side, ring.astype(np.float32))
    if random.random() < 0.5:  # with a stick, a handle, an arm
        away = random.uniform(0, 2 * math.pi)
        end = middle + place.size * 1.5 * np.array([math.cos(away), math.sin(away)])
        width = reach * random.uniform(0.1, 0.6)
        alpha = np.maximum(alpha, capsule(side, middle, end.astype(np.float32), width, width))
    alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), random.uniform(0.4, 2.0)), np.float32)
    shade = rounded(alpha, reach * random.uniform(0.2, 1), random.uniform(0, 6.3))[..., None]
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
    alpha = fill(side, np.array([*edge, *ends], np.float32))
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
