"""The faces that the network learns from: nine people who do not exist, out of the pinned wheel ``openpeople``.

P010 is left out, since the demo's clip and the quality report's synthetic clips show that person: they judge the network.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.frame import Floats, Pixels
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.personas.library import PersonaError
from obs_facelive.personas.make import find_portrait
from tools.openpeople import EXPRESSIONS, VERSION, WHEEL_SHA256, find_tiles
from tools.wheels import fetch_wheel

SIDE = 256
"""Pixels of a picture's side; the face is about 160 of them high or wide: a little finer than what the network sees."""
MARGIN = 1.6
PEOPLE = ("P001", "P002", "P003", "P004", "P005", "P006", "P007", "P008", "P009")
_WITH_HANDS = {("P002", "exhausted"), ("P003", "shocked"), *((person, "thoughtful") for person in PEOPLE)}
"""Pictures in which something lies in front of the face already, which nobody has outlined."""


@dataclass(frozen=True, slots=True)
class TrainingFace:
    """One picture of a person.

    Attributes
    ----------
    person : of `PEOPLE`
    pixels : (`SIDE`, `SIDE`, 3) uint8 BGR, the whole face in the middle
    points : (478, 3) float32 in those pixels
    """

    person: str
    pixels: Pixels
    points: Floats


def load_faces(models: Path, wheels: Path) -> list[TrainingFace]:
    """All usable faces of the wheel, which is kept in ``wheels``. Raises `tools.wheels.FetchError` and `ModelError`."""
    detector, landmarker = BlazeFace(models), FaceMesh(models)
    faces: list[TrainingFace] = []
    with zipfile.ZipFile(fetch_wheel("openpeople", VERSION, WHEEL_SHA256, wheels)) as archive:
        for person in PEOPLE:
            for label, picture in _pictures(archive, person).items():
                if (person, label) in _WITH_HANDS:
                    continue
                try:
                    portrait = find_portrait(picture, detector, landmarker, 80)
                except PersonaError:
                    continue
                faces.append(_cut_out(person, picture, portrait.points))
    return faces


def _pictures(archive: zipfile.ZipFile, person: str) -> dict[str, Pixels]:
    assets = f"openpeople/data/curated/{person}/assets"

    def read(name: str) -> Pixels:
        content = np.frombuffer(archive.read(f"{assets}/{name}.jpg"), np.uint8)
        return np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8)

    pictures = {"portrait": read("studio_portrait"), "selfie": read("amateur_selfie")}
    sheet = read("emotions_sheet")
    tiles = find_tiles(sheet)
    if len(tiles) == len(EXPRESSIONS):
        for label, (x, y, wide, high) in zip(EXPRESSIONS, tiles, strict=True):
            pictures[label] = sheet[y + 3 : y + high - 3, x + 3 : x + wide - 3]
    return pictures


def _cut_out(person: str, picture: Pixels, points: Floats) -> TrainingFace:
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    scale = SIDE / (float((high - low).max()) * MARGIN)
    if scale < 1:
        picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    rest = scale / min(1.0, scale)
    shift = SIDE / 2 - (low + high) / 2 * scale
    matrix = np.array([[rest, 0, shift[0] + 0.5 * rest - 0.5], [0, rest, shift[1] + 0.5 * rest - 0.5]])
    cut = cv2.warpAffine(picture, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    moved = (points * np.float32(scale)).astype(np.float32)
    moved[:, :2] += shift
    return TrainingFace(person, np.asarray(cut, np.uint8), moved)
