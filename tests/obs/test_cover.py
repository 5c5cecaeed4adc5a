"""The covered picture as OBS records it, of nine people, from far to so near that the face fills the frame: nobody is in it.

One run of OBS records the same frames twice, side by side, covered and bare. In the covered half the detectors must not find a
face, and a recogniser that is told where the face is must not find its own person more alike than strangers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from obs_facelive.detect import Detector
from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.detect.scrfd import SCRFD
from obs_facelive.detect.yunet import YuNet
from obs_facelive.frame import Floats, Pixels
from obs_facelive.geometry import box_of, for_warp
from obs_facelive.home import Home
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.offline import cover
from obs_facelive.video import read_frames
from tests.conftest import CLIPS, bgra
from tests.obs.conftest import SCRIPT
from tests.obs.driving import CAMERA, add_filter
from tools.demo_clip import Clip, encode
from tools.obs_config import Collection, Item, Scene, Video, media
from tools.obs_session import ObsSession
from tools.recogniser import SAME_PERSON, Recogniser, face_points, recogniser_file
from tools.wheels import UnavailableError

WIDTH, HEIGHT, FPS = 640, 360, 30
FRAMINGS = (0.0, 1.6, 1.0)
"""The picture's height in heights of the face; 0: all of the clip's height."""
COVERED = "covered"


@dataclass(frozen=True)
class Shot:
    """A bare picture, whose it is, the (478, 2) points of the face in it, and the recogniser's vector."""

    person: str
    picture: Pixels
    points: Floats
    vector: Floats


@dataclass(frozen=True)
class Taken:
    """A recorded moment: the covered picture and its shot."""

    covered: Pixels
    shot: Shot


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    try:
        return Recogniser(recogniser_file(Home.find()))
    except UnavailableError as problem:
        pytest.skip(str(problem))


@pytest.fixture(scope="module", params=[4, pytest.param(20, marks=pytest.mark.slow)], ids="{} moments".format)
def shots(
    request: pytest.FixtureRequest, data: Path, camera_clip: Path, models: Path, recogniser: Recogniser
) -> list[Shot]:
    """Every person at some moments in every framing."""
    detector, landmarker = BlazeFace(models), FaceMesh(models)
    made: list[Shot] = []
    for clip in [*(data / "clips" / name for name in CLIPS), camera_clip]:
        for frame in moments(clip, request.param):
            points = face_points(frame, detector, landmarker)
            if points is not None:
                for framing in FRAMINGS:
                    picture, moved = framed(frame, points[:, :2], framing)
                    made.append(Shot(clip.stem, picture, moved, recogniser.embed(picture, moved)))
    return made


def moments(clip: Path, count: int) -> Iterator[Pixels]:
    """``count`` frames of a clip, from its beginning to its end."""
    video = cv2.VideoCapture(str(clip))
    length = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    wanted = set(np.linspace(2, length - 3, count).astype(int).tolist())
    for number in range(length):
        video.grab()
        if number in wanted:
            good, picture = video.retrieve()
            assert good
            yield bgra(np.asarray(picture, np.uint8))


def framed(picture: Pixels, points: Floats, framing: float) -> tuple[Pixels, Floats]:
    """The picture so near that the face has its part of the height, and the points in it."""
    box = box_of(points)
    height, width = picture.shape[:2]
    middle = np.array([box[0] + box[2], box[1] + box[3]]) / 2 if framing else np.array([width, height]) / 2
    scale = HEIGHT / (framing * (box[3] - box[1]) if framing else height)
    shift = np.array([WIDTH, HEIGHT]) / 2 - scale * middle
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float32)
    near = cv2.warpAffine(picture, for_warp(matrix), (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(near, np.uint8), np.asarray(points * scale + shift, np.float32)


@pytest.fixture(scope="module")
def taken(shots: list[Shot], obs_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> list[Taken]:
    """What OBS recorded: each shot at least once, mostly."""
    folder = tmp_path_factory.mktemp("cover")
    clip = folder / "people.mp4"
    encode(
        Clip(width=WIDTH, height=HEIGHT, fps=FPS), iter(np.ascontiguousarray(s.picture[..., :3]) for s in shots), clip
    )
    collection = Collection(
        "Cover",
        [media(CAMERA, clip)],
        [Scene("Scene", [Item(COVERED), Item(CAMERA, x=WIDTH)])],
        [SCRIPT],
        [Scene(COVERED, [Item(CAMERA)])],
    )
    with ObsSession(folder / "obs", [collection], video=Video(2 * WIDTH, HEIGHT, FPS), env=obs_env) as obs:
        add_filter(obs, COVERED, settings={"swap": False})
        obs.wait_status(
            "the cover", lambda s: s["state"] == "cover" and s["width"] == WIDTH and s["frames_captured"] > 0
        )
        recording = obs.record(1.5 * len(shots) / FPS)
    known = np.stack([_small(shot.picture) for shot in shots])
    recorded: list[Taken] = []
    for frame in read_frames(recording):
        distance = np.abs(known - _small(frame.pixels[:, WIDTH:])).mean(axis=(1, 2))
        assert distance.min() < 8, "the bare half is none of the shots"
        recorded.append(Taken(np.ascontiguousarray(frame.pixels[:, :WIDTH]), shots[int(distance.argmin())]))
    return recorded


def _small(picture: Pixels) -> npt.NDArray[np.float32]:
    grey = cv2.cvtColor(picture, cv2.COLOR_BGRA2GRAY)
    return np.asarray(cv2.resize(grey, (64, 36), interpolation=cv2.INTER_AREA), np.float32)


DETECTORS = ("blazeface", "yunet", pytest.param("scrfd", marks=pytest.mark.slow))


@pytest.fixture(scope="module")
def detector(request: pytest.FixtureRequest, models: Path, data: Path) -> Detector:
    if request.param == "blazeface":
        return BlazeFace(models)
    if request.param == "yunet":
        return YuNet(data / "models" / "yunet_n_320_320.onnx", "cpu")
    return SCRFD(data / "models" / "scrfd_500m_bnkps.onnx", "cpu")


def test_everybody_was_recorded(taken: list[Taken], shots: list[Shot]) -> None:
    """The long form has 500 covered frames; the clip goes round one and a half times, as a busy machine loses some frames."""
    assert len(taken) >= 0.95 * len(shots)
    assert {moment.shot.person for moment in taken} == {shot.person for shot in shots}
    assert len({shot.person for shot in shots}) == 9


@pytest.mark.parametrize("detector", DETECTORS, indirect=True)
def test_no_detector_finds_a_face(detector: Detector, taken: list[Taken]) -> None:
    bare = [len(detector.detect(moment.shot.picture)) for moment in taken[::11]]
    covered = [len(detector.detect(moment.covered)) for moment in taken]

    assert np.mean(np.array(bare) > 0) > 0.8, "the detector works"
    assert sum(covered) == 0


def test_the_recogniser_knows_nobody(taken: list[Taken], shots: list[Shot], recogniser: Recogniser) -> None:
    people = sorted({shot.person for shot in shots})
    faces = np.stack([np.mean([s.vector for s in shots if s.person == person], axis=0) for person in people])
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    own = np.array([[moment.shot.person == person for person in people] for moment in taken])
    alike = np.stack([recogniser.embed(moment.covered, moment.shot.points) for moment in taken]) @ faces.T
    bare = np.stack([moment.shot.vector for moment in taken]) @ faces.T

    assert (own & (bare == bare.max(axis=1, keepdims=True))).any(axis=1).mean() > 0.99, "bare, everybody is known"
    assert np.median(alike[own]) <= np.median(alike[~own]) + 0.005
    assert alike[own].max() < SAME_PERSON
    assert _more_often_alike(alike[own], alike[~own]) < 0.55


def _more_often_alike(own: npt.NDArray[np.float32], others: npt.NDArray[np.float32]) -> float:
    """How often a person's own similarity is above a stranger's: 0.5 is chance, 1 is certainty."""
    ranks = np.concatenate([own, others]).argsort().argsort()[: len(own)]
    return float((ranks.sum() - len(own) * (len(own) - 1) / 2) / (len(own) * len(others)))


def test_files_are_covered_as_in_obs(taken: list[Taken]) -> None:
    above_caption = slice(0, HEIGHT * 4 // 5)
    for moment in taken[::11]:
        offline = cover(bgra(moment.shot.picture[..., :3]))[above_caption, :, :3]
        assert np.abs(offline.astype(int) - moment.covered[above_caption, :, :3]).mean() < 8
