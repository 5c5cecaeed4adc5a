"""Following faces through real clips: who is who, who is meant, and what happens when a face is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.frame import Detections, Face, Floats, Frame, Landmarks, Pixels, Roi
from obs_facelive.geometry import box_of, overlap, roi_of_points
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.settings import Settings
from obs_facelive.track.choice import FaceChoice, rank
from obs_facelive.track.one_euro import Values
from obs_facelive.track.plausible import plausible
from obs_facelive.track.tracker import REMEMBER, SAME_FACE, Tracker, look_closely
from tests.conftest import CLIPS, ReadFrames, bgra, resized

RATE = 30


class Run:
    """A tracker on real nets, counting how often each runs."""

    def __init__(self, models: Path) -> None:
        self.detector, self.landmarker, self.tracker = BlazeFace(models), FaceMesh(models), Tracker()
        self.detections = self.looks = self.count = 0

    def detect(self, pixels: Pixels) -> Detections:
        self.detections += 1
        return self.detector.detect(pixels)

    def landmark(self, pixels: Pixels, roi: Roi) -> Landmarks:
        self.looks += 1
        return self.landmarker.landmarks(pixels, roi)

    def __call__(
        self, pictures: Sequence[Pixels], face: FaceChoice = "largest", steadiness: int = 50
    ) -> list[list[Face]]:
        """The faces of each picture, at 30 a second."""
        faces = []
        for picture in pictures:
            frame = Frame(picture, self.count, self.count / RATE)
            faces.append(
                self.tracker.follow(frame, Settings(face=face, steadiness=steadiness), self.detect, self.landmark)
            )
            self.count += 1
        return faces


@pytest.fixture
def run(models: Path) -> Run:
    return Run(models)


@pytest.fixture(scope="module")
def pair(frames: ReadFrames) -> Callable[[int], list[Pixels]]:
    """Pictures with two people: the larger one on the left, the smaller on the right."""

    def read(count: int) -> list[Pixels]:
        left = [resized(p, 480, 480) for p in frames("d9.mp4", count)]
        right = [resized(p[:, 280:1000], 480, 480) for p in frames("s18.mp4", count)]
        return [np.ascontiguousarray(np.hstack(both)) for both in zip(left, right, strict=True)]

    return read


def _numbers(faces: list[list[Face]]) -> list[list[int]]:
    return [[face.track for face in of_frame] for of_frame in faces]


def _blank(picture: Pixels, left: int = 0, right: int | None = None) -> Pixels:
    out = picture.copy()
    out[:, left:right] = 0
    return out


def _middle(face: Face) -> float:
    return float(face.points[:, 0].mean())


@pytest.mark.parametrize("clip", CLIPS)
def test_one_person_is_one_face_in_every_frame(clip: str, frames: ReadFrames, run: Run) -> None:
    """Hands before the face, strong expressions, glasses: no frame without, no second number, few detections."""
    faces = run(frames(clip, 46))
    assert _numbers(faces) == [[1]] * 46
    assert run.detections <= 7
    assert run.looks <= 50
    assert all(plausible(Landmarks(of_frame[0].points, of_frame[0].score)) for of_frame in faces)


def test_a_slow_engine_still_follows(frames: ReadFrames, run: Run) -> None:
    """Every sixth frame of the liveliest clip: the head jumps, and is still found from where it was."""
    assert _numbers(run(frames("d10.mp4", 30, step=6))) == [[1]] * 30
    assert run.detections <= 5


def test_two_people_keep_their_numbers(pair: Callable[[int], list[Pixels]], run: Run) -> None:
    faces = run(pair(20), "all")
    assert _numbers(faces) == [[1, 2]] * 20
    places = np.array([[_middle(face) for face in of_frame] for of_frame in faces])
    assert np.ptp(places, axis=0).max() < 60, "nobody changed sides"


@pytest.mark.parametrize(("how", "left"), [("largest", True), ("left", True), ("right", False)])
def test_the_one_who_is_meant(how: FaceChoice, left: bool, pair: Callable[[int], list[Pixels]], run: Run) -> None:
    faces = run(pair(10), how)
    assert _numbers(faces) == [[1]] * 10
    assert all((_middle(of_frame[0]) < 480) == left for of_frame in faces)
    assert run.looks == 10, "the other face costs nothing"


def test_a_change_of_the_choice_takes_effect_at_once(pair: Callable[[int], list[Pixels]], run: Run) -> None:
    pictures = pair(6)
    (left,), (right,), (again,) = run(pictures[:1], "left") + run(pictures[1:2], "right") + run(pictures[2:3], "left")
    assert _middle(left) < 480 < _middle(right)
    assert again.track == left.track != right.track
    assert len(run(pictures[3:4], "all")[0]) == 2


def test_nobody_takes_a_lost_face_s_place_for_a_second(pair: Callable[[int], list[Pixels]], run: Run) -> None:
    """The chosen one vanishes: showing the other one swapped would mean that the first is shown bare if only missed."""
    pictures = pair(45)
    run(pictures[:3], "left")
    gone = [_blank(picture, right=480) for picture in pictures[3:]]
    faces = _numbers(run(gone, "left"))
    wait = round(REMEMBER * RATE)
    assert faces[: wait - 1] == [[]] * (wait - 1)
    assert faces[wait + 2 :] == [[2]] * (len(faces) - wait - 2)


def test_a_lost_face_is_missed_for_a_second(pair: Callable[[int], list[Pixels]], run: Run) -> None:
    first, *others = pair(40)
    run([first], "all")
    assert not run.tracker.lost
    width = first.shape[1]
    missed = []
    for picture in others:
        run([_blank(picture, width // 2)], "all")
        missed.append(run.tracker.lost)
    assert missed == [True] * RATE + [False] * (len(others) - RATE)


def test_a_face_that_comes_back_keeps_its_number(pair: Callable[[int], list[Pixels]], run: Run) -> None:
    pictures = pair(20)
    pictures[8:14] = [_blank(picture) for picture in pictures[8:14]]
    assert _numbers(run(pictures, "all")) == [[1, 2]] * 8 + [[]] * 6 + [[1, 2]] * 6


def test_a_face_that_jumps_is_found_in_the_same_frame(frames: ReadFrames, run: Run) -> None:
    """A short way, it is the same face; over the whole picture, somebody else's."""
    pictures = frames("s18.mp4", 8)
    pictures[3:] = [np.roll(picture, 150, axis=1) for picture in pictures[3:]]
    pictures[6:] = [np.roll(picture, -450, axis=1) for picture in pictures[6:]]
    faces = run(pictures)
    assert _numbers(faces) == [[1]] * 6 + [[2]] * 2
    places = [_middle(face) for (face,) in faces]
    assert places[3] - places[2] == pytest.approx(150, abs=10)
    assert places[6] - places[5] == pytest.approx(-450, abs=10)
    assert run.detections == 3


def test_a_cut_to_another_scene_costs_no_frame(frames: ReadFrames, run: Run) -> None:
    scenes = [frames(clip, 5) for clip in ("d9.mp4", "asl_learn.mkv", "d3.mp4")]
    same_size = [resized(picture, 640, 480) for scene in scenes for picture in scene]
    assert [len(of_frame) for of_frame in run(same_size)] == [1] * 15


def test_a_newcomer_is_seen_within_a_quarter_of_a_second(pair: Callable[[int], list[Pixels]], run: Run) -> None:
    pictures = pair(20)
    pictures[:10] = [_blank(picture, left=480) for picture in pictures[:10]]
    numbers = _numbers(run(pictures, "all"))
    assert numbers[:10] == [[1]] * 10
    assert numbers[18:] == [[1, 2]] * 2


def test_no_face_no_skipped_detection(run: Run) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (5, 360, 640, 4), np.uint8)
    assert run(list(noise)) == [[]] * 5
    assert run.detections == 5


def test_one_face_detected_twice_is_one(frames: ReadFrames, run: Run) -> None:
    """A detector that reports the same face a second time, smaller: as boxes, these do not overlap enough to be one."""
    picture = frames("s18.mp4", 1)[0]

    def twice(pixels: Pixels) -> Detections:
        box, eyes = (array[0] for array in (run.detector.detect(pixels).boxes, run.detector.detect(pixels).eyes))
        middle = np.tile((box[:2] + box[2:]) / 2, 2)
        boxes = np.array([box, middle + 0.53 * (box - middle)], np.float32)
        assert overlap(boxes[0], boxes[1:])[0] < SAME_FACE
        return Detections(boxes, np.ones(2, np.float32), np.array([eyes, eyes], np.float32))

    tracker, settings = Tracker(), Settings(face="all")
    for number in range(3):
        frame = Frame(picture, number, number / RATE)
        assert len(tracker.follow(frame, settings, twice, run.landmark)) == 1
    assert run.looks > 4, "the second one was looked at"


def test_two_regions_that_slide_onto_one_face_become_one(pair: Callable[[int], list[Pixels]], run: Run) -> None:
    pictures = pair(4)
    left, _ = run(pictures[:2], "all")[-1]

    def slid(pixels: Pixels, _: Roi) -> Landmarks:
        return run.landmark(pixels, roi_of_points(left.points))

    for number, picture in enumerate(pictures[2:], 2):
        frame = Frame(picture, number, number / RATE)
        faces = run.tracker.follow(frame, Settings(face="all"), run.detect, slid)
        assert [face.track for face in faces] == [left.track]


def test_one_of_two_comes_back_without_delay(pair: Callable[[int], list[Pixels]], run: Run) -> None:
    pictures = pair(18)
    pictures[9:14] = [_blank(picture, right=480) for picture in pictures[9:14]]
    assert _numbers(run(pictures, "all")) == [[1, 2]] * 9 + [[2]] * 5 + [[1, 2]] * 4


def test_time_may_jump(frames: ReadFrames, run: Run) -> None:
    """A media source that starts again, or a computer that slept."""
    pictures = frames("s18.mp4", 6)
    for number, (picture, time) in enumerate(zip(pictures, (10, 10.03, 9000, 9000.03, 0, 0.03), strict=True)):
        faces = run.tracker.follow(Frame(picture, number, time), Settings(), run.detect, run.landmark)
        assert len(faces) == 1
        assert np.isfinite(faces[0].points).all()


def test_steadiness_changes_while_live(frames: ReadFrames, run: Run) -> None:
    pictures = frames("asl_learn.mkv", 30)
    run(pictures[:10], steadiness=100)
    raw = run(pictures[10:20], steadiness=0)
    for picture, (face,) in zip(pictures[11:20], raw[1:], strict=True):
        roi = roi_of_points(face.points)
        answer = look_closely(picture, roi, run.landmark)
        assert answer is not None
        assert np.abs(answer.points - face.points)[:, :2].max() < 0.05 * roi.size


def test_looking_closely_corrects_a_shift_or_gives_up(portraits: dict[str, Pixels], run: Run) -> None:
    """Between a seventh and a third of the region, Face Mesh's first answer is wrong and its score high."""
    for picture in portraits.values():
        found = run.detector.detect(picture)
        truth = run(5 * [bgra(picture)], steadiness=0)[-1][0].points
        eyes = float(np.linalg.norm(truth[263] - truth[33]))
        roi = roi_of_points(truth)
        for shift in (0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.5):
            answer = look_closely(picture, Roi(roi.x + shift * roi.size, roi.y, roi.size, roi.angle), run.landmark)
            assert answer is not None or shift > 0.12
            if answer is not None:
                assert np.linalg.norm((answer.points - truth)[:, :2], axis=1).mean() < 0.02 * eyes
        assert overlap(found.boxes[0], box_of(truth)[None])[0] > 0.5
        run.tracker = Tracker()


def test_garbage_is_not_plausible(portraits: dict[str, Pixels], run: Run) -> None:
    (face,) = run([bgra(portraits["female_33"])])[0]

    def changed(points: Floats | Values, score: float = 1.0) -> bool:
        return plausible(Landmarks(np.asarray(points, np.float32), score))

    assert changed(face.points)
    assert not changed(face.points, score=0.3)
    assert not changed(face.points * [np.nan, 1, 1])
    assert not changed(face.points * [-1, 1, 1]), "mirrored"
    assert not changed(face.points * [1, 0.05, 1]), "flat"
    assert not changed(face.points * 0.02), "tiny"
    assert not changed(np.random.default_rng(0).normal(size=(478, 3)) * 100), "scattered"
    half_turn = (face.points - face.points.mean(0)) * [-1, -1, 1]
    assert changed(half_turn), "a head may hang upside down"


class TestRank:
    """Boxes: a large one at the left, a small one in the middle, a middling one at the right."""

    boxes: Floats = np.array([[0, 100, 200, 300], [600, 300, 680, 380], [1000, 100, 1150, 250]], np.float32)

    @pytest.mark.parametrize(
        ("how", "order"),
        [("largest", [0, 2, 1]), ("centre", [1, 2, 0]), ("left", [0, 1, 2]), ("right", [2, 1, 0]), ("all", [0, 2, 1])],
    )
    def test_order(self, how: FaceChoice, order: list[int]) -> None:
        assert rank(self.boxes, how, 1280, 720) == order

    def test_a_favourite_stays_unless_another_is_clearly_ahead(self) -> None:
        for lead, first in ((1.1, 0), (1.2, 1)):
            boxes = np.array([[0, 0, 100, 100], [200, 0, 200 + 100 * lead, 100 * lead]], np.float32)
            assert rank(boxes, "largest", 1280, 720, favoured=1)[0] == first

    def test_none(self) -> None:
        assert rank(self.boxes[:0], "centre", 1280, 720) == []
