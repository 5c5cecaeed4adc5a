"""The person of a talking head, out of the openpeople wheel: drawn by an image model, a person who does not exist."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.frame import Pixels
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.personas.make import Portrait, find_portrait
from tools.openpeople import EXPRESSIONS, VERSION, WHEEL_SHA256, find_tiles
from tools.wheels import fetch_wheel

DEMO = "P010"
"""Who is seen in the demo's camera clip."""

SIZE = 1024
"""Side of the portrait as it is used: about one pixel for each pixel of the face in a 720p clip."""


@dataclass(frozen=True)
class Person:
    """All that the talking head is made from.

    Attributes
    ----------
    portrait : frontal, neutral, before a plain grey wall, `SIZE` pixels square
    smile : a photo with a broad smile, for its teeth
    expressions : "neutral", "happy", "surprised" and "scared", about 210 pixels from ear to ear
    """

    portrait: Portrait
    smile: Portrait
    expressions: dict[str, Portrait]


def load_person(models: Path, wheels: Path, who: str = DEMO) -> Person:
    """A person of the wheel, by its number there; networks come from the folder ``models``, the wheel is kept in ``wheels``.

    Raises
    ------
    tools.wheels.FetchError
        The wheel cannot be had.
    obs_facelive.catalog.ModelError
        The networks are not in ``models``.
    """
    detector, landmarker = BlazeFace(models), FaceMesh(models)

    def look(pixels: Pixels) -> Portrait:
        return find_portrait(pixels, detector, landmarker)

    with zipfile.ZipFile(fetch_wheel("openpeople", VERSION, WHEEL_SHA256, wheels)) as archive:
        portrait, smile, sheet = (
            _decode(archive.read(f"openpeople/data/curated/{who}/assets/{name}.jpg"))
            for name in ("studio_portrait", "amateur_selfie", "emotions_sheet")
        )
    small = np.asarray(cv2.resize(portrait, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.uint8)
    tiles = dict(zip(EXPRESSIONS, find_tiles(sheet), strict=True))
    expressions = {}
    for name in ("neutral", "happy", "surprised", "scared"):
        x, y, wide, high = tiles[name]
        expressions[name] = look(sheet[y + 3 : y + high - 3, x + 3 : x + wide - 3])
    return Person(look(small), look(smile), expressions)


def _decode(content: bytes) -> Pixels:
    return np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), np.uint8)
