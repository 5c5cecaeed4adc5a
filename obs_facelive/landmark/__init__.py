"""Finding a face's 478 points and its expression."""

from typing import Protocol

from obs_facelive.frame import Floats, Landmarks, Pixels, Roi


class Landmarker(Protocol):
    """Finds the points of the face in a region."""

    def landmarks(self, pixels: Pixels, roi: Roi) -> Landmarks:
        """The points of the face in ``roi`` of ``pixels`` ((h, w, 4) or (h, w, 3) uint8)."""
        ...

    def blendshapes(self, points: Floats) -> Floats:
        """(52,) float32 0..1 expression weights of (478, 3) points; zeros from a landmarker that knows none."""
        ...
