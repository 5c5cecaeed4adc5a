"""The live face's own folds: how its skin's shading differs from its resting state, to be put onto the persona.

The ratio of two pictures of one person under one light is the change of the surface alone, whoever it is put on
(Z. Liu, Y. Shan, Z. Zhang, Expressive expression mapping with ratio images, SIGGRAPH 2001).
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from obs_facelive.frame import Floats, Surface
from obs_facelive.surface import FINE, Unwrapper
from obs_facelive.swap.light import LUMA, log_odds, skin_points
from obs_facelive.topology import CanonicalFace

_FINEST, _COARSEST = 1.1, 7.0
"""Texels (Gaussian widths) between which a fold's shading lies; broader is light, finer is grain."""
_CHEEKS = (50, 280)
_REST = 8.0
"""Seconds in which the resting face is learned (time constant)."""
_DEEPEST = 0.7
"""Log-odds of the deepest fold."""
_ODDS = log_odds(np.arange(256, dtype=np.float32))
_QUICK = 0.05
"""Seconds in which the folds follow the face."""


class LiveFolds:
    """Where the live face may show folds; the same for all faces."""

    def __init__(self, canonical: CanonicalFace) -> None:
        unwrapper = self._unwrapper = Unwrapper(canonical, FINE)
        skin = np.clip(unwrapper.spread(skin_points(canonical)) * 1.6 - 0.6, 0, 1)
        # Brows, lids and lips move as a whole, and the persona has its own.
        self._where = np.asarray(cv2.GaussianBlur(skin, (0, 0), 3.0), np.float32)
        self._inside = unwrapper.inside.astype(np.float32)
        self._around = np.asarray(cv2.GaussianBlur(self._inside, (0, 0), _COARSEST), np.float32) + np.float32(1e-3)

    def relief(self, surface: Surface) -> Floats:
        """(FINE, FINE) float32 log-odds: the shading of ``surface`` by folds and features, without the light."""
        luma = (surface.live.reshape(-1, 3) @ np.round(LUMA * 256).astype(np.uint16) >> 8).astype(np.uint8)
        odds = _ODDS[luma].reshape(FINE, FINE) * self._inside
        # A box in two passes is a Gaussian that is wide enough.
        side = 2 * round(_COARSEST * 0.87) + 1
        broad = cv2.blur(cv2.blur(odds, (side, side)), (side, side)) / self._around
        return np.asarray(cv2.GaussianBlur(odds - broad * self._inside, (0, 0), _FINEST), np.float32)

    def shown(self, surface: Surface, visible: Floats) -> Floats:
        """(FINE, FINE) float32 0..1: where the skin is seen well, ``visible`` (468,) being the cosines to the camera."""
        free = 1 - cv2.resize(surface.hidden, (FINE, FINE), interpolation=cv2.INTER_LINEAR) * np.float32(1 / 255)
        # A turned head has its light elsewhere, and the edges of shadows are no folds.
        ahead = min(max((float(visible[list(_CHEEKS)].min()) - 0.3) * 4, 0.0), 1.0)
        return np.asarray(free * np.clip((self._unwrapper.spread(visible) - 0.35) * 3, 0, ahead), np.float32)

    def difference(self, relief: Floats, rest: Floats, strength: float) -> Floats:
        """(FINE, FINE) float32 log-odds that ``relief`` adds to the ``rest``ing face's."""
        change = np.clip((relief - rest) * np.float32(strength), -_DEEPEST, _DEEPEST)
        return np.asarray(change * self._where, np.float32)


class RestingFace:
    """One face's memory of its resting state."""

    def __init__(self) -> None:
        self._rest: Floats | None = None
        self._folds: Floats | None = None
        self._known = 0.0

    def folds(self, live: LiveFolds, surface: Surface, visible: Floats, activity: float, elapsed: float) -> Floats:
        """The folds of ``surface``, (FINE, FINE) log-odds, seen ``elapsed`` seconds after the last.

        Parameters
        ----------
        visible : (468,) float32, cosines between the skin and the camera
        activity : >= 0, how far the expression is from rest; an active face teaches little about the resting one
        """
        relief = live.relief(surface)
        if self._rest is None or self._folds is None:
            self._rest, self._folds = relief, np.zeros_like(relief)
            return self._folds
        weight = elapsed / (1 + (activity / 0.5) ** 2)
        self._known = min(self._known + weight, _REST)
        share = np.float32(min(1.0, weight / max(self._known, 1e-3)))
        shown = live.shown(surface, visible)
        self._rest = self._rest + (relief - self._rest) * share * shown
        # What is not known for long is not trusted: the first expression may be no resting face.
        fresh = live.difference(relief, self._rest, min(1.0, self._known)) * shown
        self._folds = self._folds + (fresh - self._folds) * np.float32(1 - math.exp(-elapsed / _QUICK))
        return self._folds
