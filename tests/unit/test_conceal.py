"""Concealed faces: nobody is found in their place, nothing else is touched, and the link has room for them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.frame import Frame, Pixels
from obs_facelive.geometry import box_of
from obs_facelive.home import Home
from obs_facelive.identity.recogniser import Recogniser
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.merge.conceal import conceal
from obs_facelive.personas.make import Portrait, find_portrait
from obs_facelive.view import compose
from tests.conftest import bgra
from tools.openpeople import VERSION, WHEEL_SHA256, read_picture
from tools.wheels import fetch_wheel


@pytest.fixture(scope="module")
def people(models: Path) -> list[Portrait]:
    wheel = fetch_wheel("openpeople", VERSION, WHEEL_SHA256, Home.find().root / "cache" / "wheels")
    detector, landmarker = BlazeFace(models), FaceMesh(models)
    found = []
    for person in ("P001", "P005", "P008"):
        picture = read_picture(wheel, f"openpeople/data/curated/{person}/assets/studio_portrait.jpg")
        found.append(find_portrait(cv2.resize(picture, (512, 512)).astype(np.uint8), detector, landmarker))
    return found


def frame_of(pixels: Pixels) -> Frame:
    return Frame(bgra(pixels), 0, 0.0)


def test_a_concealed_face_is_nobody_s(models: Path, people: list[Portrait]) -> None:
    detector, recogniser = BlazeFace(models), Recogniser(models)
    hidden = []
    for person in people:
        frame = frame_of(person.pixels)
        shown = compose(frame, conceal(frame, [box_of(person.points)]))
        assert len(detector.detect(frame.pixels)) == 1 and len(detector.detect(shown)) == 0
        hidden.append((recogniser.embed(shown, person.points), recogniser.embed(frame.pixels, person.points)))
    for concealed, bare in hidden:
        likeness = float(concealed @ bare)
        assert likeness < 0.3
        assert likeness - max(float(concealed @ other) for _, other in hidden) < 0.1, (
            "no more like them than like others"
        )


def test_only_the_face_s_surroundings_change(people: list[Portrait]) -> None:
    frame = frame_of(people[0].pixels)
    box = box_of(people[0].points)
    (patch,) = conceal(frame, [box])
    shown = compose(frame, [patch])
    changed = np.argwhere((shown != frame.pixels).any(axis=2))[:, ::-1]
    assert (changed.min(0) >= (patch.x, patch.y)).all()
    assert (patch.pixels.shape[1], patch.pixels.shape[0]) <= tuple(1.71 * (box[2:] - box[:2]) + 2)
    assert (shown[..., 3] == 255).all()
    assert patch.pixels[0, 0].tolist() == frame.pixels[patch.y, patch.x].tolist(), "an ellipse, not a rectangle"


def test_faces_half_outside_and_outside_are_no_trouble(people: list[Portrait]) -> None:
    frame = frame_of(people[0].pixels)
    size = float(frame.width)
    for box in (
        [-80, -60, 60, 90],
        [size - 40, size - 30, size + 90, size + 100],
        [-500, -500, -300, -300],
        [5, 5, 5, 5],
    ):
        for patch in conceal(frame, [np.array(box, np.float32)]):
            height, width = patch.pixels.shape[:2]
            assert patch.x >= 0 and patch.x + width <= frame.width and patch.y >= 0 and patch.y + height <= frame.height


def test_many_faces_are_few_patches(people: list[Portrait]) -> None:
    frame = frame_of(people[0].pixels)
    boxes = [np.array([40 * k, 30 * k, 40 * k + 60, 30 * k + 60], np.float32) for k in range(10)]
    together = conceal(frame, boxes)
    assert len(together) == 1
    apart = frame
    for box in boxes:
        assert len(conceal(frame, [box])) == 1
    assert (compose(apart, together)[160:190, 220:250] != frame.pixels[160:190, 220:250]).any()


def test_the_owner_s_face_is_spared(people: list[Portrait]) -> None:
    frame = frame_of(people[0].pixels)
    points = people[0].points
    beside = box_of(points) + np.float32(60)
    shown = compose(frame, conceal(frame, [beside], [points]))
    nose = np.round(points[1, :2]).astype(int)
    around = np.s_[nose[1] - 10 : nose[1] + 10, nose[0] - 10 : nose[0] + 10]
    np.testing.assert_array_equal(shown[around], frame.pixels[around])
    assert (compose(frame, conceal(frame, [beside]))[around] != frame.pixels[around]).any()
