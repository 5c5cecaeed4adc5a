"""What can be measured on a photo of a face, as plain numbers: `obs_facelive.personas.advice` says what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from obs_facelive.detect import Detector
from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.frame import Detections, Face, Floats, Frame, Pixels
from obs_facelive.geometry import box_of, head_pose, overlap
from obs_facelive.identity.recogniser import Recogniser
from obs_facelive.landmark import BLENDSHAPES, Landmarker
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.mask.occlusion import Occlusion, hidden_share
from obs_facelive.personas.make import Portrait, find_portrait
from obs_facelive.swap.light import LUMA, areas, log_odds, skin_points
from obs_facelive.swap.mouth import mouth_gap
from obs_facelive.topology import CanonicalFace, load_canonical_face

SHARPNESS_WIDTH = 320
"""Pixels across a face at which its sharpness is measured; a smaller one is measured as it is."""
_BLINKS = [BLENDSHAPES.index(name) for name in ("eyeBlinkLeft", "eyeBlinkRight")]
_SMILES = [BLENDSHAPES.index(name) for name in ("mouthSmileLeft", "mouthSmileRight")]


@dataclass(frozen=True, slots=True)
class Look:
    """How a face is seen on a photo.

    Attributes
    ----------
    others : further faces that are at least half as large
    width : pixels across the face
    yaw, pitch, roll : degrees, see `obs_facelive.geometry.head_pose`
    blur : 0 for the sharpest, 1 for a face without any detail, see `blur`
    side : log-odds by which one cheek is brighter than the other: positive where the one on the picture's right is
    brightness : median of the skin's brightness, 0..255
    burnt : share of the skin, 0..1, that is so bright that its colour is lost
    mouth : gap by width of the mouth
    smile : 0..1
    shut : 0..1, the eye that is more closed
    hidden : 0..1, share of the face behind something
    """

    others: int
    width: float
    yaw: float
    pitch: float
    roll: float
    blur: float
    side: float
    brightness: float
    burnt: float
    mouth: float
    smile: float
    shut: float
    hidden: float


class Studio:
    """The networks that look at photos. One thread at a time. Raises `obs_facelive.catalog.ModelError` where one is missing."""

    def __init__(self, models: Path) -> None:
        self.detector: Detector = BlazeFace(models)
        self.landmarker: Landmarker = FaceMesh(models)
        self.canonical = load_canonical_face(models)
        self.recogniser = Recogniser(models)
        self._occlusion = Occlusion(models, self.canonical)
        self._looks = 0

    def portrait(self, pixels: Pixels) -> Portrait:
        """The largest face of ``pixels`` (h, w, 3). Raises `PersonaError` where there is none, or none large enough."""
        return find_portrait(pixels, self.detector, self.landmarker)

    def embed(self, portrait: Portrait) -> Floats:
        """Whose face it is, see `Recogniser.embed`."""
        return self.recogniser.embed(portrait.pixels, portrait.points)

    def look(self, portrait: Portrait) -> Look:
        """How the face of ``portrait`` is seen."""
        self._looks += 1  # another face each time: nothing is remembered from the photo before
        picture = cv2.cvtColor(portrait.pixels, cv2.COLOR_BGR2BGRA)
        face = Face(self._looks, portrait.points, portrait.blendshapes, 1.0)
        surface = self._occlusion.look(Frame(np.asarray(picture, np.uint8), 0, float(self._looks)), face)
        yaw, pitch, roll = head_pose(portrait.points, self.canonical)
        colours, weights = skin_colours(portrait, self.canonical)
        return Look(
            others=other_faces(portrait, self.detector.detect(portrait.pixels)),
            width=float(np.ptp(portrait.points[:, 0])),
            yaw=yaw,
            pitch=pitch,
            roll=roll,
            blur=blur(face_part(portrait)),
            side=side_light(colours, weights, self.canonical),
            brightness=float(np.median(colours[weights > 0.5] @ LUMA)),
            burnt=burnt_share(portrait, self.canonical),
            mouth=mouth_gap(portrait.points),
            smile=float(portrait.blendshapes[_SMILES].mean()),
            shut=float(portrait.blendshapes[_BLINKS].max()),
            hidden=hidden_share(surface),
        )


def other_faces(portrait: Portrait, found: Detections) -> int:
    """How many of the faces that were ``found`` are not the portrait's, and at least half as large."""
    own = box_of(portrait.points)
    sides = (found.boxes[:, 2:] - found.boxes[:, :2]).max(1) if len(found) else np.zeros(0)
    apart = overlap(own, found.boxes) < 0.2 if len(found) else np.zeros(0, bool)
    return int((apart & (sides > 0.5 * float((own[2:] - own[:2]).max()))).sum())


def face_part(portrait: Portrait) -> Floats:
    """(h, w) float32 0..255: the brightness of the middle of the face, at most `SHARPNESS_WIDTH` pixels across."""
    low, high = portrait.points[:, :2].min(0), portrait.points[:, :2].max(0)
    middle, half = (low + high) / 2, (high - low) * 0.4
    x0, y0 = np.maximum(middle - half, 0).astype(int)
    x1, y1 = np.minimum(middle + half + 1, portrait.pixels.shape[1::-1]).astype(int)
    part = portrait.pixels[y0:y1, x0:x1]
    if part.size == 0:
        return np.zeros((1, 1), np.float32)
    shrink = min(1.0, SHARPNESS_WIDTH / max(float(high[0] - low[0]), 1.0))
    if shrink < 1:
        part = np.asarray(cv2.resize(part, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(part[..., :3].astype(np.float32) @ LUMA, np.float32)


def blur(picture: Floats) -> float:
    """How blurred ``picture`` (h, w) is, 0..1: how little of its neighbours' differences another blur takes away.

    F. Crete, T. Dolmiere, P. Ladret, M. Nicolas, The blur effect: perception and estimation with a new no-reference
    perceptual blur metric, SPIE 6492, 2007; the worse of the two directions.
    """
    answers = [0.0]
    for way in (picture, picture.T):
        soft = cv2.blur(np.ascontiguousarray(way), (9, 1))
        sharp, dull = np.abs(np.diff(way, axis=1)), np.abs(np.diff(soft, axis=1))
        lost = float(np.clip(sharp - dull, 0, None).sum())
        answers.append(1 - lost / max(float(sharp.sum()), 1e-6) if sharp.size else 1.0)
    return max(answers)


def skin_colours(portrait: Portrait, canonical: CanonicalFace) -> tuple[Floats, Floats]:
    """(468, 3) float32 BGR 0..255 around each point, and (468,) how much it counts: the skin's area around it."""
    points = portrait.points[: len(canonical.uv), :2]
    radius = max(1, round(float(np.ptp(points[:, 0])) * 0.015))
    soft = cv2.blur(portrait.pixels[..., :3], (2 * radius + 1, 2 * radius + 1))
    height, width = soft.shape[:2]
    x = np.clip(points[:, 0], 0, width - 1).astype(int)
    y = np.clip(points[:, 1], 0, height - 1).astype(int)
    inside = (points >= 0).all(1) & (points < [width, height]).all(1)
    weights = skin_points(canonical) * areas(canonical) * inside
    return soft[y, x].astype(np.float32), np.asarray(weights, np.float32)


def side_light(colours: Floats, weights: Floats, canonical: CanonicalFace) -> float:
    """Log-odds by which the skin (468, 3) on the picture's right is brighter than that on its left; ``weights`` (468,)."""
    bright = log_odds(colours) @ LUMA
    # u grows to the person's left, which is the picture's right; the nose's ridge says nothing.
    across = canonical.uv[:, 0] - 0.5
    means = []
    for half in (across > 0.12, across < -0.12):
        weight = weights * half
        means.append(float((bright * weight).sum() / max(float(weight.sum()), 1e-6)))
    return means[0] - means[1]


def burnt_share(portrait: Portrait, canonical: CanonicalFace) -> float:
    """Share of the face's pixels, 0..1, at which two colours or more are at the end of their range."""
    hull = cv2.convexHull(portrait.points[: len(canonical.uv), :2].astype(np.float32))
    mask = np.zeros(portrait.pixels.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, hull.astype(np.int32), 255)
    inside = portrait.pixels[mask > 0][:, :3]
    return float(((inside >= 250).sum(1) >= 2).mean()) if len(inside) else 0.0
