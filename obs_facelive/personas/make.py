"""Making a persona from pictures of one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from obs_facelive.detect import Detector
from obs_facelive.frame import Floats, Pixels
from obs_facelive.geometry import head_fit, head_pose, roi_of_detection, roi_of_points
from obs_facelive.landmark import Landmarker
from obs_facelive.merge.iris import read_iris
from obs_facelive.personas.library import LINES_UNIT, MOUTH, Persona, PersonaError, PersonaInfo
from obs_facelive.personas.unwrap import flatten_light, odds_gain, over_texture, unwrap, unwrap_mouth
from obs_facelive.shape.proportions import proportions, stretched
from obs_facelive.swap.light import LUMA, LightReader, log_odds, skin_points, texture_light
from obs_facelive.swap.mouth import mouth_gap
from obs_facelive.swap.raster import facing
from obs_facelive.topology import CanonicalFace

TEXTURE = 768
BROWN = np.array([-2.2, -1.8, -1.3], np.float32)
"""Eye colour where a picture does not show it: the most frequent one on earth."""
NO_EMBEDDING = np.zeros(0, np.float32)
LINES = 256
UPPER_LIDS = (
    *(226, 247, 30, 29, 27, 28, 56, 190, 113, 225, 224, 223, 222, 221, 189),
    *(446, 467, 260, 259, 257, 258, 286, 414, 342, 445, 444, 443, 442, 441, 413),
)
"""Points between eye and brow."""
OPEN_LIPS = 0.12
"""Gap by width of the mouth from which on a picture shows what is between the lips."""
_HIDDEN_LIDS = 1.35
"""How much more of the lids another picture must show, so that they are taken from there."""
_FAINT = 0.25
"""Log-odds of the brightness that a feature of bare skin may have."""
MIN_FACE = 96
"""Pixels across a face below which a picture is refused."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """One picture of a person.

    Attributes
    ----------
    pixels : (h, w, 3) uint8 BGR
    points : (478, 3) float32, as in `obs_facelive.frame.Landmarks`
    blendshapes : (52,) float32 0..1
    """

    pixels: Pixels
    points: Floats
    blendshapes: Floats


def find_portrait(pixels: Pixels, detector: Detector, landmarker: Landmarker, smallest: int = MIN_FACE) -> Portrait:
    """The largest face of the picture ``pixels``. Raises `PersonaError` where there is none, or none large enough."""
    pixels = np.ascontiguousarray(pixels[..., :3])
    found = detector.detect(pixels)
    if not len(found):
        raise PersonaError("no face was found in the picture. Use one where the whole face is seen from the front.")
    best = int(np.argmax((found.boxes[:, 2:] - found.boxes[:, :2]).prod(1)))
    points = landmarker.landmarks(pixels, roi_of_detection(found.boxes[best], found.eyes[best])).points
    answer = landmarker.landmarks(pixels, roi_of_points(points))
    if answer.score < 0.5:
        raise PersonaError("the face in the picture cannot be read: it is turned away, covered, or cut off.")
    across = float(np.ptp(answer.points[:, 0]))
    if across < smallest:
        raise PersonaError(f"the face is only {across:.0f} pixels wide; at least {smallest} are needed.")
    return Portrait(pixels, answer.points, landmarker.blendshapes(answer.points))


def thumbnail(portrait: Portrait) -> Pixels:
    """The square around the head of ``portrait``, (s, s, 3) uint8 BGR."""
    low, high = portrait.points[:, :2].min(0), portrait.points[:, :2].max(0)
    side = int(min(*(high - low).max(keepdims=True) * 1.7, *portrait.pixels.shape[:2]))
    corner = (low + high) / 2 - side / 2 - [0, side * 0.06]
    x, y = np.clip(corner, 0, np.array(portrait.pixels.shape[1::-1]) - side).astype(int)
    return portrait.pixels[y : y + side, x : x + side]


def from_the_front(portrait: Portrait, canonical: CanonicalFace) -> bool:
    """Whether the head is turned so little that its skin can be compared with that of a face seen from the front."""
    return abs(head_pose(portrait.points, canonical)[0]) < 18


def make_persona(
    info: PersonaInfo,
    base: Portrait,
    canonical: CanonicalFace,
    resting: Portrait | None = None,
    bank: Sequence[Portrait] = (),
    embedding: Floats = NO_EMBEDDING,
) -> Persona:
    """The persona of the person in ``base``.

    Parameters
    ----------
    base : the sharpest picture, from the front: who the person is
    resting, bank : a resting face and expressions, taken in one series (same light, same size): how their skin folds. Of
        the bank those from the front are used, and none without a resting face
    embedding : see `Persona`
    """
    bank = [portrait for portrait in bank if from_the_front(portrait, canonical)] if resting else []
    texture, seen = unwrap(base.pixels, base.points, canonical, TEXTURE)
    texture = _mirror_unseen(texture, seen)
    reader = LightReader(canonical)
    visible = np.clip(facing(base.points[: len(canonical.uv)], canonical.triangles), 0, 1)
    texture = flatten_light(texture, reader.sample(base.pixels, base.points), visible, canonical)
    texture = _show_lids(texture, base, bank, canonical)
    texture = _calm_skin(_even_out(texture, canonical), canonical)
    texture = _mend_sides(texture, np.maximum(seen, 1 - _sides(TEXTURE)), canonical)
    flat = np.clip(texture + 0.5, 0, 255).astype(np.uint8)
    lines = [expression_lines(resting, portrait, canonical) for portrait in bank if resting]
    opened = sorted((mouth_gap(p.points), i) for i, p in enumerate([base, *bank]) if mouth_gap(p.points) > OPEN_LIPS)
    # The least and the widest opened mouth: between them lies what talking needs.
    chosen = opened[:1] + opened[1:][-1:]
    mouths = [unwrap_mouth([base, *bank][i].pixels, [base, *bank][i].points, canonical) for _, i in chosen]
    # The sharper picture, unless its expression changes jaw and mouth.
    calmest = min(
        [base, *([resting] if resting else [])], key=lambda portrait: max(stretched(portrait.blendshapes), 0.15)
    )
    iris = read_iris(base.pixels, base.points)
    return Persona(
        info=info,
        texture=flat,
        skin=texture_light(flat, canonical, reader).mean,
        expressions=np.array([p.blendshapes for p in bank], np.float32).reshape(-1, 52),
        neutral=(resting or base).blendshapes.astype(np.float32),
        lines=np.array(lines, np.int8).reshape(-1, LINES, LINES),
        mouths=np.array(mouths, np.uint8).reshape(-1, *MOUTH, 3),
        gaps=np.array([gap for gap, _ in chosen], np.float32),
        shape=proportions(calmest.points, head_fit(calmest.points, canonical)),
        iris=iris if iris is not None else BROWN,
        embedding=embedding,
    )


def expression_lines(resting: Portrait, portrait: Portrait, canonical: CanonicalFace) -> npt.NDArray[np.int8]:
    """(256, 256) int8: how the folds of ``portrait``'s expression change the skin's brightness, see `Persona.lines`.

    The ratio of two pictures of one person under one light is the change of the surface alone, whoever it is put on
    (Z. Liu, Y. Shan, Z. Zhang, Expressive expression mapping with ratio images, SIGGRAPH 2001). Brows, eyes and lips move as
    a whole, the mesh carries them: there, and where the surface was not seen, nothing is changed.
    """
    (calm, calm_seen), (moved, moved_seen) = (unwrap(p.pixels, p.points, canonical, LINES) for p in (resting, portrait))
    change = log_odds(moved @ LUMA) - log_odds(calm @ LUMA)
    skin = skin_points(canonical)
    where = over_texture(canonical, skin[:, None], LINES)[..., 0]
    where = _blur(np.clip(where * 1.5 - 0.5, 0, 1), 0.008)
    where *= np.clip((np.minimum(calm_seen, moved_seen) - 0.3) / 0.3, 0, 1)
    # A beard's hairs lie elsewhere in every picture.
    bright = _blur(log_odds(calm @ LUMA), 0.02)
    where *= np.clip(1.8 + (bright - np.median(bright[where > 0.5])) * 1.5, 0, 1)
    around = _blur(change * where, 0.07) / (_blur(where, 0.07) + 1e-3)
    folds = _blur(change - around, 0.003) * where
    return np.asarray(np.round(np.tanh(folds / 0.9) * 0.9 / LINES_UNIT), np.int8)


def _mirror_unseen(texture: Floats, seen: Floats) -> Floats:
    """What the camera did not see of one cheek is taken from the other (the canonical face is symmetric in u)."""
    other, other_seen = texture[:, ::-1], seen[:, ::-1]
    trust = np.clip((seen - 0.1) / 0.25, 0, 1)
    other_trust = np.clip((other_seen - 0.1) / 0.25, 0, 1) * (1 - trust)
    weight = _blur(other_trust / (trust + other_trust + 1e-3), 0.01)[..., None]
    return np.asarray(texture * (1 - weight) + other * weight, np.float32)


def _mend_sides(texture: Floats, seen: Floats, canonical: CanonicalFace) -> Floats:
    """The sides of the face, seen at a grazing angle only, take the colour of what lies before them, with their own grain.

    There the studio's light falls off, and hair and background mix in: a dark or grey seam once the live head turns.
    """
    trust = np.clip((seen - 0.55) / 0.3, 0, 1)[..., None]
    odds = log_odds(texture)
    skin = trust * np.clip(_skin(canonical) * 2 - 1, 0.002, 1)[..., None]
    inner = _blur(odds * skin, 0.07) / (_blur(skin[..., 0], 0.07)[..., None] + 1e-6)
    # Only what is as fine as pores and alike in all colours: strands and creases at a grazing angle are smears.
    grain = np.clip((odds - _blur(odds, 0.006)) @ LUMA, -0.15, 0.15) * np.clip((seen - 0.15) / 0.3, 0, 1)
    mended = trust * odds + (1 - trust) * (inner + grain[..., None])
    return np.asarray(255 / (1 + np.exp(-mended)), np.float32)


def _even_out(texture: Floats, canonical: CanonicalFace) -> Floats:
    """What the studio's light left that is too small for `flatten_light`: hollows of cheeks and eyes filled, shine dulled.

    The live light casts its own; shine on a dark skin that is lifted into brighter light would look like metal.
    """
    odds = log_odds(texture)
    luma = odds @ LUMA
    skin = np.clip(_skin(canonical) * 1.5, 0, 1)
    # Beards, stubble and brows are no shadows.
    smooth = _blur(luma, 0.015)
    skin = _blur(skin * np.clip(2.2 + (smooth - np.median(luma[skin > 0.5])) * 1.6, 0, 1), 0.01)
    fine, here, around = (
        _blur(odds * skin[..., None], width) / (_blur(skin, width)[..., None] + 1e-3) for width in (0.005, 0.01, 0.2)
    )
    v, u = (np.mgrid[:TEXTURE, :TEXTURE] + 0.5) / TEXTURE
    cheeks = np.clip((np.abs(u - 0.5) - 0.14) / 0.08, 0, 1) * np.clip((v - 0.42) / 0.08, 0, 1)
    hollow = np.clip((around - here) @ LUMA / 0.2, 0, 1) * skin * cheeks
    shine = np.clip(((fine - around) @ LUMA - 0.1) / 0.4, 0, 1) * skin
    change = 1.4 * hollow[..., None] * np.clip(around - here, -0.8, 0.8)
    darkness = float(np.clip((0.2 - np.median(luma[skin > 0.5])) / 1.2, 0, 1))
    sockets = _blur(_lids(canonical), 0.008)[..., None]
    change += 0.6 * sockets * np.clip(around - _blur(odds, 0.01), 0, 1.2)
    change += (0.12 + 0.45 * darkness) * shine[..., None] * np.clip(around - fine, -1.5, 0.3)
    # Colour is strongest at middle brightness: dark hair and deep shadows, lifted to there, would glow orange.
    change -= 0.45 * np.clip(np.median(luma[skin > 0.5]) - luma - 0.4, 0, 1)[..., None] * (odds - luma[..., None])
    return odds_gain(texture, np.exp(change).astype(np.float32))


def _calm_skin(texture: Floats, canonical: CanonicalFace) -> Floats:
    """Blotches, creases and smears of colour on bare skin, softened: lifted into another light they would be scars.

    Only what is smaller than a hundredth of the face or so: larger features are who the person is.

    Differences of brightness up to `_FAINT` stay nearly as they are; of the colour's, which skin hardly has, a part.
    """
    odds = log_odds(texture)
    skin = _skin(canonical)
    skin = np.maximum(np.clip(skin * 1.6 - 0.6, 0, 1), _lids(canonical))
    luma = odds @ LUMA
    # Hairs of beards and brows are much darker than the skin around them, over an area.
    bright = _blur(luma, 0.008)
    skin = _blur(skin * np.clip(1.7 + (bright - np.median(luma[skin > 0.5])) * 1.9, 0, 1), 0.006)[..., None]
    share = _blur(skin[..., 0], 0.014)[..., None] + 1e-3
    around = _blur(odds * skin, 0.014) / share
    middle = _blur(odds * skin, 0.0025) / (_blur(skin[..., 0], 0.0025)[..., None] + 1e-3)
    band = middle - around
    brightness = (band @ LUMA)[..., None]
    colour = band - brightness
    calm = _FAINT * np.tanh(brightness / _FAINT) + 0.5 * colour
    fine = odds - middle
    fine_brightness = (fine @ LUMA)[..., None]
    calm += 0.2 * np.tanh(fine_brightness / 0.2) + 0.5 * (fine - fine_brightness) - fine
    return odds_gain(texture, np.exp(skin * (calm - band)).astype(np.float32))


def _lids(canonical: CanonicalFace) -> Floats:
    """(TEXTURE, TEXTURE): 1 between eyes and brows, 0 elsewhere."""
    lids = np.zeros((len(canonical.uv), 1), np.float32)
    lids[list(UPPER_LIDS)] = 1
    return np.asarray(over_texture(canonical, lids, TEXTURE)[..., 0], np.float32)


def _show_lids(texture: Floats, base: Portrait, bank: Sequence[Portrait], canonical: CanonicalFace) -> Floats:
    """``texture`` with the lids of the picture that shows them best, where ``base`` has them hidden under low brows.

    Drawn out by raised live brows, the hairs over a hidden lid would be a dark stain.
    """
    best = max(bank, key=_lid_height, default=base)
    if _lid_height(best) < _HIDDEN_LIDS * _lid_height(base):
        return texture
    other, _ = unwrap(best.pixels, best.points, canonical, TEXTURE)
    lids = _blur(_lids(canonical), 0.007)
    around = np.clip(_blur(lids, 0.03) * 3, 0, 1) * np.clip(_skin(canonical) * 2 - 1, 0, 1)
    shift = ((log_odds(texture) - log_odds(other)) * around[..., None]).sum((0, 1)) / around.sum()
    lit = odds_gain(other, np.exp(shift).astype(np.float32))
    return np.asarray(texture + (lit - texture) * np.clip(lids * 1.5, 0, 1)[..., None], np.float32)


def _lid_height(portrait: Portrait) -> float:
    """How much is seen of the upper lids, by the distance between the eyes' outer corners."""
    points = portrait.points[:, :2]
    gaps = points[[52, 65, 282, 295]] - points[[159, 158, 386, 385]]
    return float(np.linalg.norm(gaps, axis=1).mean() / np.linalg.norm(points[33] - points[263]))


def _skin(canonical: CanonicalFace) -> Floats:
    return np.asarray(over_texture(canonical, skin_points(canonical)[:, None], TEXTURE)[..., 0], np.float32)


def _sides(size: int) -> Floats:
    """(size, size): 1 at the sides of the face, 0 in its middle (where the nose's wings look away, too)."""
    v, u = (np.mgrid[:size, :size] + 0.5) / size
    return np.asarray(np.clip((np.hypot((u - 0.5) / 0.5, (v - 0.53) / 0.43) - 0.5) / 0.2, 0, 1), np.float32)


def _blur(picture: Floats, width: float) -> Floats:
    """``picture`` blurred with a Gaussian of ``width`` times its own width."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), picture.shape[0] * width), np.float32)
