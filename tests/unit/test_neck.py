"""Skin around the mask takes on the persona's tone; walls, clothes, eyes and the patch's border do not."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from obs_facelive.frame import Face, Floats, Frame, Layer, Patch, Plane
from obs_facelive.merge.neck import Neck
from obs_facelive.topology import CHIN, FACE_OVAL, load_canonical_face
from tests.unit.worn_face import HEIGHT, WIDTH, canonical_points, live_face

LIVE, WORN = (140, 165, 215), (55, 80, 130)
WALL, SHIRT = (170, 160, 110), (40, 30, 25)


@pytest.fixture(scope="module")
def face(models: Path) -> Face:
    return live_face(canonical_points(load_canonical_face(models), 11.0, y=200.0))


def scene(face: Face) -> Frame:
    """A face and a neck of one skin before a wall, in a shirt, with a little grain."""
    picture = np.full((HEIGHT, WIDTH, 4), (*WALL, 255), np.uint8)
    oval = np.round(face.points[FACE_OVAL, :2]).astype(np.int32)
    chin = int(face.points[CHIN, 1])
    cv2.rectangle(picture, (270, chin - 40), (370, chin + 60), (*LIVE, 255), cv2.FILLED)
    cv2.rectangle(picture, (0, chin + 60), (WIDTH, HEIGHT), (*SHIRT, 255), cv2.FILLED)
    cv2.fillPoly(picture, [oval], (*LIVE, 255))
    grain = np.random.default_rng(0).integers(-4, 5, picture.shape)
    grain[..., 3] = 0
    return Frame(np.clip(picture + grain, 0, 255).astype(np.uint8), 0, 0.0)


def layer_of(face: Face) -> Layer:
    low = np.floor(face.points[:468, :2].min(0)).astype(int)
    high = np.ceil(face.points[:468, :2].max(0)).astype(int)
    shape = int(high[1] - low[1]), int(high[0] - low[0])
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(face.points[FACE_OVAL, :2] - low).astype(np.int32)], 255)
    return Layer(int(low[0]), int(low[1]), np.full((*shape, 3), WORN, np.uint8), mask)


def tinted(face: Face, share: float, hole: int = 0, neck: Neck | None = None, frame: Frame | None = None) -> Patch:
    layer = layer_of(face)
    holes: Plane = np.full(layer.mask.shape, hole, np.uint8)
    return (neck or Neck()).tinted(frame or scene(face), face, layer, holes, share)


def own(frame: Frame, patch: Patch) -> npt.NDArray[np.int64]:
    height, width = patch.pixels.shape[:2]
    return frame.pixels[patch.y : patch.y + height, patch.x : patch.x + width].astype(int)


def change(face: Face, share: float, x: int, y: int) -> float:
    """Mean change of brightness around a place of the frame, outside of the patch 0."""
    patch = tinted(face, share)
    difference = patch.pixels.astype(int) - own(scene(face), patch)
    return float(difference[y - patch.y - 3 : y - patch.y + 4, x - patch.x - 3 : x - patch.x + 4, :3].mean())


def test_the_neck_takes_on_the_personas_tone_as_far_as_asked(face: Face) -> None:
    chin = int(face.points[CHIN, 1])
    half, full = (change(face, share, 320, chin + 25) for share in (0.5, 1.0))
    wanted = float(np.mean(WORN) - np.mean(LIVE))
    assert 1.05 * wanted < full < 0.7 * wanted < 0
    assert half == pytest.approx(full / 2, rel=0.15)


def test_wall_and_shirt_stay_as_they_are(face: Face) -> None:
    chin = int(face.points[CHIN, 1])
    ear = int(face.points[454, 0]) + 14
    patch = tinted(face, 1.0)
    assert patch.x + patch.pixels.shape[1] > ear + 4 and patch.y + patch.pixels.shape[0] > chin + 74
    assert abs(change(face, 1.0, ear, int(face.points[454, 1]))) < 1.5
    assert abs(change(face, 1.0, 320, chin + 70)) < 1.5
    assert abs(change(face, 1.0, 400, chin + 30)) < 1.5


@pytest.mark.parametrize("share, hole", [(0.0, 0), (1.0, 255)])
def test_nothing_changes_at_0_percent_and_nothing_in_live_eyes_and_mouth(face: Face, share: float, hole: int) -> None:
    patch, layer = tinted(face, share, hole), layer_of(face)
    changed = (patch.pixels != own(scene(face), patch)).any(axis=2)
    if share:
        top, left = layer.y - patch.y, layer.x - patch.x
        changed = changed[top : top + layer.mask.shape[0], left : left + layer.mask.shape[1]]
    assert not changed.any()


@pytest.mark.parametrize("x, y", [(320.0, 200.0), (40.0, 240.0), (600.0, 400.0), (320.0, -20.0)])
def test_the_patch_holds_the_layer_and_ends_in_the_frames_own_pixels(face: Face, x: float, y: float) -> None:
    moved = live_face(face.points + np.array([x - 320, y - 200, 0], np.float32))
    frame = scene(moved)
    whole = layer_of(moved)
    left, top = max(whole.x, 0), max(whole.y, 0)
    cut = np.s_[
        top - whole.y : min(whole.mask.shape[0], HEIGHT - whole.y),
        left - whole.x : min(whole.mask.shape[1], WIDTH - whole.x),
    ]
    layer = Layer(left, top, whole.pixels[cut], whole.mask[cut])
    patch = Neck().tinted(frame, moved, layer, np.zeros(layer.mask.shape, np.uint8), 1.0)
    height, width = patch.pixels.shape[:2]
    assert 0 <= patch.x <= layer.x and layer.x + layer.mask.shape[1] <= patch.x + width <= WIDTH
    assert 0 <= patch.y <= layer.y and layer.y + layer.mask.shape[0] <= patch.y + height <= HEIGHT
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        assert np.array_equal(patch.pixels[edge], own(frame, patch)[edge])
    assert (patch.pixels != own(frame, patch)).any()


def shift_of(neck: Neck, face: Face) -> Floats:
    """What is known of the difference between the two skins."""
    recalled = neck._known.recall(face.track, 2 / 30)
    assert recalled
    return recalled[0].shift


def test_it_is_steady(face: Face) -> None:
    """A sudden change of the light does not show at once in the tone, and a still picture stays as it is."""
    neck, still = Neck(), scene(face)
    first = tinted(face, 1.0, neck=neck, frame=still).pixels
    again = tinted(face, 1.0, neck=neck, frame=Frame(still.pixels, 1, 1 / 30)).pixels
    assert np.abs(first.astype(int) - again).max() <= 1
    known = shift_of(neck, face)
    darker = Frame((still.pixels // 2).astype(np.uint8), 2, 2 / 30)
    tinted(face, 1.0, neck=neck, frame=darker)
    now, alone = shift_of(neck, face), Neck()
    tinted(face, 1.0, neck=alone, frame=darker)
    settled = shift_of(alone, face)
    assert (np.abs(now - known) < 0.2 * np.abs(settled - known)).all()


def test_a_face_without_its_own_skin_in_sight_is_left_alone(face: Face) -> None:
    layer = layer_of(face)
    nothing = Layer(layer.x, layer.y, layer.pixels, np.zeros_like(layer.mask))
    frame = scene(face)
    patch = Neck().tinted(frame, face, nothing, np.zeros_like(layer.mask), 1.0)
    assert np.array_equal(patch.pixels, own(frame, patch))
