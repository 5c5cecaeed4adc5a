"""Moves the live face's proportions towards the persona's, in the picture and in the faces' points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from obs_facelive.frame import Box, Face, Floats, Frame
from obs_facelive.geometry import head_fit, pose_of
from obs_facelive.shape.field import field
from obs_facelive.shape.proportions import FLIP, Difference, Resting, proportions, worth
from obs_facelive.swap.crossfade import Fade
from obs_facelive.swap.light import spread_out
from obs_facelive.topology import FACE_OVAL, CanonicalFace, Indices

FORGET = 3.0
"""Seconds after which a face that was not seen starts afresh."""
FIRST = 0.3
"""Seconds that a face's first picture counts for: a picture alone has some of the persona's shape, too."""
LONGEST = 0.2
"""Seconds that any later picture counts for at the most, however long the one before is ago."""
INSIDE = 110
"""Points inside of the outline that carry the field."""


@dataclass(frozen=True, slots=True)
class Reshaped:
    """A frame whose faces have other proportions.

    Attributes
    ----------
    frame, faces : with the pixels and the points moved
    camera : the frame as it was
    boxes : one for each face, the rectangle whose pixels were moved, wholly inside the frame; None where none were
    """

    frame: Frame
    faces: list[Face]
    camera: Frame
    boxes: tuple[Box | None, ...]


class Reshape:
    """One persona's proportions for live faces, whose own it learns as they come.

    Parameters
    ----------
    shape : (468, 3) float32, as in `obs_facelive.personas.library.Persona`
    """

    def __init__(self, shape: Floats, canonical: CanonicalFace) -> None:
        self._shape, self._canonical = shape, canonical
        self._carriers: Indices = np.union1d(spread_out(canonical, INSIDE), FACE_OVAL).astype(np.int32)
        self._difference = Difference(canonical, self._carriers)
        self._known: dict[int, tuple[float, Resting]] = {}
        self._before: tuple[Reshape, Fade] | None = None

    def follow(self, before: Reshape, fade: Fade) -> None:
        """Goes on with the faces that ``before`` has learned, and from its proportions to these."""
        self._known, self._before = before._known, (before, fade)

    def shape(self, time: float) -> Floats:
        """(468, 3) float32 centimetres, the proportions that faces get at ``time``."""
        if self._before is None:
            return self._shape
        before, fade = self._before
        if fade.share(time) >= 1:
            self._before = None
            return self._shape
        return fade.mixed(before.shape(time), self._shape, time)

    def __call__(self, frame: Frame, faces: Sequence[Face], strength: float) -> Reshaped:
        """``faces`` of ``frame`` with their blendshapes, moved by ``strength`` (0..1). ``frame`` itself is never written to.

        Pixels and points go the same way, also those of a face that lies inside another's rectangle.
        """
        if strength == 0:
            return Reshaped(frame, list(faces), frame, (None,) * len(faces))
        pixels, points = frame.pixels, [face.points for face in faces]
        boxes: list[Box | None] = []
        wanted = self.shape(frame.time)
        for number, face in enumerate(faces):
            fit = head_fit(face.points, self._canonical)
            resting = self._learned(frame.time, face, fit)
            moved = self._difference.between(resting.shape, wanted) * (FLIP * strength * resting.belief)
            change = np.asarray(moved @ fit[:2, :3].T, np.float32)
            across = float(np.linalg.norm(face.points[454] - face.points[234]))
            around = field(points[number][self._carriers], change, across, frame.width, frame.height)
            if around is None:
                boxes.append(None)
                continue
            pixels = around.back(pixels)
            points = [around.forth(other) for other in points]
            boxes.append(around.box)
        self._known = {k: known for k, known in self._known.items() if abs(frame.time - known[0]) < FORGET}
        shaped = [replace(face, points=moved) for face, moved in zip(faces, points, strict=True)]
        return Reshaped(replace(frame, pixels=pixels), shaped, frame, tuple(boxes))

    def _learned(self, time: float, face: Face, fit: npt.NDArray[np.float64]) -> Resting:
        yaw, pitch, _ = pose_of(fit)
        shape, good = proportions(face.points, fit), worth(yaw, pitch, face.blendshapes)
        known = self._known.get(face.track)
        if known is None or not 0 <= time - known[0] < FORGET:
            resting = Resting(shape, FIRST * good)
        else:
            resting = known[1].seen(shape, min(time - known[0], LONGEST) * good)
        self._known[face.track] = time, resting
        return resting
