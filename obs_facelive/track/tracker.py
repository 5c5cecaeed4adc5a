"""Following faces from frame to frame: where to look, who is who, and what is not a face."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from obs_facelive.frame import Detections, Face, Floats, Landmarks, Roi
from obs_facelive.geometry import box_of, overlap, roi_of_detection, roi_of_points
from obs_facelive.topology import CHIN, FACE_OVAL, FOREHEAD, LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS
from obs_facelive.track.smoothing import FaceSmoother

Detect: TypeAlias = Callable[[], Detections]
Landmark: TypeAlias = Callable[[Roi], Landmarks]
Choice: TypeAlias = Literal["largest", "centre", "left", "right", "all"]

MAX_FACES = 4
LOOK_AGAIN = 0.5
"""Seconds between detections while all known faces are followed: how late a newcomer is seen."""
REMEMBER = 1.0
"""Seconds for which a lost face keeps its number."""
MIN_SCORE = 0.5
SAME_FACE = 0.3
"""Boxes that overlap by more than this (intersection over union) are one face."""


@dataclass
class _Track:
    number: int
    smoother: FaceSmoother
    points: Floats
    seen: float
    velocity: Floats


class Tracker:
    """Turns a detector and a landmarker into faces that keep their identity.

    The detector runs where no face is known, where one was lost (in the same frame, so that no frame goes without), and now
    and then for newcomers; otherwise the landmarks of the frame before say where to look.
    """

    def __init__(self, steadiness: int = 50, max_faces: int = MAX_FACES) -> None:
        self._steadiness = steadiness
        self._max_faces = max_faces
        self._tracks: list[_Track] = []
        self._next = 1
        self._looked = -np.inf

    def follow(self, detect: Detect, landmark: Landmark, time: float) -> list[Face]:
        """The faces of the next frame, taken at ``time`` (seconds, rising), in the order in which they were first seen.

        ``detect()`` gives the detections of that frame, ``landmark(roi)`` the points in a region of it. Blendshapes are
        left at zero: only the chosen face needs them.
        """
        found: list[tuple[_Track, Landmarks]] = []
        for track in self._tracks:
            answer = landmark(_expected(track, time))
            if plausible(answer) and not _known(answer.points, found):
                found.append((track, answer))
        if len(found) < max(1, len(self._tracks)) or time - self._looked >= LOOK_AGAIN:
            self._look(detect(), landmark, found, time)
        self._tracks = [t for t in self._tracks if time - t.seen <= REMEMBER or any(t is f for f, _ in found)]
        return [self._face(track, answer, time) for track, answer in sorted(found, key=lambda f: f[0].number)]

    def _look(
        self, detections: Detections, landmark: Landmark, found: list[tuple[_Track, Landmarks]], time: float
    ) -> None:
        self._looked = time
        for box, eyes in zip(detections.boxes, detections.eyes, strict=True):
            if len(found) >= self._max_faces:
                return
            if any(overlap(box, box_of(answer.points)[None])[0] > SAME_FACE for _, answer in found):
                continue
            first = landmark(roi_of_detection(box, eyes))
            if not plausible(first):
                continue
            # The detector's box is a rough one: look once more where the points say that the face is.
            answer = landmark(roi_of_points(first.points))
            if plausible(answer) and not _known(answer.points, found):
                found.append((self._owner(answer.points, found, time), answer))

    def _owner(self, points: Floats, found: list[tuple[_Track, Landmarks]], time: float) -> _Track:
        """The lost track that was nearest to ``points``, else a new one."""
        lost = [t for t in self._tracks if not any(t is f for f, _ in found)]
        size = _size(points)
        centre = points[:, :2].mean(0)

        def distance(track: _Track) -> float:
            return float(np.linalg.norm(track.points[:, :2].mean(0) - centre)) / size

        near = [t for t in lost if distance(t) < 2 and 0.5 < _size(t.points) / size < 2]
        if near:
            track = min(near, key=distance)
            track.smoother = FaceSmoother(self._steadiness)
            track.velocity = np.zeros(2, np.float32)
            return track
        track = _Track(self._next, FaceSmoother(self._steadiness), points, time, np.zeros(2, np.float32))
        self._next += 1
        self._tracks.append(track)
        return track

    def _face(self, track: _Track, answer: Landmarks, time: float) -> Face:
        elapsed = time - track.seen
        if elapsed > 0:
            track.velocity = (answer.points[:, :2].mean(0) - track.points[:, :2].mean(0)) / np.float32(elapsed)
        track.points, track.seen = answer.points, time
        points = track.smoother(answer.points, time)
        return Face(track.number, points, np.zeros(52, np.float32), answer.score)


def _expected(track: _Track, time: float) -> Roi:
    roi = roi_of_points(track.points)
    ahead = track.velocity * np.float32(min(time - track.seen, 0.1))
    return Roi(roi.x + float(ahead[0]), roi.y + float(ahead[1]), roi.size, roi.angle)


def _known(points: Floats, found: list[tuple[_Track, Landmarks]]) -> bool:
    boxes = np.array([box_of(answer.points) for _, answer in found], np.float32).reshape(-1, 4)
    return bool((overlap(box_of(points), boxes) > SAME_FACE).any())


def _size(points: Floats) -> float:
    box = box_of(points)
    return float(max(box[2] - box[0], box[3] - box[1], 1))


def plausible(answer: Landmarks) -> bool:
    """Whether a landmarker's answer can be a face: sure enough, finite, not folded up, not inside out."""
    points = answer.points
    if answer.score < MIN_SCORE or not np.isfinite(points).all():
        return False
    box = box_of(points)
    width, height = box[2:] - box[:2]
    if min(width, height) < 8 or not 0.25 < width / height < 4:
        return False
    x, y = points[FACE_OVAL, 0], points[FACE_OVAL, 1]
    area = float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) / 2
    eyes = points[LEFT_EYE_CORNERS[0], :2] - points[RIGHT_EYE_CORNERS[0], :2]
    down = points[CHIN, :2] - points[FOREHEAD, :2]
    upright = float(eyes[0] * down[1] - eyes[1] * down[0])
    return area > 0.3 * width * height and upright > 0


def choose(faces: list[Face], how: Choice, width: int, height: int) -> list[Face]:
    """Which of ``faces`` in a picture of ``width`` x ``height`` pixels are meant by ``how``."""
    if how == "all" or not faces:
        return faces
    boxes = np.array([box_of(face.points) for face in faces])
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    if how == "largest":
        best = np.argmax((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
    elif how == "centre":
        best = np.argmin(np.linalg.norm(centres - [width / 2, height / 2], axis=1))
    else:
        best = np.argmin(centres[:, 0] if how == "left" else -centres[:, 0])
    return [faces[int(best)]]
