"""Following faces from frame to frame: where to look, who is who, and who is meant."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from obs_facelive.frame import Detections, Face, Floats, Frame, Landmarks, Pixels, Plane, Roi
from obs_facelive.geometry import box_of, overlap, roi_of_detection, roi_of_points
from obs_facelive.quality import LADDER
from obs_facelive.settings import Settings
from obs_facelive.track.choice import FaceChoice, rank
from obs_facelive.track.plausible import plausible
from obs_facelive.track.registration import Registration, Skin
from obs_facelive.track.smoothing import FaceSmoother

Detect: TypeAlias = Callable[[Pixels], Detections]
Landmark: TypeAlias = Callable[[Pixels, Roi], Landmarks]

_NOTHING: Mapping[int, Plane] = MappingProxyType({})
MAX_FACES = 4
LOOK_AGAIN = LADDER[0].look_again
"""Seconds between detections while all is well: how late a newcomer is seen at the most."""
REMEMBER = 1.0
"""Seconds for which a lost face keeps its number, and its claim to be the chosen one."""
SAME_FACE = 0.3
"""Boxes that overlap by more than this (intersection over union) are one face."""
NEAR = 0.1
"""Faces whose boxes, larger by this share of their size on each side, overlap may be taken for each other."""
JUMP = 0.25
"""Share of a face's size that it does not move by between two frames: what is found so far away may be another face."""


@dataclass(eq=False)
class _Track:
    """A face's memory. ``points`` are the landmarker's own; ``wanted``: it was chosen when the detector last ran."""

    number: int
    points: Floats
    seen: float
    smoother: FaceSmoother
    wanted: bool = True
    skin: Skin | None = None


class Tracker:
    """Turns a detector and a landmarker into faces that keep their identity.

    A face is looked for where it was in the frame before: on real clips, a head moves by less than 5 % of the region even
    at 6 frames a second, and the landmark net does not mind 10 %; extrapolating the movement only made the points tremble.
    The detector runs where a face was lost (in the same frame, so that none goes without), where none is known, and
    four times a second for newcomers. Only chosen faces are followed, so a crowd costs no more than one person.

    Parameters
    ----------
    registration : makes the points stick to the skin, unless steadiness is 0; None leaves that to the landmarks

    Attributes
    ----------
    missed : by number, where a chosen face was that was seen within the last second, but not in the last frame
    doubtful : numbers of faces in the last frame that may be somebody else than in the frame before: they were lost meanwhile,
        moved far, or are near another face
    beyond : boxes (4,) of faces that the detector found when it ran last, and that are not followed
    """

    def __init__(self, registration: Registration | None = None) -> None:
        self._registration = registration
        self._tracks: list[_Track] = []
        self._count = 0
        self._last = -np.inf
        self._looked = -np.inf
        self._crowded = -np.inf
        self._choice: FaceChoice | None = None
        self.missed: dict[int, Floats] = {}
        self.doubtful: set[int] = set()
        self.beyond: list[Floats] = []

    @property
    def lost(self) -> bool:
        """A chosen face was seen within the last second, but not in the last frame."""
        return bool(self.missed)

    def follow(
        self,
        frame: Frame,
        settings: Settings,
        detect: Detect,
        landmark: Landmark,
        look_again: float = LOOK_AGAIN,
        hidden: Mapping[int, Plane] = _NOTHING,
        plain: Collection[int] = (),
    ) -> list[Face]:
        """The chosen faces in ``frame``, by number. Frames come in order; a jump in time is no harm.

        Newcomers are looked for every ``look_again`` seconds. Blendshapes are left at zero. If the one chosen face of several
        is lost, nobody else takes its place for a second: otherwise one person would be swapped while the other's bare face
        is shown. ``hidden``, by number: what lay in front of the faces in the frame before. ``plain``: numbers of faces that
        need no steady points. With `Settings.only_me` all faces are followed: who they are is seen later.
        """
        time = frame.time
        how: FaceChoice = "all" if settings.only_me else settings.face
        self.doubtful = set()
        self._tracks = [t for t in self._tracks if abs(time - t.seen) <= REMEMBER]
        found: list[tuple[_Track, Landmarks]] = []
        for track in [t for t in self._tracks if t.wanted and t.seen == self._last]:
            answer = look_closely(frame.pixels, roi_of_points(track.points), landmark)
            if answer and (same := _shown_as(answer.points, found)):
                self._tracks.remove(track)
                self.doubtful.add(same.number)
            elif answer:
                found.append((track, answer))
                if _moved(track.points, answer.points) > JUMP:
                    self.doubtful.add(track.number)
        missing = sum(t.wanted for t in self._tracks) > len(found)
        if not found or missing or abs(time - self._looked) >= look_again or how != self._choice:
            found = self._choose(frame, how, detect(frame.pixels), landmark, found)
            self._looked, self._choice = time, how
        absent = self._absent(found)
        self.doubtful |= _near([*_boxes(found), *((t.number, box_of(t.points)) for t in absent)])
        faces = [
            self._face(
                track,
                answer,
                frame,
                0 if track.number in plain else settings.steadiness,
                hidden.get(track.number),
            )
            for track, answer in found
        ]
        self._last = time
        self.missed = {track.number: box_of(track.points) for track in absent if track.wanted}
        return sorted(faces, key=lambda face: face.track)

    def _choose(
        self,
        frame: Frame,
        how: FaceChoice,
        detections: Detections,
        landmark: Landmark,
        found: list[tuple[_Track, Landmarks]],
    ) -> list[tuple[_Track, Landmarks]]:
        """The faces to follow from now on, out of those already ``found`` in this frame and those that were detected."""
        known = [box_of(answer.points) for _, answer in found]
        new = [i for i, box in enumerate(detections.boxes) if not _overlaps(box, known)]
        boxes = np.array(known + [detections.boxes[i] for i in new], np.float32).reshape(-1, 4)
        claimed = (
            how != "all"
            and abs(frame.time - self._crowded) <= REMEMBER + LADDER[-1].look_again
            and any(t.wanted for t in self._absent(found))
        )
        if len(boxes) > 1:
            self._crowded = frame.time
        chosen: list[tuple[_Track, Landmarks]] = []
        for candidate in rank(boxes, how, frame.width, frame.height, favoured=len(found)):
            if len(chosen) == (MAX_FACES if how == "all" else 1):
                break
            if candidate < len(found):
                chosen.append(found[candidate])
                continue
            owner = self._owner(boxes[candidate], self._absent(found + chosen))
            if claimed and (owner is None or not owner.wanted):
                continue
            region = roi_of_detection(boxes[candidate], detections.eyes[new[candidate - len(found)]])
            answer = look_closely(frame.pixels, region, landmark)
            if answer and not _shown_as(answer.points, found + chosen):
                if owner:
                    self.doubtful.add(owner.number)
                chosen.append((owner or self._newcomer(answer.points, frame.time), answer))
        for track in self._absent(chosen):
            # Of several faces, one that is only lost is still wanted; of one, the new one takes its place.
            track.wanted &= track in self._absent(found) and (how == "all" or not chosen)
        followed = [box for _, box in _boxes(chosen)]
        self.beyond = [box for box in detections.boxes if not _overlaps(box, followed)]
        return chosen

    def _absent(self, found: list[tuple[_Track, Landmarks]]) -> list[_Track]:
        present = {track.number for track, _ in found}
        return [track for track in self._tracks if track.number not in present]

    def _owner(self, box: Floats, absent: list[_Track]) -> _Track | None:
        """The face that was last seen about where ``box`` is, and about as large."""
        nearest: tuple[float, _Track | None] = (1.5, None)
        size = float(max(box[2:] - box[:2]))
        for track in absent:
            old = box_of(track.points)
            away = float(np.linalg.norm((old[:2] + old[2:] - box[:2] - box[2:]) / 2)) / size
            if away < nearest[0] and 0.5 < float(max(old[2:] - old[:2])) / size < 2:
                nearest = away, track
        return nearest[1]

    def _newcomer(self, points: Floats, time: float) -> _Track:
        self._count += 1
        track = _Track(self._count, points, time, FaceSmoother(0))
        self._tracks.append(track)
        return track

    def _face(self, track: _Track, answer: Landmarks, frame: Frame, steadiness: int, hidden: Plane | None) -> Face:
        if track.seen != self._last or track.smoother.steadiness != steadiness:
            track.smoother, track.skin = FaceSmoother(steadiness), None
        track.points, track.seen, track.wanted = answer.points, frame.time, True
        points = track.smoother(answer.points, frame.time)
        if self._registration and steadiness:
            points, track.skin = self._registration(frame, points, track.skin, hidden)
        return Face(track.number, points, np.zeros(52, np.float32), answer.score)


def look_closely(pixels: Pixels, roi: Roi, landmark: Landmark) -> Landmarks | None:
    """The face in ``roi``, looked at again where the points lie off-centre; None where there is none to be sure of.

    Face Mesh is exact (0.5 % of the distance of the eyes) up to a shift of a tenth of the region, and wrong with a high score
    between a seventh and a third: there it takes the second look to find out.
    """
    for _ in range(3):
        answer = landmark(pixels, roi)
        if not plausible(answer):
            return None
        seen = roi_of_points(answer.points)
        shift = np.hypot(seen.x - roi.x, seen.y - roi.y) / seen.size
        turn = abs(np.angle(np.exp(1j * (seen.angle - roi.angle))))
        if shift < 0.08 and 0.8 < seen.size / roi.size < 1.25 and turn < 0.35:
            return answer
        roi = seen
    return None


def _overlaps(box: Floats, boxes: list[Floats]) -> bool:
    return bool((overlap(box, np.array(boxes, np.float32).reshape(-1, 4)) > SAME_FACE).any())


def _shown_as(points: Floats, found: list[tuple[_Track, Landmarks]]) -> _Track | None:
    """Which of the faces that are already ``found`` the ``points`` are."""
    box = box_of(points)
    return next((track for track, answer in found if _overlaps(box, [box_of(answer.points)])), None)


def _boxes(found: list[tuple[_Track, Landmarks]]) -> list[tuple[int, Floats]]:
    """Number and box of each of the faces ``found``."""
    return [(track.number, box_of(answer.points)) for track, answer in found]


def _moved(before: Floats, after: Floats) -> float:
    """How far a face has moved, as a share of its size."""
    old, new = box_of(before), box_of(after)
    return float(np.linalg.norm((old[:2] + old[2:] - new[:2] - new[2:]) / 2) / max(old[2:] - old[:2]))


def _near(boxes: list[tuple[int, Floats]]) -> set[int]:
    """Numbers of the faces whose boxes come `NEAR` one another's."""
    grown = []
    for number, box in boxes:
        air = NEAR * (box[2:] - box[:2])
        grown.append((number, np.concatenate([box[:2] - air, box[2:] + air])))
    near: set[int] = set()
    for index, (number, box) in enumerate(grown):
        for other, its in grown[:index]:
            if (np.minimum(box[2:], its[2:]) > np.maximum(box[:2], its[:2])).all():
                near |= {number, other}
    return near
