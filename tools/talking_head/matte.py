"""Cutting a person out of a studio portrait."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from obs_facelive.frame import Floats, Pixels

_BACKGROUND_DIFFERENCE = 28.0
"""A pixel this far (BGR distance of 255) from the wall's colour belongs to the person."""


def cut_out(portrait: Pixels) -> tuple[Floats, Floats]:
    """The person in ``portrait`` ((n, n, 3) uint8 BGR, before a plain wall that is seen in the upper 70 % of both sides).

    Returns
    -------
    (n, n, 3) float32 BGR 0..255, the person's colour, the wall taken out of loose hair; (n, n) float32 0..1, opacity
    """
    picture = portrait.astype(np.float32)
    wall = _wall(picture)
    body = _body(np.linalg.norm(picture - wall, axis=2) > _BACKGROUND_DIFFERENCE)
    core = cv2.erode(body, np.ones((7, 7), np.uint8)).astype(np.float32)
    around = cv2.dilate(body, np.ones((15, 15), np.uint8))
    # In the band between, opacity is the place of the pixel's colour on the line from the wall's to the nearest sure colour.
    near = cv2.blur(picture * core[..., None], (25, 25)) / (cv2.blur(core, (25, 25)) + 1e-3)[..., None]
    line = near - wall
    share = ((picture - wall) * line).sum(axis=2) / np.maximum((line * line).sum(axis=2), 100)
    opacity: Floats = np.where(core > 0, 1, np.clip(share * 1.25 - 0.12, 0, 1) * around).astype(np.float32)
    a = opacity[..., None]
    pure = np.clip((picture - (1 - a) * wall) / np.maximum(a, 0.25), 0, 255)
    sure = np.clip(a * 2 - 1, 0, 1)
    edge = np.minimum(pure * sure + near * (1 - sure), near * 1.25 + 12)
    return np.where(core[..., None] > 0, picture, edge).astype(np.float32), opacity


def _wall(picture: Floats) -> Floats:
    """The wall's colour everywhere: a polynomial of second degree through what is seen of it at the sides."""
    high, wide = picture.shape[:2]
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32) / np.float32(high) - np.float32(0.5)
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1)
    seen = np.zeros((high, wide), bool)
    seen[: high * 7 // 10, : wide // 5] = True
    seen[: high * 7 // 10, -wide // 5 :] = True
    factors = np.linalg.lstsq(terms[seen], picture[seen], rcond=None)[0]
    return np.asarray(terms @ factors, np.float32)


def _body(different: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """The largest thing that differs from the wall, holes filled: (n, n) uint8 0 or 1."""
    reached = cv2.morphologyEx(different.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    for corner in ((0, 0), (reached.shape[1] - 1, 0)):
        cv2.floodFill(reached, None, corner, 2)
    _, labels, figures, _ = cv2.connectedComponentsWithStats((reached != 2).astype(np.uint8))
    return np.asarray(labels == 1 + np.argmax(figures[1:, cv2.CC_STAT_AREA]), np.uint8)
