"""What lies in front of a face: the network on real people, and its answer on the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.frame import Face, Frame, Pixels, Plane, Surface
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.mask.occlusion import Occlusion, hidden_share, network_input, over_frame
from obs_facelive.personas.make import find_portrait
from obs_facelive.surface import SIZE
from obs_facelive.topology import CanonicalFace, load_canonical_face


@pytest.fixture(scope="module")
def canonical(models: Path) -> CanonicalFace:
    return load_canonical_face(models)


@pytest.fixture(scope="module")
def scene(frames: Callable[..., list[Pixels]], models: Path) -> tuple[Pixels, Face]:
    """A woman whose face is free: the picture, and the face."""
    (pixels,) = frames("d3.mp4", 1, start=150)
    portrait = find_portrait(pixels, BlazeFace(models), FaceMesh(models))
    return pixels, Face(1, portrait.points, portrait.blendshapes, 1.0)


def bar(pixels: Pixels, face: Face, colour: tuple[int, int, int]) -> tuple[Pixels, Plane]:
    """``pixels`` with a bar over mouth and cheek, and where it is."""
    x, y = face.points[0, :2].astype(int)
    size = int(np.ptp(face.points[:, 0]))
    where = np.zeros(pixels.shape[:2], np.uint8)
    cv2.line(where, (x - size, y + size // 4), (x + size // 3, y - size // 12), 255, size // 4, cv2.LINE_AA)
    noise = np.random.default_rng(2).normal(0, 3, (*where.shape, 3))
    painted = np.clip(np.array(colour) + noise, 0, 255)
    mixed = pixels.copy()
    mixed[..., :3] = pixels[..., :3] + (painted - pixels[..., :3]) * (where[..., None] / 255)
    return mixed, where


def known(occlusion: Occlusion, pixels: Pixels, face: Face, seconds: float = 1.0) -> float:
    """Lets ``occlusion`` get to know the face; returns the time."""
    for number in range(round(seconds * 10)):
        occlusion.look(Frame(pixels, number, number / 10), face)
    return seconds


@pytest.mark.parametrize("colour", [(60, 90, 30), (225, 225, 225), (15, 15, 18), (90, 130, 175)], ids=str)
def test_what_comes_before_the_face_is_found_and_the_rest_is_kept(
    scene: tuple[Pixels, Face], models: Path, canonical: CanonicalFace, colour: tuple[int, int, int]
) -> None:
    pixels, face = scene
    occlusion = Occlusion(models, canonical)
    now = known(occlusion, pixels, face)
    covered, where = bar(pixels, face, colour)
    for step in range(6):
        surface = occlusion.look(Frame(covered, 20 + step, now + step / 30), face)
    frame = Frame(covered, 26, now + 0.2)
    end = [frame.width, frame.height]
    low, high = (
        np.clip(corner, 0, end).astype(int) for corner in (face.points[:, :2].min(0), face.points[:, :2].max(0))
    )
    width, height = (high - low).tolist()
    hidden = over_frame(frame, replace(face, surface=surface), canonical, int(low[0]), int(low[1]), width, height)
    assert hidden is not None
    part = where[low[1] : high[1], low[0] : high[0]]
    inside = np.zeros_like(part)
    cv2.fillConvexPoly(inside, cv2.convexHull(np.round(face.points[:468, :2] - low).astype(np.int32)), 255)
    inner = cv2.erode(inside, np.ones((width // 6, width // 6), np.uint8)) > 0
    assert hidden[inner & (part == 255)].mean() > 0.85 * 255
    apart = cv2.dilate(part, np.ones((9, 9), np.uint8)) == 0
    assert hidden[inner & apart].mean() < 0.06 * 255


def test_a_free_face_is_free(scene: tuple[Pixels, Face], models: Path, canonical: CanonicalFace) -> None:
    pixels, face = scene
    occlusion = Occlusion(models, canonical)
    surface = occlusion.look(Frame(pixels, 0, 0.0), face)
    assert hidden_share(surface) < 0.05, "also at the first look"


def test_a_lamp_hides_nothing(scene: tuple[Pixels, Face], models: Path, canonical: CanonicalFace) -> None:
    pixels, face = scene
    occlusion = Occlusion(models, canonical)
    now = known(occlusion, pixels, face)
    lit = np.clip(pixels.astype(np.float32) * [1.1, 1.25, 1.3, 1.0], 0, 255).astype(np.uint8)
    for step in range(4):
        surface = occlusion.look(Frame(lit, 20 + step, now + step / 30), face)
    assert hidden_share(surface) < 0.05


def test_nobody_searches_where_it_is_switched_off(
    scene: tuple[Pixels, Face], models: Path, canonical: CanonicalFace
) -> None:
    pixels, face = scene
    covered, _ = bar(pixels, face, (60, 90, 30))
    surface = Occlusion(models, canonical).look(Frame(covered, 0, 0.0), face, search=False)
    assert not surface.hidden.any() and surface.live.any()


def test_between_two_searches_the_last_answer_holds(
    scene: tuple[Pixels, Face], models: Path, canonical: CanonicalFace
) -> None:
    pixels, face = scene
    occlusion = Occlusion(models, canonical)
    now = known(occlusion, pixels, face)
    covered, _ = bar(pixels, face, (60, 90, 30))
    occlusion.look(Frame(covered, 20, now), face)
    searched = occlusion.look(Frame(covered, 21, now + 0.03), face)
    held = occlusion.look(Frame(pixels, 22, now + 0.06), face, again=False)
    assert np.array_equal(held.hidden, searched.hidden)


def test_where_nothing_hides_the_face_there_is_no_mask(scene: tuple[Pixels, Face], canonical: CanonicalFace) -> None:
    pixels, face = scene
    free = Surface(np.zeros((256, 256, 3), np.uint8), np.zeros((SIZE, SIZE), np.uint8))
    assert over_frame(Frame(pixels, 0, 0.0), replace(face, surface=free), canonical, 0, 0, 100, 100) is None
    assert over_frame(Frame(pixels, 0, 0.0), face, canonical, 0, 0, 100, 100) is None


def test_the_networks_input_does_not_depend_on_the_skins_colour() -> None:
    random = np.random.default_rng(3)
    live, memory = (random.integers(60, 120, (SIZE, SIZE, 3), dtype=np.uint8) for _ in range(2))
    seen = np.ones((SIZE, SIZE), np.float32)
    one, other = network_input(live, memory, seen), network_input(live + 40, memory + 40, seen)
    assert np.allclose(one, other)
    assert one.shape == (7, SIZE, SIZE) and one.dtype == np.float32
