"""Laying a face into a network's square, and the answer back."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from obs_facelive.catalog import ModelError
from obs_facelive.frame import Face, Floats, Frame, Pixels, Plane
from obs_facelive.settings import Settings
from obs_facelive.swap.align import TEMPLATES, as_input, as_picture, crop, five_points, placement
from obs_facelive.swap.aligned import AlignedSwapper, boosted
from obs_facelive.topology import CanonicalFace, load_canonical_face


@pytest.fixture(scope="module")
def canonical(models: Path) -> CanonicalFace:
    return load_canonical_face(models)


class Mirror:
    """Gives the crop back, darker by a constant; with or without a mask."""

    def __init__(self, size: int = 128, mask: int | None = None, darker: int = 10) -> None:
        self.size, self.template, self._mask, self._darker, self.runs = size, "arcface_128", mask, darker, 0

    def run(self, picture: Pixels) -> tuple[Pixels, Plane | None]:
        assert picture.shape == (self.size, self.size, 3) and picture.dtype == np.uint8 and picture.flags.c_contiguous
        self.runs += 1
        mask = None if self._mask is None else np.full(picture.shape[:2], self._mask, np.uint8)
        return np.clip(picture.astype(int) - self._darker, 0, 255).astype(np.uint8), mask


def points_at(canonical: CanonicalFace, x: float, y: float, size: float) -> Floats:
    """478 points of an upright face, ``size`` pixels wide, around x, y."""
    xyz = canonical.xyz * [1, -1, -1]
    scale = size / np.ptp(xyz[:, 0])
    points = np.zeros((478, 3), np.float32)
    points[:468] = xyz * scale + [x, y, 0]
    points[468:] = points[[159] * 5 + [386] * 5]
    return points


def frame_with_face(canonical: CanonicalFace, x: float = 320, y: float = 180, size: float = 150) -> tuple[Frame, Face]:
    pixels = cv2.GaussianBlur(np.random.default_rng(1).integers(20, 256, (360, 640, 4), np.uint8), (0, 0), 6)
    points = points_at(canonical, x, y, size)
    return Frame(np.asarray(pixels, np.uint8), 0, 0.0), Face(1, points, np.zeros(52, np.float32), 1.0)


def test_the_eyes_of_the_arcface_templates_are_insightfaces() -> None:
    np.testing.assert_allclose(TEMPLATES["arcface_112_v2"][0] * 112, [38.2946, 51.6963], atol=1e-4)
    np.testing.assert_allclose(TEMPLATES["arcface_128"][0] * 128, [46.2946, 51.6963], atol=1e-4)
    np.testing.assert_allclose(TEMPLATES["arcface_128"][0], [0.36167656, 0.40387734], atol=1e-6)


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_face_that_is_like_the_template_comes_to_lie_on_it(template: str) -> None:
    turn = cv2.getRotationMatrix2D((40.0, 60.0), 25, 1.7)
    five = (TEMPLATES[template] * 256) @ turn[:, :2].T + turn[:, 2]
    matrix = placement(five.astype(np.float32), template, 256)
    np.testing.assert_allclose(five @ matrix[:, :2].T + matrix[:, 2], TEMPLATES[template] * 256, atol=1e-3)


def test_five_points_are_opencvs(canonical: CanonicalFace) -> None:
    points = points_at(canonical, 320, 180, 150)
    right, left, nose, corner, other = five_points(points)
    assert right[0] < nose[0] < left[0] and corner[0] < other[0] and right[1] < nose[1] < corner[1]
    np.testing.assert_allclose(nose, points[1, :2] - 0.5)


def test_numbers_go_into_a_network_as_its_contract_says_and_come_back() -> None:
    picture = np.random.default_rng(2).integers(0, 256, (32, 32, 3), np.uint8)
    given = as_input(picture, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    assert given.shape == (1, 3, 32, 32) and given.dtype == np.float32
    rgb = picture[..., ::-1].astype(np.float64) / 255
    wanted = ((rgb - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]).transpose(2, 0, 1)
    np.testing.assert_allclose(given[0], wanted, atol=2e-6)
    back = as_picture(as_input(picture, 0, 1)[0])
    assert np.abs(back.astype(int) - picture).max() <= 1  # whole levels are cut, as insightface does it
    assert as_picture(np.full((3, 2, 2), 9, np.float32)).min() == 255
    assert as_picture(np.full((3, 2, 2), -9, np.float32)).max() == 0


def test_beyond_the_frame_its_edge_is_repeated() -> None:
    pixels = np.full((20, 20, 4), 77, np.uint8)
    assert (crop(pixels, np.array([[1.0, 0, 30], [0, 1, 30]]), 64) == 77).all()


def test_what_the_network_answers_lies_where_it_was_cut_out(canonical: CanonicalFace) -> None:
    frame, face = frame_with_face(canonical)
    layer = AlignedSwapper(Mirror()).swap(frame, face, Settings())
    height, width = layer.mask.shape
    below = frame.pixels[layer.y : layer.y + height, layer.x : layer.x + width, :3].astype(int)
    inside = layer.mask == 255
    assert inside.mean() > 0.4 and layer.pixels.shape == (height, width, 3)
    np.testing.assert_allclose(layer.pixels[inside], below[inside] - 10, atol=4)  # twice through a warp
    x, y = face.points[:, 0], face.points[:, 1]
    assert layer.x < x.min() < x.max() < layer.x + width and layer.y < y.min() < y.max() < layer.y + height
    columns, rows = (x - layer.x).astype(int), (y - layer.y).astype(int)
    assert (layer.mask[rows, columns] > 0).mean() > 0.9  # the crop ends above the brows


def test_a_crop_fades_out_towards_its_edge(canonical: CanonicalFace) -> None:
    frame, face = frame_with_face(canonical)
    network = Mirror()
    network.template = "arcface_112_v1"  # closer to the face: its edge crosses it
    layer = AlignedSwapper(network).swap(frame, face, Settings())
    step = np.abs(np.diff(layer.mask.astype(int), axis=0)).max(), np.abs(np.diff(layer.mask.astype(int), axis=1)).max()
    assert layer.mask.min() == 0 and max(step) < 64


def test_a_mask_of_the_networks_own_counts(canonical: CanonicalFace) -> None:
    frame, face = frame_with_face(canonical)
    assert AlignedSwapper(Mirror(mask=200)).swap(frame, face, Settings()).mask.max() == 200


@pytest.mark.parametrize("boost", [1, 2])
@pytest.mark.parametrize("network", [Mirror(mask=0), Mirror(mask=90), Mirror(darker=0), Mirror(darker=1)])
def test_a_network_that_leaves_the_face_bare_is_refused(canonical: CanonicalFace, network: Mirror, boost: int) -> None:
    frame, face = frame_with_face(canonical)
    with pytest.raises(ModelError, match="left the face as it is"):
        AlignedSwapper(network).swap(frame, face, Settings(pixel_boost=boost))


@pytest.mark.parametrize(("x", "y"), [(0, 180), (640, 360), (320, 0), (-500, 180), (320, 5000)])
def test_a_layer_lies_inside_the_frame(canonical: CanonicalFace, x: float, y: float) -> None:
    frame, face = frame_with_face(canonical, x, y)
    layer = AlignedSwapper(Mirror()).swap(frame, face, Settings())
    height, width = layer.mask.shape
    assert layer.x >= 0 and layer.y >= 0 and layer.x + width <= 640 and layer.y + height <= 360


@pytest.mark.parametrize("mask", [None, 200])
def test_a_boosted_picture_is_woven_of_whole_runs(mask: int | None) -> None:
    network = Mirror(64, mask)
    picture = np.random.default_rng(3).integers(10, 256, (192, 192, 3), np.uint8)
    pixels, woven = boosted(network, picture, 3)
    assert network.runs == 9
    np.testing.assert_array_equal(pixels, picture - 10)
    assert woven is None if mask is None else (woven is not None and (woven == 200).all())


def test_boost_is_a_setting(canonical: CanonicalFace) -> None:
    frame, face = frame_with_face(canonical)
    network = Mirror()
    AlignedSwapper(network).swap(frame, face, Settings(pixel_boost=2))
    assert network.runs == 4
