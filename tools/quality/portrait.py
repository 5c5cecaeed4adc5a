"""What a persona looks like: the portrait that it was made from, or the thumbnail that is kept of it."""

from __future__ import annotations

import zipfile

import cv2
import numpy as np

from obs_facelive.frame import Pixels
from obs_facelive.home import Home
from obs_facelive.personas.library import THUMBNAIL_FILE
from tools.openpeople import PEOPLE, VERSION


def persona_portrait(home: Home, name: str) -> Pixels:
    """(h, w, 3) uint8 BGR. A shipped persona's portrait comes out of the wheel in the cache, if it is there.

    Raises `ValueError` where there is no picture of the persona.
    """
    people = {shown.lower(): person for person, shown in PEOPLE.items()}
    wheel = next(iter((home.root / "cache" / "wheels").glob(f"openpeople-{VERSION}-*.whl")), None)
    if wheel and name in people:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(f"openpeople/data/curated/{people[name]}/assets/studio_portrait.jpg")
    else:
        file = home.personas / name / THUMBNAIL_FILE
        content = file.read_bytes() if file.is_file() else b""
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
    if picture is None:
        raise ValueError(f"there is no picture of the persona {name}")
    side = 1024 / max(picture.shape[:2])
    small = cv2.resize(picture, None, fx=side, fy=side, interpolation=cv2.INTER_AREA) if side < 1 else picture
    return np.asarray(small, np.uint8)
