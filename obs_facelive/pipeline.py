"""Detector → landmarker → tracker → swapper → merger → patches: composition and timing, nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from obs_facelive.detect import Detector
from obs_facelive.frame import Detections, Face, Frame, Landmarks, Patch, Pixels, Roi
from obs_facelive.landmark import Landmarker
from obs_facelive.merge import Merger
from obs_facelive.provenance.badge import badge
from obs_facelive.settings import Settings
from obs_facelive.swap import Swapper
from obs_facelive.track.tracker import Tracker
from obs_facelive.view import view


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
    faces : the faces that are worn by the persona, in this frame
    patches : finished rectangles; empty if there is no face
    """

    faces: list[Face]
    patches: list[Patch]


class Pipeline:
    """All stages for one camera and one persona; frames go in in order.

    Attributes
    ----------
    stopwatch : see there
    """

    def __init__(self, detector: Detector, landmarker: Landmarker, swapper: Swapper, merger: Merger) -> None:
        self._detector, self._landmarker = detector, landmarker
        self.swapper, self.merger = swapper, merger
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
        return Outcome(worn, patches)
