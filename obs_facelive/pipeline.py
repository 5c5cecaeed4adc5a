"""Detector → landmarker → tracker → swapper → merger → patches: composition and timing, nothing else.

Three steps, each of which may run in a thread of its own: `Pipeline.look`, `Pipeline.swap`, `Pipeline.merge`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from obs_facelive.detect import Detector
from obs_facelive.enhance import Enhancer
from obs_facelive.enhance.enhancing import Enhancing
from obs_facelive.frame import Detections, Face, Floats, Frame, Landmarks, Layer, Patch, Pixels, Plane, Roi
from obs_facelive.geometry import box_of, head_pose
from obs_facelive.identity.collector import Collector
from obs_facelive.identity.owner import Owner
from obs_facelive.landmark import Landmarker
from obs_facelive.mask.occlusion import MOST_HIDDEN, Occlusion, hidden_share
from obs_facelive.merge import Merger
from obs_facelive.merge.conceal import conceal
from obs_facelive.merge.widen import fitting, widened
from obs_facelive.personas.suited import suited
from obs_facelive.provenance.badge import Badge
from obs_facelive.provenance.mark import Mark
from obs_facelive.quality import LADDER, Rung
from obs_facelive.settings import Settings
from obs_facelive.shape.reshape import Reshape
from obs_facelive.steps import Looked, Outcome, Swapped
from obs_facelive.stopwatch import Stopwatch
from obs_facelive.swap import Swapper
from obs_facelive.swap.crossfade import Crossfade, Fade
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
OFTEN = 0.1
"""Seconds between detections where somebody may come in who must be seen at once."""


class Pipeline:
    """All stages for one camera and one persona; frames go in in order. One thread a step, at most.

    Parameters
    ----------
    reshape : gives faces the persona's proportions; None leaves them their own
    owner : knows whose face is the owner's; without it nobody is swapped where only the owner is to be
    real : the persona is a real person, whose face is never worn without the badge
    suits : the persona's own settings, which stand where the wearer's are at their defaults
    enhancer : gives swapped faces more detail

    Attributes
    ----------
    collector : shown each frame's faces, while it is there
    enhancing : what comes of the enhancer, if there is one
    watches : of `look`, of `swap`, of `merge`, of the re-warping in `merge`, and of enhancing in `swap`
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
        owner: Owner | None = None,
        *,
        real: bool = False,
        suits: Mapping[str, bool | int | str] = {},
        enhancer: Enhancer | None = None,
    ) -> None:
        self._detector, self._landmarker, self._canonical = detector, landmarker, canonical
        self.swapper, self.merger = swapper, merger
        self._occlusion, self._reshape, self._real = occlusion, reshape, real
        self._mark = Mark(canonical)
        self.owner, self._suits = owner, suits
        self.enhancing = Enhancing(enhancer) if enhancer else None
        self.collector: Collector | None = None
        self._tracker = Tracker(Registration(canonical))
        self._badge = Badge()
        self._looks = 0
        self._expressions: dict[int, Floats] = {}
        self._hidden: dict[int, Plane] = {}
        watches = Stopwatch(), Stopwatch(), Stopwatch(), Stopwatch()
        self.watches = (*watches, self.enhancing.watch) if self.enhancing else watches
        self._before: tuple[Pipeline, Fade] | None = None

    def follow(self, before: Pipeline, seconds: float) -> None:
        """Goes on where ``before`` stopped, on the same camera and device, and fades from its persona to this one.

        What is known of the live faces stays known: nothing is learned anew, so nothing jumps. The fade takes ``seconds`` from
        this pipeline's first frame on. Call it before that, from any thread; ``before`` must not be used afterwards.
        """
        fade = Fade(seconds)
        self._before = before, fade
        self._tracker, self._occlusion, self.owner = before._tracker, before._occlusion, before.owner
        self._badge = before._badge
        self._expressions, self._hidden = before._expressions, before._hidden
        self.swapper = Crossfade(before.swapper, self.swapper, fade)
        self.merger.follow(before.merger, fade)
        if self._reshape and before._reshape:
            self._reshape.follow(before._reshape, fade)

    def end_fade(self) -> None:
        """From the next frame on, nothing of the persona before is seen."""
        if before := self._before:
            before[1].end()

    def _shows_real(self, time: float) -> bool:
        """Whether a real person's face is seen at ``time``: of this persona, or of the one that is still fading."""
        if self._before and self._before[1].share(time) >= 1:
            self._before = None
        return self._real or (self._before is not None and self._before[0]._shows_real(time))

    @property
    def stages_ms(self) -> dict[str, float]:
        """Milliseconds by stage: of a look, of a swap, of a merge, of a re-warp; those that never ran are not there."""
        return {stage: ms for watch in self.watches for stage, ms in dict(watch.ms).items()}

    def process(self, frame: Frame, settings: Settings) -> Outcome:
        """The swapped faces of ``frame``, as patches to be laid over it: all steps, one after the other."""
        looked = self.look(frame, settings)
        if not looked.faces or looked.turned:
            return unswapped(looked)
        return self.merge(looked, self.swap(looked, settings), settings)

    def look(self, frame: Frame, settings: Settings, rung: Rung = LADDER[0]) -> Looked:
        """Finds the chosen faces and what they do."""
        settings = suited(settings, self._suits)
        clock = self.watches[0]
        if before := self._before:
            before[1].share(frame.time)  # a fade begins with the first frame, whoever needs it first
        try:
            looked = self._sorted(frame, settings, self._followed(frame, settings, rung))
            faces, turned = looked.faces, looked.turned
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
            looked = replace(looked, faces=faces, turned=turned)
            strength = settings.shape * settings.opacity / 1e4
            if faces and not turned and self._reshape and strength:
                with clock("shape"):
                    reshaped = self._reshape(frame, faces, strength)
                return replace(looked, frame=reshaped.frame, faces=reshaped.faces, reshaped=reshaped)
            return looked
        finally:
            clock.end_frame()

    def _followed(self, frame: Frame, settings: Settings, rung: Rung) -> list[Face]:
        """The faces in ``frame`` that ``settings`` choose, or that may be the owner's."""
        clock = self.watches[0]

        def detect(pixels: Pixels) -> Detections:
            with clock("detect"):
                return self._detector.detect(pixels)

        def landmarks(pixels: Pixels, roi: Roi) -> Landmarks:
            with clock("landmarks"):
                return self._landmarker.landmarks(pixels, roi)

        # Where all faces are swapped, a newcomer is bare until found: no rung may make that longer.
        look_again = LADDER[0].look_again if settings.face == "all" else rung.look_again
        plain = set[int]()
        if settings.only_me and self.owner:
            # Where the owner is not seen, or not yet known, each frame may be the one in which they are.
            seen, plain = self.owner.present, self.owner.others
            look_again = 0.0 if not seen else OFTEN if settings.others == "cover" else LADDER[0].look_again
        with clock("track"):
            faces = self._tracker.follow(frame, settings, detect, landmarks, look_again, self._hidden, plain)
        if self.collector:
            with clock("recognise"):
                self.collector.look(frame, faces, self._canonical)
        return faces

    def _sorted(self, frame: Frame, settings: Settings, faces: list[Face]) -> Looked:
        """Which of ``faces`` are to be swapped, and what becomes of the others."""
        tracker = self._tracker
        if not settings.only_me:
            # Of several, one that the landmarker misses is still in the picture, and bare.
            return Looked(frame, faces, turned=bool(faces) and settings.face == "all" and tracker.lost)
        with self.watches[0]("recognise"):
            found = self.owner and self.owner.sort(frame, faces, tracker.doubtful, tracker.missed)
        if not found:
            return Looked(frame, [], enrolled=False, company=bool(faces))
        covered = found.unknown + (found.others if settings.others == "cover" else [])
        hide = [box_of(face.points) for face in covered]
        if settings.others == "cover":
            hide += [*tracker.beyond, *tracker.missed.values()]
        return Looked(frame, found.owner, found.unsure, hide=tuple(hide), company=found.company)

    def _expressed(self, face: Face, again: bool) -> Face:
        known = self._expressions.get(face.track)
        if known is None or again:
            known = self._landmarker.blendshapes(face.points)
        return replace(face, blendshapes=known)

    def swap(self, looked: Looked, settings: Settings, rung: Rung = LADDER[0]) -> Swapped:
        """The persona in place of each face."""
        settings = suited(settings, self._suits)
        clock = self.watches[1]
        try:
            frame, faces = looked.frame, looked.faces
            with clock("swap"):
                layers = swap_at(rung.swap_scale, self.swapper, frame, faces, settings)
            if self.enhancing:
                layers = self.enhancing(frame, faces, layers, settings, rung.enhance_every)
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
        settings = suited(settings, self._suits)
        frame, clock = looked.frame, self.watches[2]
        patches: list[Patch] = []
        try:
            with clock("merge"):
                canvas, boxes = frame, looked.reshaped.boxes if looked.reshaped else [None] * len(looked.faces)
                hidden = conceal(frame, looked.hide, [face.points for face in looked.faces]) if looked.hide else []
                if hidden:
                    canvas = replace(canvas, pixels=compose(canvas, hidden))
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
        patches = hidden + patches
        if settings.badge != "off" or self._shows_real(frame.time):
            faces = looked.faces if settings.view != "side" else []  # there they are elsewhere
            patches.append(self._badge(frame, faces, patches, settings))
        patches = fitting(patches, frame)
        return Outcome(looked.faces, patches, company=looked.company)

    def _viewed(self, looked: Looked, patches: list[Patch], settings: Settings) -> list[Patch]:
        camera = looked.reshaped.camera if looked.reshaped else looked.frame
        return view(settings.view, camera, looked.faces, patches)


def unswapped(looked: Looked) -> Outcome:
    """What becomes of a frame in which nobody is to be swapped, or nobody can be."""
    shown = looked.enrolled and not looked.turned and not looked.faces
    patches = conceal(looked.frame, looked.hide) if shown and looked.hide else []
    return Outcome(looked.faces, fitting(patches, looked.frame), looked.turned, looked.enrolled, looked.company)
