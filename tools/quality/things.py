"""Things that get in front of a face, drawn by code: for each a function from the moment to an `Overlay`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from obs_facelive.frame import Floats
from obs_facelive.topology import FOREHEAD, LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS
from tools.quality.canvas import Canvas
from tools.quality.hand import SIDE, draw_hand
from tools.quality.head_axes import EARS, HeadAxes
from tools.quality.overlay import Overlay, Shadow, lay

_BRIDGE = 168
_CLUMPS = (((-0.20, -0.86), (-0.34, 0.32)), ((-0.10, -0.88), (-0.22, 0.02)), ((0.16, -0.86), (0.36, 0.2)))
"""Root and tip of each clump of loose hair, x and y in the head's coordinates."""


@dataclass(frozen=True)
class Moment:
    """What a thing is drawn for.

    Attributes
    ----------
    width, height : of the picture, pixels
    points : (478, 3) the face in this picture
    start : (478, 3) the face where the path of whatever moves by itself began
    skin : (3,) BGR 0..255, the face's own
    light : how bright the picture is: 1 a well lit room
    progress : 0..1, how far along its path the thing is
    """

    width: int
    height: int
    points: Floats
    start: Floats
    skin: Floats
    light: float
    progress: float

    @property
    def middle(self) -> Floats:
        """(2,) of the face where the path began."""
        return np.asarray(self.start[:, :2].mean(axis=0), np.float32)

    @property
    def across(self) -> float:
        """Width of the face in pixels, as if seen from the front."""
        return float(np.linalg.norm(self.start[EARS[1]] - self.start[EARS[0]]))


def hand(moment: Moment) -> Overlay:
    """A hand in the person's own skin that wipes over cheek, mouth and nose, fingers up, and casts a contact shadow."""
    size, u = moment.across * 1.25, moment.progress
    # From beside the face on the picture's right, over it, and out on the left.
    middle = moment.middle + np.array([0.95 - 1.9 * u, 0.62 - 0.45 * np.sin(np.pi * u)]) * moment.across
    turn = np.radians(14 - 34 * u)
    return _hand_at(moment, middle, size, float(turn))


def hand_on_chin(moment: Moment) -> Overlay:
    """The same hand, held still before chin and mouth."""
    sway = 0.04 * np.sin(2 * np.pi * moment.progress)
    return _hand_at(moment, moment.middle + np.array([0.06 + sway, 0.72]) * moment.across, moment.across * 1.15, -0.12)


def _hand_at(moment: Moment, middle: npt.NDArray[np.float64], size: float, turn: float) -> Overlay:
    scale = size / SIDE
    cos, sin = np.cos(turn) * scale, np.sin(turn) * scale
    linear = np.array([[cos, -sin], [sin, cos]])
    shift = middle - linear @ np.array([0.48 * SIDE, 0.55 * SIDE])
    across = moment.across
    shadow = Shadow(0.035 * across, 0.05 * across, 0.045 * across, 0.45)
    canvas = draw_hand(np.asarray(moment.skin * 0.97, np.float32))
    if scale < 1:
        canvas = np.asarray(cv2.GaussianBlur(canvas, (0, 0), 0.4 / scale), np.float32)
    return lay(canvas, np.column_stack([linear, shift]).astype(np.float32), moment.width, moment.height, shadow)


def hair(moment: Moment) -> Overlay:
    """Loose strands from above the forehead down to the cheeks, fixed to the head, swaying a little."""
    canvas, random, head = _canvas(moment), np.random.default_rng(11), HeadAxes.of(moment.points)
    t = np.linspace(0, 1, 24)[:, None]
    for clump, (root, tip) in enumerate(_CLUMPS):
        for strand in range(22):
            sway = 0.015 * np.sin(2 * np.pi * (moment.progress + 0.1 * clump + 0.01 * strand))
            spread = random.normal(0, 1, 4)
            start = np.array([root[0] + 0.035 * spread[0], root[1]])
            bow = np.array([(root[0] + tip[0]) / 2 + 0.05 * spread[1] + 0.08 * np.sign(tip[0]), -0.40])
            end = np.array([tip[0] + 0.045 * spread[2] + sway, tip[1] + 0.05 * spread[3]])
            curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * bow + t**2 * end
            line = head.pixels(np.column_stack([curve, np.full(24, -0.30)]))
            tone = np.array([26, 34, 48]) * (0.7 + 0.9 * random.random()) * moment.light
            canvas.stroke(line, tone, moment.across * random.choice([0.004, 0.007, 0.010]))
    return canvas.finished(Shadow(2, 3, 0.012 * moment.across, 0.35))


def glasses(moment: Moment) -> Overlay:
    """Dark rims, bridge and temples, worn: they follow the head's pose in space."""
    canvas, head, points = _canvas(moment), HeadAxes.of(moment.points), moment.points
    thick = moment.across * 0.020
    tone, bright = np.array([34, 30, 30]) * moment.light, np.array([120, 116, 112]) * moment.light
    eyes = [head.place(points[list(c)].mean(axis=0)) for c in (RIGHT_EYE_CORNERS, LEFT_EYE_CORNERS)]
    front = head.place(points[_BRIDGE])[2] - 0.03
    turned = float(head.axes[2, 0]) / moment.across  # above 0 the picture's right side is the far one
    around = np.linspace(0, 2 * np.pi, 49)
    # A rounded square: |x|^3 + |y|^3 = 1.
    shape = np.stack([np.sign(f(around)) * np.abs(f(around)) ** (2 / 3) for f in (np.cos, np.sin)], axis=1)
    for side, (eye, ear) in enumerate(zip(eyes, EARS, strict=True)):
        hinge = np.array([eye[0] + (0.19 if side else -0.19), eye[1] - 0.06, front + 0.02])
        temple = head.place(points[ear]) * [1.02, 1, 1] + [0, -0.05, 0.05]
        if abs(turned) < 0.2 or (turned > 0) != bool(side):
            canvas.stroke(head.pixels(np.stack([hinge, temple])), tone, thick)
        rim = shape * [0.185, 0.145] + [eye[0], eye[1] + 0.02]
        ring = head.pixels(np.column_stack([rim, np.full(len(rim), front)]))
        canvas.stroke(ring, tone, thick)
        canvas.stroke(ring[28:34] - [0, 0.22 * thick], bright, thick / 4)
    inner = np.array([[eyes[0][0] + 0.175, eyes[0][1], front], [eyes[1][0] - 0.175, eyes[1][1], front]])
    middle = inner.mean(axis=0) - [0, 0.04, 0.01]
    canvas.stroke(head.pixels(np.stack([inner[0], middle, inner[1]])), tone, thick)
    return canvas.finished(Shadow(2, 0.03 * moment.across, 0.014 * moment.across, 0.30))


def mug(moment: Moment) -> Overlay:
    """A glazed mug that is lifted to the mouth and put down again, with the fingers that hold it."""
    size = moment.across * 0.62
    lift = np.sin(np.pi * moment.progress)
    middle = moment.middle + np.array([0.05, 1.05 - 0.92 * lift]) * moment.across
    high, wide = 460, 400
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    u = (x - 200) / 130
    bow = 22 * np.sqrt(np.clip(1 - u**2, 0, 1))
    body = np.clip(131 - np.abs(x - 200), 0, 1) * np.clip(y - 60 + bow + 0.5, 0, 1) * np.clip(400 + bow - y + 0.5, 0, 1)
    turned = np.clip(0.35 + 0.75 * np.sqrt(np.clip(1 - (u + 0.35) ** 2, 0, 1)) - 0.25 * np.clip(u, 0, 1), 0.15, 1.2)
    glaze = np.array([126, 92, 48], np.float32) * turned[..., None]
    glaze += (np.exp(-(((u + 0.45) / 0.07) ** 2)) * 90 + np.exp(-(((u - 0.62) / 0.05) ** 2)) * 22)[..., None]
    mouth = np.hypot(u, (y - 62) / 22)
    inside = np.clip((1 - mouth) * 40, 0, 1)
    rim = np.clip(1 - np.abs(mouth - 1) * 14, 0, 1)
    glaze = (
        glaze * (1 - inside[..., None]) + np.array([52, 40, 30], np.float32) * inside[..., None] + rim[..., None] * 60
    )
    ring = np.hypot((x - 325) * 1.05, (y - 230) * 0.8)
    handle = np.clip(20 - np.abs(ring - 66) + 0.5, 0, 1) * (x > 318)
    only = (handle * (1 - body))[..., None]
    round_off = np.array([126, 92, 48], np.float32) * (0.55 + 0.5 * np.exp(-(((ring - 72) / 9) ** 2)))[..., None]
    glaze = glaze * (1 - only) + round_off * only
    alpha = np.maximum(np.maximum(body, np.clip((1.02 - mouth) * 60, 0, 1)), handle)
    canvas = np.dstack([np.clip(glaze * moment.light, 0, 255) * alpha[..., None], alpha]).astype(np.float32)
    scale = size / 260
    matrix = np.array([[scale, 0, middle[0] - 200 * scale], [0, scale, middle[1] - 60 * scale]], np.float32)
    shadow = Shadow(0.02 * moment.across, 0.05 * moment.across, 0.05 * moment.across, 0.4)
    return lay(canvas, matrix, moment.width, moment.height, shadow)


def microphone(moment: Moment) -> Overlay:
    """A foam-covered microphone on an arm from below, before the mouth's corner, hardly moving."""
    canvas, across = _canvas(moment, up=0.1, down=1.6), moment.across
    sway = 0.03 * np.sin(2 * np.pi * moment.progress)
    middle, foot = (moment.middle + np.array(v) * across for v in ((0.24 + sway, 0.34), (0.75, 1.6)))
    canvas.stroke(np.stack([middle, foot]), np.array([44, 42, 42]) * moment.light, 0.07 * across)
    canvas.stroke(np.stack([middle, foot]) - [2, 2], np.array([90, 88, 86]) * moment.light, 0.012 * across)
    x, y = canvas.grid()
    u, v = (x - middle[0]) / (0.17 * across), (y - middle[1]) / (0.20 * across)
    inside = 1 - u**2 - v**2
    light = np.clip(-0.4 * u - 0.5 * v + 0.75 * np.sqrt(np.clip(inside, 0, 1)), 0.05, 1)
    foam = (16 + 60 * light) * (1 + 0.18 * _grain(light.shape, 4)) * moment.light
    tone = np.clip(foam, 0, 255)[..., None] * np.array([1, 0.97, 0.96], np.float32)
    canvas.lay(tone.astype(np.float32), np.clip(inside * 0.17 * across + 0.5, 0, 1).astype(np.float32))
    return canvas.finished(Shadow(0.02 * across, 0.05 * across, 0.05 * across, 0.35))


def visor(moment: Moment) -> Overlay:
    """A cap pulled down to the brows: its crown, its visor, and the shadow of both on the face."""
    canvas, head = _canvas(moment), HeadAxes.of(moment.points)
    around = np.linspace(np.pi, 0, 33)
    side, bow = np.cos(around), np.sin(around)
    brow = head.place(moment.points[FOREHEAD])
    level, front = brow[1] + 0.10, brow[2]
    edge = np.column_stack([0.54 * side, np.full(33, level), front + 0.30 - 0.38 * bow])
    rim = np.column_stack([0.50 * side, level + 0.10 - 0.06 * np.abs(side), front + 0.24 - 0.85 * bow])
    crown = np.column_stack([0.60 * side, level - 0.72 * bow**0.8, np.full(33, front + 0.35)])
    cloth = np.array([46, 40, 118]) * moment.light
    canvas.area(np.concatenate([head.pixels(crown), head.pixels(edge)[::-1]]), cloth * 0.95)
    canvas.area(np.concatenate([head.pixels(edge), head.pixels(rim)[::-1]]), cloth * 0.72)
    for share in (0.5, 0.7, 0.9):
        canvas.stroke(head.pixels(edge + (rim - edge) * share), cloth * 0.55, 1.0)
    canvas.colour *= 1 + 0.06 * _grain(canvas.alpha.shape, 2)[..., None]
    return canvas.finished(Shadow(3, 0.10 * moment.across, 0.05 * moment.across, 0.5))


THINGS: dict[str, Callable[[Moment], Overlay]] = {
    "hand": hand,
    "hand_on_chin": hand_on_chin,
    "hair": hair,
    "glasses": glasses,
    "mug": mug,
    "microphone": microphone,
    "visor": visor,
}
"""All of them by name."""


def _canvas(moment: Moment, up: float = 0.9, down: float = 0.9) -> Canvas:
    """A sheet around the face, ``up`` and ``down`` widths of it high."""
    points, across = moment.points[:, :2].astype(np.float64), moment.across
    low, high = points.min(axis=0), points.max(axis=0)
    low, high = low - np.array([0.7, up]) * across, high + np.array([0.7, down]) * across
    return Canvas(moment.width, moment.height, low, high)


def _grain(shape: tuple[int, ...], seed: int) -> Floats:
    """(h, w) float32, mean 0, standard deviation about 1, as fine as cloth or foam."""
    small = np.random.default_rng(seed).normal(0, 1, (shape[0] // 2 + 1, shape[1] // 2 + 1)).astype(np.float32)
    soft = cv2.GaussianBlur(small, (0, 0), 0.8)
    return np.asarray(cv2.resize(soft / soft.std(), (shape[1], shape[0])), np.float32)
