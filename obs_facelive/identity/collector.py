"""Looking at the owner for two seconds, to remember them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from obs_facelive.frame import Face, Floats, Frame
from obs_facelive.geometry import box_of, head_pose
from obs_facelive.identity.enrolment import MAX_POSES, Enrolment
from obs_facelive.identity.owner import Embedder
from obs_facelive.topology import CanonicalFace

SECONDS: Final = 2.0
LONGEST: Final = 6.0
"""Seconds after which there are enough looks, or never will be."""
ENOUGH: Final = 8
"""Looks without which two seconds are not enough."""
SMALLEST: Final = 64.0
"""Pixels of a face's height from which it is worth remembering."""
FARTHEST_TURN: Final = 40.0
"""Degrees of yaw."""


class Collector:
    """Takes looks at the face that is meant, apart by ``every`` seconds.

    Attributes
    ----------
    poses : what was seen so far
    finished : no more looks are needed, or the time is over
    """

    def __init__(self, recogniser: Callable[[], Embedder], seconds: float = SECONDS, every: float = 0.1) -> None:
        self._recogniser, self._seconds, self._every = recogniser, seconds, every
        self.poses: list[Floats] = []
        self._first: float | None = None
        self._last = -np.inf
        self.finished = False

    def look(self, frame: Frame, faces: list[Face], canonical: CanonicalFace) -> None:
        """One frame and the ``faces`` in it; the largest one counts."""
        if self.finished:
            return
        if self._first is None:
            self._first = frame.time
        face = max(faces, key=lambda face: float(np.ptp(face.points[:, 1])), default=None)
        if face is not None and frame.time - self._last >= self._every and _good(face, canonical):
            self.poses.append(self._recogniser().embed(frame.pixels, face.points))
            self._last = frame.time
        gone = frame.time - self._first
        enough = gone >= self._seconds and len(self.poses) >= ENOUGH
        self.finished = enough or gone >= max(LONGEST, self._seconds) or len(self.poses) >= MAX_POSES

    def enrolment(self) -> Enrolment:
        """Out of all looks so far. Raises `obs_facelive.identity.enrolment.EnrolmentError`."""
        return Enrolment.of(self.poses)


def _good(face: Face, canonical: CanonicalFace) -> bool:
    box = box_of(face.points)
    turn = abs(head_pose(face.points, canonical)[0])
    return float(box[3] - box[1]) >= SMALLEST and turn <= FARTHEST_TURN
