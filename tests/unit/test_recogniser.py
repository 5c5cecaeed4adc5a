"""The judge of whose face is seen knows people from each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.frame import Floats, Pixels
from obs_facelive.home import Home
from obs_facelive.landmark.facemesh import FaceMesh
from tests.conftest import CLIPS, ReadFrames
from tools.recogniser import SAME_PERSON, Recogniser, chip, face_points, recogniser_file
from tools.wheels import UnavailableError


@pytest.fixture(scope="module")
def people(models: Path, frames: ReadFrames) -> list[list[Floats]]:
    """For each clip the vectors of two moments of its one person."""
    try:
        recogniser = Recogniser(recogniser_file(Home.find()))
    except UnavailableError as problem:
        pytest.skip(str(problem))
    detector, landmarker = BlazeFace(models), FaceMesh(models)

    def vector(picture: Pixels) -> Floats:
        points = face_points(picture, detector, landmarker)
        assert points is not None
        return recogniser.embed(picture, points)

    return [[vector(picture) for picture in frames(clip, 2, start=5, step=25)] for clip in CLIPS]


def test_knows_a_person_again(people: list[list[Floats]]) -> None:
    assert min(float(a @ b) for a, b in people) > SAME_PERSON


def test_knows_strangers_apart(people: list[list[Floats]]) -> None:
    firsts = np.stack([first for first, _ in people])
    alike = (firsts @ firsts.T)[np.triu_indices(len(firsts), 1)]

    assert float(np.mean(alike > SAME_PERSON)) < 0.1
    assert float(np.median(alike)) < SAME_PERSON - 0.03


def test_vectors_are_of_length_one(people: list[list[Floats]]) -> None:
    assert np.linalg.norm(people[0][0]) == pytest.approx(1, abs=1e-5)


def test_a_chip_is_upright_and_of_one_size_however_large_the_face_is(models: Path, frames: ReadFrames) -> None:
    (picture,) = frames("d10.mp4", 1, start=5)
    points = face_points(picture, BlazeFace(models), FaceMesh(models))
    assert points is not None
    upright = chip(picture, points)
    turned = np.ascontiguousarray(np.rot90(picture))
    moved = np.stack([points[:, 1], picture.shape[1] - points[:, 0]], axis=1)

    assert upright.shape == (150, 150, 4)
    assert np.abs(chip(turned, moved).astype(int) - upright.astype(int)).mean() < 1
