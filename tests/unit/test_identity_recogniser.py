"""The product's own recogniser, on people who do not exist."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from obs_facelive.catalog import ModelError
from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.frame import Floats
from obs_facelive.home import Home
from obs_facelive.identity.recogniser import INPUT, Recogniser, aligned, five_points
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.personas.make import Portrait, find_portrait
from tests.conftest import bgra, warped
from tools.openpeople import PEOPLE, VERSION, WHEEL_SHA256, expression_tiles, read_picture
from tools.wheels import fetch_wheel

SHOWN = ("neutral", "happy", "angry")


@pytest.fixture(scope="module")
def recogniser(models: Path) -> Recogniser:
    return Recogniser(models)


@pytest.fixture(scope="module")
def people(models: Path) -> list[list[Portrait]]:
    """The eight people, each in the studio and with some expressions."""
    wheel = fetch_wheel("openpeople", VERSION, WHEEL_SHA256, Home.find().root / "cache" / "wheels")
    detector, landmarker = BlazeFace(models), FaceMesh(models)
    found: list[list[Portrait]] = []
    for person in PEOPLE:
        assets = f"openpeople/data/curated/{person}/assets"
        tiles = expression_tiles(read_picture(wheel, f"{assets}/emotions_sheet.jpg"))
        pictures = [
            read_picture(wheel, f"{assets}/studio_portrait.jpg"),
            *(tiles[label] for label in SHOWN if label in tiles),
        ]
        found.append([find_portrait(picture, detector, landmarker) for picture in pictures])
    return found


def test_knows_a_person_again_and_strangers_apart(recogniser: Recogniser, people: list[list[Portrait]]) -> None:
    vectors = [[recogniser.embed(face.pixels, face.points) for face in faces] for faces in people]
    same = [float(a @ b) for faces in vectors for i, a in enumerate(faces) for b in faces[:i]]
    strangers = [float(a @ b) for i, one in enumerate(vectors) for other in vectors[:i] for a in one for b in other]

    assert len(same) > 30
    assert np.median(same) > 0.6 and min(same) > 0.4
    assert np.median(strangers) < 0.35 and np.percentile(strangers, 99) < 0.62, "some of them look alike"
    everybody = [(who, vector) for who, faces in enumerate(vectors) for vector in faces]
    for who, vector in everybody:
        nearest = max((float(vector @ other), whose) for whose, other in everybody if other is not vector)[1]
        assert nearest == who


def test_an_embedding_is_a_unit_vector_whatever_the_picture(
    recogniser: Recogniser, people: list[list[Portrait]]
) -> None:
    face = people[0][0]
    vector = recogniser.embed(face.pixels, face.points)

    assert vector.shape == (128,) and vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(recogniser.embed(bgra(face.pixels), face.points[:, :2]), vector)


def test_the_face_s_place_size_and_turn_do_not_matter(recogniser: Recogniser, people: list[list[Portrait]]) -> None:
    face = people[1][0]
    turn = cv2.getRotationMatrix2D((300.0, 300.0), 25, 0.3).astype(np.float32)
    height, width = face.pixels.shape[:2]
    moved = warped(face.pixels, turn, width, height)
    points: Floats = (face.points[:, :2] @ turn[:, :2].T + turn[:, 2]).astype(np.float32)

    alike = float(recogniser.embed(face.pixels, face.points) @ recogniser.embed(moved, points))

    assert alike > 0.93


def test_the_five_points_come_to_lie_on_arcface_s_template(people: list[list[Portrait]]) -> None:
    """A dot at each of a face's five points is seen where OpenCV's own alignment for SFace has it."""
    face = people[2][0]
    five = five_points(face.points)
    dots = np.zeros((*face.pixels.shape[:2], 3), np.uint8)
    for x, y in five:
        cv2.circle(dots, (round(float(x) - 0.5), round(float(y) - 0.5)), 6, (255, 255, 255), -1)
    network = str(Home.find().models / "face_recognition.onnx")
    box = np.concatenate([[0, 0, 1, 1], (five - 0.5).ravel(), [1]]).astype(np.float32)[None]

    theirs = cv2.FaceRecognizerSF.create(network, "").alignCrop(dots, box)
    ours = aligned(dots, face.points)

    assert ours.shape == (INPUT, INPUT, 3) and int(ours.max()) > 100
    for channel in (ours, np.asarray(theirs)):
        assert channel[40:60].sum() > 0
    assert _middles(ours) == pytest.approx(_middles(np.asarray(theirs, np.uint8)), abs=0.6)


def _middles(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Floats:
    """(5, 2) where the bright dots are, from top left."""
    count, _, _, centres = cv2.connectedComponentsWithStats((picture[..., 0] > 60).astype(np.uint8))
    assert count == 6
    return np.asarray(centres[1:], np.float32)


def test_without_its_network_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"face_recognition\.onnx.*install\.py"):
        Recogniser(tmp_path)
