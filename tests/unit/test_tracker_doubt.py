"""What the tracker says of faces that may be somebody else than before; detector and landmarker know only places."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from obs_facelive.frame import Detections, Face, Floats, Frame, Landmarks, Pixels, Roi
from obs_facelive.settings import Settings
from obs_facelive.topology import CanonicalFace, load_canonical_face
from obs_facelive.track.tracker import MAX_FACES, Tracker
from tests.unit.drawn_face import face_points

SIZE = 130.0
"""Pixels of a face's height, about."""


class Room:
    """Faces at places; a landmarker that finds the nearest one.

    Attributes
    ----------
    places : (x, y) of each face, pixels
    found : the detector finds them
    """

    def __init__(self, canonical: CanonicalFace) -> None:
        self.shape = face_points(canonical, SIZE / 18)
        self.shape[:, :2] -= self.shape[:, :2].mean(0)
        self.places: list[tuple[float, float]] = []
        self.found = True
        self.tracker, self.count = Tracker(), 0

    def points(self, place: tuple[float, float]) -> Floats:
        return (self.shape + np.array([*place, 0], np.float32)).astype(np.float32)

    def detect(self, pixels: Pixels) -> Detections:
        faces = [self.points(place) for place in self.places] if self.found else []
        boxes = np.array([[*p[:, :2].min(0), *p[:, :2].max(0)] for p in faces], np.float32).reshape(-1, 4)
        eyes = np.array([[p[468, :2], p[473, :2]] for p in faces], np.float32).reshape(-1, 2, 2)
        return Detections(boxes, np.ones(len(faces), np.float32), eyes)

    def landmark(self, pixels: Pixels, roi: Roi) -> Landmarks:
        near = [place for place in self.places if np.hypot(place[0] - roi.x, place[1] - roi.y) < roi.size / 2]
        if not near:
            return Landmarks(self.points((roi.x, roi.y)), 0.0)
        return Landmarks(self.points(min(near, key=lambda p: np.hypot(p[0] - roi.x, p[1] - roi.y))), 1.0)

    def __call__(self, *places: tuple[float, float]) -> list[Face]:
        self.places = list(places)
        frame = Frame(np.zeros((720, 1280, 4), np.uint8), self.count, self.count / 30)
        self.count += 1
        settings = Settings(only_me=True, steadiness=0, face="left")
        return self.tracker.follow(frame, settings, self.detect, self.landmark)


@pytest.fixture
def room(models: Path) -> Room:
    return Room(load_canonical_face(models))


def test_all_faces_are_followed_whatever_was_chosen_and_no_doubt_without_cause(room: Room) -> None:
    for step in range(20):
        faces = room((200 + step, 300), (700, 300), (1000, 300 + step))
        assert [face.track for face in faces] == [1, 2, 3]
        assert room.tracker.doubtful == set() and room.tracker.missed == {}


def test_faces_that_come_near_are_in_doubt_while_they_are(room: Room) -> None:
    doubts = []
    for x in range(100, 860, 20):
        faces = room((x, 300), (480, 320), (1150, 300))
        doubts.append(room.tracker.doubtful)
    far = max(faces, key=lambda face: float(face.points[0, 0])).track
    assert doubts[0] == set() and doubts[-1] == set()
    assert sum(len(doubt) >= 2 for doubt in doubts) > 5
    assert not any(far in doubt for doubt in doubts)


def test_the_one_that_is_left_of_two_is_in_doubt(room: Room) -> None:
    room((300, 300), (700, 300))
    room((480, 300), (560, 300))
    faces = room((520, 300))
    assert len(faces) == 1 and faces[0].track in room.tracker.doubtful


def test_a_face_that_comes_back_is_in_doubt_and_missed_until_then(room: Room) -> None:
    gone = min(room((300, 300), (900, 300)), key=lambda face: float(face.points[0, 0])).track
    room((900, 300))
    assert set(room.tracker.missed) == {gone} and room.tracker.lost
    faces = room((320, 300), (900, 300))
    assert [face.track for face in faces] == [1, 2] and room.tracker.doubtful == {gone} and room.tracker.missed == {}


def test_a_face_that_jumps_is_in_doubt(room: Room) -> None:
    room((300, 300))
    room((310, 300))
    assert room.tracker.doubtful == set()
    room((310 + 0.7 * SIZE, 300))
    assert room.tracker.doubtful == {1}


def test_faces_beyond_those_that_are_followed_are_known(room: Room) -> None:
    places = [(150.0 + 220 * k, 300.0) for k in range(MAX_FACES + 1)]
    faces = room(*places)
    assert len(faces) == MAX_FACES and len(room.tracker.beyond) == 1
    room(*places[:2])
    assert len(room.tracker.beyond) == 0
