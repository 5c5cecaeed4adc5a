"""A head's own coordinates: where something that is worn lies, whichever way the head is turned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from obs_facelive.frame import Floats
from obs_facelive.topology import CHIN, FOREHEAD, LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS
from tools.quality.canvas import Places

EARS = (234, 454)


@dataclass(frozen=True)
class HeadAxes:
    """Lengths are widths of the face between the ears; x to the picture's right of an upright face, y down, z back.

    Attributes
    ----------
    middle : (3,) between the eyes, pixels
    axes : (3, 3), a column an axis, pixels
    """

    middle: Places
    axes: Places

    @classmethod
    def of(cls, points: Floats) -> HeadAxes:
        """The axes of a face of 478 ``points``."""
        right, left = points[list(EARS)].astype(np.float64)
        size = float(np.linalg.norm(left - right))
        x = (left - right) / size
        down = (points[CHIN] - points[FOREHEAD]).astype(np.float64)
        down -= (down @ x) * x
        y = down / np.linalg.norm(down)
        middle = points[[*RIGHT_EYE_CORNERS, *LEFT_EYE_CORNERS]].mean(axis=0).astype(np.float64)
        return cls(middle, np.stack([x, y, np.cross(x, y)], axis=1) * size)

    def place(self, point: Floats) -> Places:
        """(3,) where ``point`` (3,), pixels, lies in the head."""
        return np.asarray((point - self.middle) @ self.axes / (self.axes**2).sum(axis=0), np.float64)

    def pixels(self, places: Places) -> Places:
        """(n, 2) where ``places`` (n, 3) of the head are seen."""
        return np.asarray((places @ self.axes.T + self.middle)[:, :2], np.float64)
