"""Ours against insightface's own code, on the same networks: matrices, crops, what goes into a network, and what comes out.

The networks are stand-ins (`tools.stand_ins`): the code around a network is the same for the real files.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import hypothesis
import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import pytest
import skimage.data
from hypothesis import strategies as st
from insightface.app.common import Face as TheirFace
from insightface.model_zoo.arcface_onnx import ArcFaceONNX
from insightface.model_zoo.inswapper import INSwapper
from insightface.model_zoo.scrfd import SCRFD as TheirSCRFD
from insightface.utils import face_align

from obs_facelive.contracts import Matched, load_contracts, match
from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.detect.scrfd import SCRFD
from obs_facelive.frame import Floats, Pixels
from obs_facelive.identity.arcface import ArcFace
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.personas.make import find_portrait
from obs_facelive.runtime.graph import last_initializer, read_graph
from obs_facelive.swap.align import TEMPLATES, crop, five_points, placement
from obs_facelive.swap.photo import PhotoNetwork, latent
from tests.conftest import CLIPS, ReadFrames, bgra, resized
from tools.stand_ins.build import write

pytestmark = pytest.mark.filterwarnings(
    "ignore:`estimate` is deprecated:FutureWarning"
)  # insightface's call of scikit-image

NEAR = 1e-3
"""In pixels, and in a network's range."""
LEVEL = 1
THEIR_TEMPLATE = {
    112: "arcface_112_v2",
    224: "arcface_112_v2",
    128: "arcface_128",
    256: "arcface_128",
    512: "arcface_128",
}
"""Side of the crop → which template insightface takes for it."""
PLACES = {
    "as it is": (0.0, 1.0, (0.0, 0.0)),
    "small": (0.0, 0.45, (0.0, 0.0)),
    "large": (0.0, 1.6, (0.0, 0.0)),
    "leaning": (25.0, 0.9, (0.0, 0.0)),
    "lying": (-100.0, 0.8, (20.3, -11.7)),
}
"""Name → turn in degrees, scale, shift in pixels."""

Scene = tuple[Pixels, Floats]
"""A picture (h, w, 3) BGR and the face's five points in it."""


class Recording:
    """A session that keeps what goes in and comes out."""

    def __init__(self, path: Path) -> None:
        options = ort.SessionOptions()
        options.log_severity_level = 3
        self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.given: dict[str, Floats] = {}
        self.answers: list[Floats] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def run(self, names: Sequence[str], given: dict[str, Floats]) -> list[Floats]:
        self.given = {name: values.copy() for name, values in given.items()}
        self.answers = self._session.run(names, given)
        return [answer.copy() for answer in self.answers]


@pytest.fixture(scope="module")
def astronaut(models: Path) -> Scene:
    pictures: Any = skimage.data
    pixels = np.ascontiguousarray(pictures.astronaut()[..., ::-1])
    return pixels, five_points(find_portrait(pixels, BlazeFace(models), FaceMesh(models), smallest=64).points)


def placed(scene: Scene, turn: float, scale: float, shift: tuple[float, float]) -> Scene:
    """The scene's face turned and scaled about its nose, which comes to lie in a picture's middle, and shifted from there."""
    pixels, five = scene
    x, y = five[2].tolist()
    matrix = cv2.getRotationMatrix2D((x, y), turn, scale)
    matrix[:, 2] = matrix[:, 2] + [320 - x + shift[0], 240 - y + shift[1]]
    moved = cv2.warpAffine(pixels, matrix, (640, 480), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved, np.uint8), np.asarray(five @ matrix[:, :2].T + matrix[:, 2], np.float32)


@pytest.fixture(scope="module")
def scenes(astronaut: Scene) -> dict[str, Scene]:
    return {name: placed(astronaut, *place) for name, place in PLACES.items()}


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("stand_ins")
    for file in ("inswapper_128.onnx", "w600k_r50.onnx"):
        write(folder, file, 0.125)
    return folder


def matched(path: Path, contract: str) -> Matched:
    content = path.read_bytes()
    (found,) = [
        each for each in match(read_graph(content), content, load_contracts()) if each.contract.name == contract
    ]
    return found


@pytest.fixture(scope="module")
def recognisers(stand_ins: Path) -> tuple[ArcFaceONNX, Recording, ArcFace, Recording]:
    """Theirs and ours, with their sessions."""
    path = stand_ins / "w600k_r50.onnx"
    theirs, ours = Recording(path), Recording(path)
    return ArcFaceONNX(str(path), theirs), theirs, ArcFace(ours, matched(path, "arcface")), ours


def people() -> list[Floats]:
    """Embeddings, of lengths as a recogniser gives them."""
    return [np.asarray(np.random.default_rng(seed).standard_normal(512) * seed, np.float32) for seed in (1, 5, 20)]


def near(one: npt.NDArray[np.floating], other: npt.NDArray[np.floating]) -> None:
    np.testing.assert_allclose(one, other, rtol=0, atol=NEAR)


def levels(one: Pixels, other: Pixels) -> None:
    assert one.shape == other.shape and one.dtype == other.dtype == np.uint8
    assert int(np.abs(one.astype(int) - other).max(initial=0)) <= LEVEL


# --- where faces are --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def detectors(data: Path) -> tuple[TheirSCRFD, SCRFD, SCRFD]:
    """Theirs, ours, and ours with a threshold that lets many boxes a face through."""
    path = data / "models" / "scrfd_500m_bnkps.onnx"
    theirs = TheirSCRFD(str(path))
    theirs.prepare(-1, input_size=(640, 640))
    return theirs, SCRFD(path, "cpu", 0.5), SCRFD(path, "cpu", 0.05)


def same_faces(detectors: tuple[TheirSCRFD, SCRFD, SCRFD], picture: Pixels) -> int:
    """How many faces both find with the low threshold: the same."""
    theirs, *ours = detectors
    count = 0
    for threshold, our in zip((0.5, 0.05), ours, strict=True):
        found = our.detect(bgra(picture))
        boxes, points = theirs.detect(picture, det_thresh=threshold)
        np.testing.assert_allclose(found.boxes, boxes[:, :4], rtol=0, atol=NEAR)
        np.testing.assert_allclose(found.scores, boxes[:, 4], rtol=0, atol=1e-6)
        np.testing.assert_allclose(found.eyes, points[:, :2], rtol=0, atol=NEAR)
        count = len(found)
    return count


@pytest.mark.parametrize("clip", CLIPS)
def test_scrfd_on_real_clips(detectors: tuple[TheirSCRFD, SCRFD, SCRFD], frames: ReadFrames, clip: str) -> None:
    for picture in frames(clip, 2, start=3, step=20):
        assert same_faces(detectors, np.ascontiguousarray(picture[..., :3])) >= 1


@pytest.mark.parametrize("size", [(1920, 1080), (333, 517), (2000, 700)])
def test_scrfd_on_pictures_of_any_size(
    detectors: tuple[TheirSCRFD, SCRFD, SCRFD], portraits: dict[str, Pixels], size: tuple[int, int]
) -> None:
    names = ["female_33", "male_50", "female_69", "male_13"]
    sheet = np.vstack([np.hstack([portraits[n] for n in names[:2]]), np.hstack([portraits[n] for n in names[2:]])])
    assert same_faces(detectors, resized(sheet, *size)) >= 4


# --- where a face is laid -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", THEIR_TEMPLATE)
@pytest.mark.parametrize("name", PLACES)
def test_matrices(scenes: dict[str, Scene], name: str, size: int) -> None:
    _, five = scenes[name]
    near(placement(five, THEIR_TEMPLATE[size], size), face_align.estimate_norm(five, size))


@hypothesis.given(
    turn=st.floats(-180, 180),
    scale=st.floats(0.05, 8),
    x=st.floats(-500, 4000),
    y=st.floats(-500, 2200),
    seed=st.integers(0, 1 << 32),
    size=st.sampled_from([112, 128, 256]),
)
def test_matrices_of_any_five_points(turn: float, scale: float, x: float, y: float, seed: int, size: int) -> None:
    """Faces of 5 to 900 pixels anywhere in a 4K picture, turned any way, distorted by expression and pose."""
    template = TEMPLATES["arcface_112_v2"] * 112
    distorted = template + np.random.default_rng(seed).uniform(-12, 12, (5, 2))
    matrix = cv2.getRotationMatrix2D((56.0, 56.0), turn, scale)
    five = np.asarray(distorted @ matrix[:, :2].T + matrix[:, 2] + [x, y], np.float32)
    # Of float32, theirs takes the mean in float32, which costs it a hundredth of a pixel where a face of 5 is enlarged.
    exact = five.astype(np.float64)
    ours, theirs = placement(five, THEIR_TEMPLATE[size], size), face_align.estimate_norm(exact, size)
    # How the points come to lie in the crop is what counts; far from the picture's corner, its shift alone says little.
    near(*(exact @ each[:, :2].T + each[:, 2] for each in (ours, theirs)))


@pytest.mark.parametrize("size", [112, 128, 256])
@pytest.mark.parametrize("name", PLACES)
def test_crops(scenes: dict[str, Scene], name: str, size: int) -> None:
    pixels, five = scenes[name]
    theirs, matrix = face_align.norm_crop2(pixels, five, size)
    ours = crop(pixels, placement(five, THEIR_TEMPLATE[size], size), size)
    inside = cv2.warpAffine(np.full(pixels.shape[:2], 255, np.uint8), matrix, (size, size)) == 255
    assert inside.mean() > 0.9
    levels(ours[inside], theirs[inside])


def test_crops_over_the_frames_edge_are_alike_inside_it_and_go_on_where_theirs_turn_black(astronaut: Scene) -> None:
    pixels, five = placed(astronaut, 10, 1.2, (-300, -200))
    theirs, matrix = face_align.norm_crop2(pixels, five, 128)
    ours = crop(pixels, placement(five, "arcface_128", 128), 128)
    within = cv2.warpAffine(np.full(pixels.shape[:2], 255, np.uint8), matrix, (128, 128))
    inside, outside = within == 255, within == 0
    assert inside.any() and outside.any()
    levels(ours[inside], theirs[inside])
    assert not theirs[outside].any() and ours[outside].any()


def test_a_camera_with_four_channels_gives_the_same_crop(scenes: dict[str, Scene]) -> None:
    pixels, five = scenes["leaning"]
    matrix = placement(five, "arcface_128", 128)
    assert np.array_equal(crop(bgra(pixels), matrix, 128), crop(pixels, matrix, 128))


@pytest.mark.parametrize("size", [112, 128])
@pytest.mark.parametrize("name", PLACES)
def test_crops_by_the_very_same_matrix_are_the_same(scenes: dict[str, Scene], name: str, size: int) -> None:
    """So what the crops above differ by comes of the matrices' last digits alone: OpenCV rounds places to 1/32 of a pixel."""
    pixels, five = scenes[name]
    theirs, matrix = face_align.norm_crop2(pixels, five, size)
    inside = cv2.warpAffine(np.full(pixels.shape[:2], 255, np.uint8), matrix, (size, size)) == 255
    assert np.array_equal(crop(bgra(pixels), matrix, size)[inside], theirs[inside])


# --- who it is ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PLACES)
def test_embeddings(
    scenes: dict[str, Scene], recognisers: tuple[ArcFaceONNX, Recording, ArcFace, Recording], name: str
) -> None:
    pixels, five = scenes[name]
    theirs, their_session, ours, our_session = recognisers
    their_face = TheirFace(kps=five)
    theirs.get(pixels, their_face)
    found = ours.embed(pixels, five)
    assert found.shape == (512,) and found.dtype == np.float32
    assert our_session.given.keys() == their_session.given.keys()
    pixel = 1 / 127.5
    for values, wanted in zip(our_session.given.values(), their_session.given.values(), strict=True):
        assert values.shape == wanted.shape and values.dtype == wanted.dtype == np.float32
        np.testing.assert_allclose(values, wanted, rtol=0, atol=LEVEL * pixel + NEAR)
        assert np.mean(np.abs(values - wanted) > NEAR) < 1e-3, "where both round, hardly ever to different sides"
    near(found / np.linalg.norm(found), their_face.normed_embedding)


def test_embeddings_of_the_same_crop(
    scenes: dict[str, Scene], recognisers: tuple[ArcFaceONNX, Recording, ArcFace, Recording]
) -> None:
    theirs, their_session, ours, our_session = recognisers
    picture = face_align.norm_crop(*scenes["leaning"])
    near(ours.embed_crop(picture), theirs.get_feat(picture)[0])
    for values, wanted in zip(our_session.given.values(), their_session.given.values(), strict=True):
        np.testing.assert_allclose(values, wanted, rtol=0, atol=1e-6)


# --- the swap -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", range(3))
@pytest.mark.parametrize("name", PLACES)
def test_inswapper(scenes: dict[str, Scene], stand_ins: Path, name: str, person: int) -> None:
    pixels, five = scenes[name]
    path, embedding = stand_ins / "inswapper_128.onnx", people()[person]
    theirs, ours = Recording(path), Recording(path)
    wanted, matrix = INSwapper(str(path), theirs).get(
        pixels, TheirFace(kps=five), TheirFace(embedding=embedding), paste_back=False
    )
    source = latent(embedding, "emap", last_initializer(path.read_bytes()))
    network = PhotoNetwork(ours, matched(path, "inswapper"), source)
    assert (network.size, network.template) == (128, "arcface_128")
    picture, mask = network.run(face_align.norm_crop2(pixels, five, 128)[0])
    assert mask is None
    assert ours.given.keys() == theirs.given.keys() == {"target", "source"}
    for role, values in ours.given.items():
        assert values.shape == theirs.given[role].shape and values.dtype == np.float32
        np.testing.assert_allclose(values, theirs.given[role], rtol=0, atol=1e-6)
    near(ours.answers[0], theirs.answers[0])
    levels(picture, wanted)
    # With our own way to the crop.
    ours_alone, _ = network.run(crop(pixels, placement(five, network.template, network.size), network.size))
    inside = cv2.warpAffine(np.full(pixels.shape[:2], 255, np.uint8), matrix, (128, 128)) == 255
    apart = np.abs(ours_alone.astype(int) - wanted)[inside]
    assert np.mean(apart > LEVEL) < 1e-3 and apart.max() <= 3 * LEVEL


@pytest.mark.parametrize("person", range(3))
def test_what_a_swapper_takes_for_a_person(stand_ins: Path, person: int) -> None:
    """As `INSwapper.get` has it, and of length 1, whatever the recogniser's number's length."""
    path, embedding = stand_ins / "inswapper_128.onnx", people()[person]
    emap = last_initializer(path.read_bytes())
    assert emap is not None
    near(emap, INSwapper(str(path), Recording(path)).emap)
    source = latent(embedding, "emap", emap)
    assert source.shape == (1, 512) and np.linalg.norm(source) == pytest.approx(1, abs=1e-5)
    near(latent(embedding * np.float32(7), "emap", emap), source)
    near(latent(embedding, "unit"), TheirFace(embedding=embedding).normed_embedding[None])
