"""Detector → landmarker → tracker → swapper → merger → patches: composition and timing, nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from obs_facelive.detect import Detector
from obs_facelive.frame import Detections, Face, Frame, Landmarks, Patch, Pixels, Roi
from obs_facelive.geometry import head_pose
from obs_facelive.landmark import Landmarker
from obs_facelive.merge import Merger
from obs_facelive.provenance.badge import badge
from obs_facelive.settings import Settings
from obs_facelive.swap import Swapper
from obs_facelive.topology import CanonicalFace
from obs_facelive.track.tracker import Tracker
from obs_facelive.view import view

FARTHEST_TURN = 50.0
"""Degrees of yaw. The landmarks are wrong beyond about 45 (looked at on stills): parts of the bare face would show."""


class Stopwatch:
    """Milliseconds per stage and frame, smoothed over about twenty frames; a stage inside another counts for itself only.

    Attributes
    ----------
    ms : by stage; a stage that does not run in every frame counts as 0 where it does not
    """

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}
        self._frame: dict[str, float] = {}
        self._inner = 0.0

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Times the body as a part of ``stage`` in this frame."""
        before, self._inner = self._inner, 0.0
        began = time.perf_counter()
        yield
        spent = (time.perf_counter() - began) * 1e3
        self._frame[stage] = self._frame.get(stage, 0.0) + spent - self._inner
        self._inner = before + spent

    def end_frame(self) -> None:
        """Takes this frame's times into the average."""
        for stage in self.ms.keys() | self._frame.keys():
            spent = self._frame.get(stage, 0.0)
            self.ms[stage] = self.ms.get(stage, spent) * 0.95 + spent * 0.05
        self._frame.clear()
        self._inner = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one frame.

    Attributes
    ----------
    faces : the chosen faces, in this frame
    patches : finished rectangles; empty if there is no face
    turned : one of the faces looks so far aside that the persona cannot cover it: there are no patches, and the frame must
        not be shown
    """

    faces: list[Face]
    patches: list[Patch]
    turned: bool = False


class Pipeline:
    """All stages for one camera and one persona; frames go in in order.

    Parameters
    ----------
    real : the persona is a real person, whose face is never worn without the badge

    Attributes
    ----------
    stopwatch : see there
    """

    def __init__(
        self,
        detector: Detector,
        landmarker: Landmarker,
        swapper: Swapper,
        merger: Merger,
        canonical: CanonicalFace,
        *,
        real: bool = False,
    ) -> None:
        self._detector, self._landmarker, self._canonical = detector, landmarker, canonical
        self.swapper, self.merger = swapper, merger
        self._real = real
        self._tracker = Tracker()
        self.stopwatch = Stopwatch()

    def process(self, frame: Frame, settings: Settings) -> Outcome:
        """The swapped faces of ``frame``, as patches to be laid over it."""
        try:
            return self._process(frame, settings)
        finally:
            self.stopwatch.end_frame()

    def _process(self, frame: Frame, settings: Settings) -> Outcome:
        clock = self.stopwatch

        def detect(pixels: Pixels) -> Detections:
            with clock("detect"):
                return self._detector.detect(pixels)

        def landmarks(pixels: Pixels, roi: Roi) -> Landmarks:
            with clock("landmarks"):
                return self._landmarker.landmarks(pixels, roi)

        with clock("track"):
            faces = self._tracker.follow(frame, settings, detect, landmarks)
        if not faces:
            return Outcome([], [])
        if any(abs(head_pose(face.points, self._canonical)[0]) > FARTHEST_TURN for face in faces):
            return Outcome(faces, [], turned=True)
        worn, patches = [], []
        for face in faces:
            with clock("blendshapes"):
                face = replace(face, blendshapes=self._landmarker.blendshapes(face.points))
            with clock("swap"):
                layer = self.swapper.swap(frame, face, settings)
            with clock("merge"):
                patches.append(self.merger.merge(frame, face, layer, settings))
            worn.append(face)
        if settings.view != "result":
            patches = view(settings.view, frame, worn, patches)
        if settings.badge != "off":
            patches.append(badge(frame, patches, settings.badge))
        elif self._real:
            patches.append(badge(frame, patches, "top-right"))
        return Outcome(worn, patches)
