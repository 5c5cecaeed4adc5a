"""Personas that were trained: DeepFaceLab's exported models (``.dfm``), SAEHD and AMP."""

from __future__ import annotations

import cv2
import numpy as np

from obs_facelive.contracts import Matched
from obs_facelive.frame import Floats, Pixels, Plane
from obs_facelive.runtime.session import Session

MORPH = 0.75
"""How far AMP models go towards the persona, as DeepFaceLive has it."""


class DfmNetwork:
    """A trained persona: a `CropNetwork`.

    The contract (DeepFaceLab, Model_SAEHD/Model.py, Model_AMP/Model.py, export): rows of BGR 0..1 in; out come the live face's
    mask, the persona, the persona's mask. Where either has no face, nothing is swapped.
    """

    def __init__(self, session: Session, matched: Matched) -> None:
        self.size, self.template = matched.size, matched.contract.template
        self._session, self._face, self._morph = session, matched.names["face"], matched.names.get("morph")
        self._outputs = [matched.names[role] for role in ("face_mask", "celeb", "celeb_mask")]

    def run(self, picture: Pixels) -> tuple[Pixels, Plane | None]:
        """See `CropNetwork.run`."""
        given: dict[str, Floats] = {self._face: np.asarray(picture[None] * np.float32(1 / 255), np.float32)}
        if self._morph:
            given[self._morph] = np.array([MORPH], np.float32)
        face_mask, celeb, celeb_mask = self._session.run(self._outputs, given)
        pixels = np.asarray(np.clip(celeb[0] * np.float32(255), 0, 255), np.uint8)
        mask = np.clip(np.minimum(face_mask[0, ..., 0], celeb_mask[0, ..., 0]) * 255, 0, 255).astype(np.uint8)
        # The masks end where the face does, with steps: a little inside, and soft.
        mask = np.asarray(cv2.erode(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3)), iterations=2), np.uint8)
        return pixels, np.asarray(cv2.GaussianBlur(mask, (0, 0), self.size / 64), np.uint8)
