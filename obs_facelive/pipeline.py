"""Detector → landmarker → tracker → swapper → merger → patches: composition and timing, nothing else.

Three steps, each of which may run in a thread of its own: `Pipeline.look`, `Pipeline.swap`, `Pipeline.merge`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from obs_facelive.detect import Detector
from obs_facelive.frame import Detections, Face, Floats, Frame, Landmarks, Layer, Patch, Pixels, Plane, Roi
from obs_facelive.geometry import head_pose
from obs_facelive.landmark import Landmarker
from obs_facelive.mask.occlusion import MOST_HIDDEN, Occlusion, hidden_share
from obs_facelive.merge import Merger
from obs_facelive.merge.widen import fitting, widened
from obs_facelive.provenance.badge import badge
from obs_facelive.provenance.mark import Mark
from obs_facelive.quality import LADDER, Rung
from obs_facelive.settings import Settings
from obs_facelive.shape.reshape import Reshape, Reshaped
from obs_facelive.swap import Swapper
from obs_facelive.swap.rewarp import rewarp
from obs_facelive.swap.scale import swap_at
from obs_facelive.topology import CanonicalFace
from obs_facelive.track.registration import Registration
from obs_facelive.track.tracker import Tracker
from obs_facelive.view import compose, view

FARTHEST_TURN = 50.0
"""Degrees of yaw. The landmarks are wrong beyond about 45 (looked at on stills): parts of the bare face would show."""
OLDEST_LAYER = 1.0
"""Seconds after which a swap is not moved onto newer landmarks any more: light and expression have gone on."""
FARTHEST_REWARP = 20.0
"""Degrees of yaw or pitch that a swap is moved by at the most: beyond, a side of the face is seen that it does not have."""


SMOOTH = 0.7
"""Seconds over which the stages' times are averaged."""


class Stopwatch:
    """Milliseconds per stage and frame, averaged over the last moments; a stage inside another counts for itself only.

    Attributes
    ----------
    ms : by stage; a stage that does not run in every frame counts as 0 where it does not
    """

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}
        self._frame: dict[str, float] = {}
        self._inner = 0.0
        self._ended = time.perf_counter()

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
        now = time.perf_counter()
        old = math.exp((self._ended - now) / SMOOTH)
        self._ended = now
        for stage in self.ms.keys() | self._frame.keys():
            spent = self._frame.get(stage, 0.0)
            self.ms[stage] = self.ms.get(stage, spent) * old + spent * (1 - old)
        self._frame.clear()
        self._inner = 0.0


@dataclass(frozen=True, slots=True)
class Looked:
    """A frame that was looked at.

    Attributes
    ----------
    frame, faces : the chosen faces, with their blendshapes, in the frame that all further steps work on
    turned : see `Outcome`
    reshaped : how ``frame`` differs from the camera's
    """

    frame: Frame
    faces: list[Face]
    turned: bool = False
    reshaped: Reshaped | None = None


@dataclass(frozen=True, slots=True)
class Swapped:
    """The swapper's work on one looked-at frame.

    Attributes
    ----------
    layers : one for each of the faces
    """

    looked: Looked
    layers: list[Layer]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one frame.

    Attributes
    ----------
    faces : the chosen faces, in this frame
    patches : finished rectangles; empty if there is no face
    turned : one of the faces cannot be covered, since it looks too far aside, or was there a moment ago and is not found now:
        there are no patches, and the frame must not be shown
    """

    faces: list[Face]
    patches: list[Patch]
    turned: bool = False


class Pipeline:
    """All stages for one camera and one persona; frames go in in order. One thread a step, at most.

    Parameters
    ----------
    reshape : gives faces the persona's proportions; None leaves them their own
    real : the persona is a real person, whose face is never worn without the badge

    Attributes
    ----------
    watches : of `look`, of `swap`, of `merge`, and of the re-warping in `merge`
    """

    def __init__(
        self,
        detector: Detector,
        landmarker: Landmarker,
        swapper: Swapper,
        merger: Merger,
        canonical: CanonicalFace,
        occlusion: Occlusion | None = None,
        reshape: Reshape | None = None,
        *,
        real: bool = False,
    ) -> None:
        self._detector, self._landmarker, self._canonical = detector, landmarker, canonical
        self.swapper, self.merger = swapper, merger
        self._occlusion, self._reshape, self._real = occlusion, reshape, real
        self._mark = Mark(canonical)
        self._tracker = Tracker(Registration(canonical))
        self._looks = 0
        self._expressions: dict[int, Floats] = {}
        self._hidden: dict[int, Plane] = {}
        self.watches = Stopwatch(), Stopwatch(), Stopwatch(), Stopwatch()

    @property
    def stages_ms(self) -> dict[str, float]:
        """Milliseconds by stage: of a look, of a swap, of a merge, of a re-warp; those that never ran are not there."""
        return {stage: ms for watch in self.watches for stage, ms in dict(watch.ms).items()}

    def process(self, frame: Frame, settings: Settings) -> Outcome:
        """The swapped faces of ``frame``, as patches to be laid over it: all steps, one after the other."""
        looked = self.look(frame, settings)
        if not looked.faces or looked.turned:
            return Outcome(looked.faces, [], looked.turned)
        return self.merge(looked, self.swap(looked, settings), settings)

    def look(self, frame: Frame, settings: Settings, rung: Rung = LADDER[0]) -> Looked:
        """Finds the chosen faces and what they do."""
        clock = self.watches[0]

        def detect(pixels: Pixels) -> Detections:
            with clock("detect"):
                return self._detector.detect(pixels)

        def landmarks(pixels: Pixels, roi: Roi) -> Landmarks:
            with clock("landmarks"):
                return self._landmarker.landmarks(pixels, roi)

        try:
            with clock("track"):
                # Where all faces are swapped, a newcomer is bare until found: no rung may make that longer.
                look_again = LADDER[0].look_again if settings.face == "all" else rung.look_again
                faces = self._tracker.follow(frame, settings, detect, landmarks, look_again, self._hidden)
            # Of several, one that the landmarker misses is still in the picture, and bare.
            turned = bool(faces) and settings.face == "all" and self._tracker.lost
            turned |= any(abs(head_pose(face.points, self._canonical)[0]) > FARTHEST_TURN for face in faces)
            if faces and not turned:
                again = self._looks % rung.details_every == 0
                with clock("blendshapes"):
                    faces = [self._expressed(face, again) for face in faces]
                if self._occlusion:
                    with clock("occlusion"):
                        search = settings.occlusion > 0
                        faces = [replace(f, surface=self._occlusion.look(frame, f, search, again)) for f in faces]
                    # Behind a hand there may be no face any more, or another one.
                    turned = any(f.surface and hidden_share(f.surface) > MOST_HIDDEN for f in faces)
                self._looks += 1
            self._expressions = {face.track: face.blendshapes for face in faces}
            self._hidden = {face.track: face.surface.hidden for face in faces if face.surface}
            strength = settings.shape * settings.opacity / 1e4
            if faces and not turned and self._reshape and strength:
                with clock("shape"):
                    reshaped = self._reshape(frame, faces, strength)
                return Looked(reshaped.frame, reshaped.faces, turned, reshaped)
            return Looked(frame, faces, turned)
        finally:
            clock.end_frame()

    def _expressed(self, face: Face, again: bool) -> Face:
        known = self._expressions.get(face.track)
        if known is None or again:
            known = self._landmarker.blendshapes(face.points)
        return replace(face, blendshapes=known)

    def swap(self, looked: Looked, settings: Settings, rung: Rung = LADDER[0]) -> Swapped:
        """The persona in place of each face."""
        clock = self.watches[1]
        try:
            with clock("swap"):
                layers = swap_at(rung.swap_scale, self.swapper, looked.frame, looked.faces, settings)
            return Swapped(looked, layers)
        finally:
            clock.end_frame()

    def rewarp(self, swapped: Swapped, looked: Looked) -> Swapped | None:
        """Earlier work of the swapper, moved onto the faces of a later frame; None where it fits one of them no more."""
        clock = self.watches[3]
        before = {face.track: (face, layer) for face, layer in zip(swapped.looked.faces, swapped.layers, strict=True)}
        layers: list[Layer] = []
        try:
            with clock("rewarp"):
                for face in looked.faces:
                    if face.track not in before or looked.frame.time - swapped.looked.frame.time > OLDEST_LAYER:
                        return None
                    old, layer = before[face.track]
                    poses = head_pose(old.points, self._canonical), head_pose(face.points, self._canonical)
                    if max(abs(a - b) for a, b in zip(poses[0][:2], poses[1][:2], strict=True)) > FARTHEST_REWARP:
                        return None
                    layers.append(rewarp(layer, old.points, face.points, looked.frame.width, looked.frame.height))
        finally:
            clock.end_frame()
        return Swapped(looked, layers)

    def merge(self, looked: Looked, swapped: Swapped, settings: Settings) -> Outcome:
        """The patches that are to be laid over ``looked``'s frame, of layers that were made for its faces."""
        frame, clock = looked.frame, self.watches[2]
        patches: list[Patch] = []
        try:
            with clock("merge"):
                canvas, boxes = frame, looked.reshaped.boxes if looked.reshaped else [None] * len(looked.faces)
                for face, layer, box in zip(looked.faces, swapped.layers, boxes, strict=True):
                    patch = self.merger.merge(canvas, face, layer, settings)
                    patch = widened(patch, canvas, box) if box else patch
                    patches.append(widened(patch, canvas, self._mark.reach(face, frame)))
                    # A patch that reaches over another face must show it swapped.
                    if len(looked.faces) > 1:
                        canvas = replace(canvas, pixels=compose(canvas, patches[-1:]))
            if settings.view == "mask":  # it shows what the swap changes, not what the mark does
                patches = self._viewed(looked, patches, settings)
            if settings.opacity:  # else nothing is swapped
                with clock("mark"):
                    patches = self._mark(looked.faces, patches)
        finally:
            clock.end_frame()
        if settings.view in ("landmarks", "side"):
            patches = self._viewed(looked, patches, settings)
        patches = fitting(patches, frame)
        if settings.badge != "off":
            patches.append(badge(frame, patches, settings.badge))
        elif self._real:
            patches.append(badge(frame, patches, "top-right"))
        return Outcome(looked.faces, patches)

    def _viewed(self, looked: Looked, patches: list[Patch], settings: Settings) -> list[Patch]:
        camera = looked.reshaped.camera if looked.reshaped else looked.frame
        return view(settings.view, camera, looked.faces, patches)
