"""Steadying a face's points relative to the head, so that the face does not lag behind a moving head."""

from __future__ import annotations

import numpy as np

from obs_facelive.frame import Floats
from obs_facelive.geometry import similarity
from obs_facelive.topology import RIGID
from obs_facelive.track.one_euro import OneEuro, Values


class FaceSmoother:
    """Splits the points into the head's pose and the face's shape in the head's own frame, and steadies each by itself.

    ``steadiness`` is 0 (the points pass as they are) to 100. At 50, the tremble of a resting face falls to about a third of the
    landmark net's. The pose has next to no lag, even in slow turns: what it trembles is left to
    `obs_facelive.track.registration`, which sees the skin move, and did best on eleven clips after such a light touch.
    """

    def __init__(self, steadiness: int) -> None:
        self.steadiness = steadiness
        haste = (50 / max(steadiness, 1)) ** 2
        self._pose = OneEuro(1.0 * haste, 200.0 * haste, speed_cutoff=2.0)
        self._shape = OneEuro(0.5 * haste, 50.0 * haste, speed_cutoff=2.0)
        self._reference: Values | None = None

    def __call__(self, points: Floats, time: float) -> Floats:
        """The steadied (478, 3) ``points`` at ``time`` in seconds."""
        if self.steadiness == 0:
            return points
        exact = points.astype(np.float64)
        if self._reference is None:
            centred = exact - exact[RIGID].mean(0)
            self._reference = centred / np.linalg.norm(centred[RIGID], axis=1).mean()
        pose = similarity(self._reference[RIGID], exact[RIGID])
        size = float(np.cbrt(np.linalg.det(pose[:, :3])))
        shape = (exact - pose[:, 3]) @ np.linalg.inv(pose[:, :3]).T
        steady_pose = self._pose(pose.reshape(1, 12), time, unit=size).reshape(3, 4)
        self._reference = self._shape(shape, time)
        return (self._reference @ steady_pose[:, :3].T + steady_pose[:, 3]).astype(np.float32)
