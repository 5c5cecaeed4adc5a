"""Steadying a face's points relative to the head, so that the face does not lag behind a moving head."""

from __future__ import annotations

import numpy as np

from obs_facelive.frame import Floats
from obs_facelive.geometry import similarity
from obs_facelive.topology import RIGID
from obs_facelive.track.one_euro import OneEuro, Values


class FaceSmoother:
    """Splits the points into the head's pose and the face's shape in the head's own frame, and steadies both.

    The pose is an average over many points, hence little noisy: it is steadied lightly. The shape moves only with the
    expression: it is steadied more. ``steadiness`` 0 (off) to 100.
    """

    def __init__(self, steadiness: int) -> None:
        self._steadiness = steadiness
        calm = steadiness / 50
        self._pose = OneEuro(min_cutoff=2.0 / max(calm, 1e-3) ** 2, beta=20.0)
        self._shape = OneEuro(min_cutoff=0.7 / max(calm, 1e-3) ** 2, beta=30.0)
        self._reference: Values | None = None

    def __call__(self, points: Floats, time: float) -> Floats:
        """The steadied (478, 3) ``points`` at ``time`` in seconds."""
        if self._steadiness == 0:
            return points
        exact = points.astype(np.float64)
        if self._reference is None:
            centred = exact - exact[RIGID].mean(0)
            self._reference = centred / np.linalg.norm(centred[RIGID], axis=1).mean()
        pose = similarity(self._reference[RIGID], exact[RIGID])
        size = float(np.cbrt(np.linalg.det(pose[:, :3])))
        shape = (exact - pose[:, 3]) @ np.linalg.inv(pose[:, :3]).T
        pose = self._pose(pose.reshape(1, 12), time, size).reshape(3, 4)
        self._reference = self._shape(shape, time)
        return (self._reference @ pose[:, :3].T + pose[:, 3]).astype(np.float32)
