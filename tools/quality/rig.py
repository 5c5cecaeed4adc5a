"""What all measures share: the stages under judgement, and the judge's own detector, landmarker and recogniser."""

from __future__ import annotations

import msgspec

from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.engine.stages import Stages
from obs_facelive.frame import Floats, Frame, Pixels, Roi
from obs_facelive.geometry import roi_of_detection, roi_of_points
from obs_facelive.home import Home
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.pipeline import Pipeline
from obs_facelive.settings import Settings
from obs_facelive.topology import load_canonical_face
from obs_facelive.view import compose
from tools.quality.portrait import persona_portrait
from tools.recogniser import Recogniser, recogniser_file


class Rig:
    """Loaded once for a run.

    Raises `obs_facelive.catalog.ModelError`, or `tools.wheels.FetchError` where the recogniser cannot be had.
    """

    def __init__(self, home: Home, settings: Settings) -> None:
        self.home, self.settings = home, msgspec.structs.replace(settings, badge="off", view="result")
        self.canonical = load_canonical_face(home.models)
        self._stages = Stages(home, "cpu")
        self._detector, self._landmarker = BlazeFace(home.models), FaceMesh(home.models)
        self._recogniser = Recogniser(recogniser_file(home))

    def pipeline(self, persona: str) -> Pipeline:
        """A pipeline that has seen nothing yet."""
        return self._stages.pipeline(msgspec.structs.replace(self.settings, persona=persona))

    def wear(self, pipeline: Pipeline, frame: Frame) -> Pixels | None:
        """The output (h, w, 4); None where the face is not swapped: viewers see an earlier picture, or a covered one."""
        outcome = pipeline.process(frame, self.settings)
        return compose(frame, outcome.patches) if outcome.patches else None

    def find(self, pixels: Pixels) -> tuple[Floats, Roi] | None:
        """(478, 3) of the best face, looked for afresh, and where it was looked at; None if there is none."""
        found = self._detector.detect(pixels)
        if not len(found):
            return None
        first = self._landmarker.landmarks(pixels, roi_of_detection(found.boxes[0], found.eyes[0]))
        roi = roi_of_points(first.points)
        points = self.again(pixels, roi)
        return None if points is None else (points, roi)

    def again(self, pixels: Pixels, roi: Roi) -> Floats | None:
        """(478, 3) of the face in ``roi``; None if there is none."""
        found = self._landmarker.landmarks(pixels, roi)
        return found.points if found.score > 0.5 else None

    def who(self, pixels: Pixels, points: Floats) -> Floats:
        """(128,) of length 1: see `tools.recogniser.Recogniser.embed`."""
        return self._recogniser.embed(pixels, points)

    def persona(self, name: str) -> Floats:
        """(128,) of length 1: what the persona's own portrait is to the recogniser."""
        picture = persona_portrait(self.home, name)
        found = self.find(picture)
        if found is None:
            raise ValueError(f"there is no face in the portrait of {name}")
        return self.who(picture, found[0])
