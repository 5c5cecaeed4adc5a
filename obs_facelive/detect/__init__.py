"""Finding faces."""

from typing import Protocol

from obs_facelive.frame import Detections, Pixels


class Detector(Protocol):
    """Finds faces in a picture."""

    def detect(self, pixels: Pixels) -> Detections:
        """All faces in ``pixels`` ((h, w, 4) or (h, w, 3) uint8), best first; an empty result where there is none."""
        ...
