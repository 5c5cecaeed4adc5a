"""Finding a face's 478 points and its expression."""

from typing import Protocol

from obs_facelive.frame import Floats, Landmarks, Pixels, Roi

BLENDSHAPES = (
    "_neutral",
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "eyeBlinkLeft",
    "eyeBlinkRight",
    "eyeLookDownLeft",
    "eyeLookDownRight",
    "eyeLookInLeft",
    "eyeLookInRight",
    "eyeLookOutLeft",
    "eyeLookOutRight",
    "eyeLookUpLeft",
    "eyeLookUpRight",
    "eyeSquintLeft",
    "eyeSquintRight",
    "eyeWideLeft",
    "eyeWideRight",
    "jawForward",
    "jawLeft",
    "jawOpen",
    "jawRight",
    "mouthClose",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthFunnel",
    "mouthLeft",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthPucker",
    "mouthRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "noseSneerLeft",
    "noseSneerRight",
)
"""ARKit's expression names in the order of MediaPipe's blendshape net (kBlendshapeNames of face_blendshapes_graph.cc).

Left and right are the person's own. ``_neutral`` is always near 0.
"""


class Landmarker(Protocol):
    """Finds the points of the face in a region."""

    def landmarks(self, pixels: Pixels, roi: Roi) -> Landmarks:
        """The points of the face in ``roi`` of ``pixels`` ((h, w, 4) or (h, w, 3) uint8)."""
        ...

    def blendshapes(self, points: Floats) -> Floats:
        """(52,) float32 0..1 expression weights of (478, 3) points; zeros from a landmarker that knows none."""
        ...
