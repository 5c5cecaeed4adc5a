"""A swap that is moved onto newer landmarks lies where a new swap would lie; smaller swaps too; and broken ones are told."""

from __future__ import annotations

import math

import numpy as np
import pytest

from obs_facelive.engine.stages import Stages
from obs_facelive.frame import Face, Floats, Frame, Layer, Pixels
from obs_facelive.home import Home
from obs_facelive.pipeline import Pipeline
from obs_facelive.settings import Settings
from obs_facelive.swap.rewarp import rewarp
from obs_facelive.swap.sane import sane
from obs_facelive.swap.scale import swap_at
from obs_facelive.topology import load_canonical_face

WIDTH, HEIGHT = 640, 480


@pytest.fixture(scope="module")
def home() -> Home:
    return Home.find()


@pytest.fixture(scope="module")
def pipeline(home: Home) -> Pipeline:
    return Stages(home, "cpu").pipeline(Settings())


@pytest.fixture(scope="module")
def points(home: Home) -> Floats:
    points = np.zeros((478, 3), np.float32)
    points[:468] = np.array([320, 240, 0]) + load_canonical_face(home.models).xyz * np.array([12, -12, -12])
    points[468:473], points[473:] = points[159], points[386]
    return points


def face(points: Floats) -> Face:
    return Face(1, points.astype(np.float32), np.zeros(52, np.float32), 1.0)


def frame(number: int = 0) -> Frame:
    return Frame(np.full((HEIGHT, WIDTH, 4), 140, np.uint8), number, number / 30)


def swap(pipeline: Pipeline, points: Floats, scale: float = 1.0) -> Layer:
    return swap_at(scale, pipeline.swapper, frame(), [face(points)], Settings())[0]


def canvas(layer: Layer) -> Pixels:
    """(HEIGHT, WIDTH, 4): the layer's picture and mask where they lie."""
    out = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    height, width = layer.mask.shape
    out[layer.y : layer.y + height, layer.x : layer.x + width, :3] = layer.pixels
    out[layer.y : layer.y + height, layer.x : layer.x + width, 3] = layer.mask
    return out


def apart(a: Layer, b: Layer) -> tuple[float, float]:
    """Mean difference in levels inside of both masks, and the share of the masks' pixels that only one has."""
    first, second = canvas(a).astype(int), canvas(b).astype(int)
    masks = (first[..., 3] > 127, second[..., 3] > 127)
    both = masks[0] & masks[1]
    return float(np.abs(first - second)[both][:, :3].mean()), float((masks[0] ^ masks[1]).sum() / both.sum())


def moved(points: Floats, angle: float, scale: float, x: float, y: float) -> Floats:
    turn = scale * np.array([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]])
    return np.asarray((points - [320, 240, 0]) @ turn.T + [320 + x, 240 + y, 0], np.float32)


@pytest.mark.parametrize(
    "change", [(0, 1, 0, 0), (0, 1, 30.4, -12.7), (0.2, 1, 0, 0), (0, 1.15, 5, 0), (-0.15, 0.9, -40, 20)]
)
def test_it_follows_the_head(pipeline: Pipeline, points: Floats, change: tuple[float, float, float, float]) -> None:
    new = moved(points, *change)
    levels, outline = apart(rewarp(swap(pipeline, points), points, new, WIDTH, HEIGHT), swap(pipeline, new))
    assert levels < 6 and outline < 0.03
    still, outline_still = apart(swap(pipeline, points), swap(pipeline, new))
    assert change == (0, 1, 0, 0) or (levels < 0.8 * still and outline < 0.3 * outline_still)


def test_it_follows_the_expression(pipeline: Pipeline, points: Floats) -> None:
    new = points.copy()
    lower = points[:, 1] > 300
    new[lower, 1] += 14  # the jaw drops
    levels, outline = apart(rewarp(swap(pipeline, points), points, new, WIDTH, HEIGHT), swap(pipeline, new))
    still, outline_still = apart(swap(pipeline, points), swap(pipeline, new))
    assert levels < 0.7 * still and outline < 0.3 * outline_still


@pytest.mark.parametrize("by", [(-600.0, 0.0), (0.0, 400.0), (-330.0, -250.0), (2000.0, 0.0)])
def test_it_stays_inside_of_the_frame(pipeline: Pipeline, points: Floats, by: tuple[float, float]) -> None:
    layer = rewarp(swap(pipeline, points), points, moved(points, 0, 1, *by), WIDTH, HEIGHT)
    height, width = layer.mask.shape
    assert layer.pixels.shape == (height, width, 3)
    assert 0 <= layer.x <= WIDTH - width and 0 <= layer.y <= HEIGHT - height


def test_nothing_stays_nothing(points: Floats) -> None:
    nothing = Layer(0, 0, np.zeros((0, 0, 3), np.uint8), np.zeros((0, 0), np.uint8))
    assert rewarp(nothing, points, points, WIDTH, HEIGHT) is nothing


@pytest.mark.parametrize("corner", [(0.0, 0.0), (-260.0, -180.0), (299.0, 219.0)])
def test_a_swap_of_the_smaller_picture_lies_on_the_same_place(
    pipeline: Pipeline, points: Floats, corner: tuple[float, float]
) -> None:
    here = moved(points, 0, 1, *corner)
    full, half = swap(pipeline, here), swap(pipeline, here, 0.5)
    height, width = half.mask.shape
    assert 0 <= half.x <= WIDTH - width and 0 <= half.y <= HEIGHT - height
    levels, outline = apart(full, half)
    assert levels < 8 and outline < 0.06


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (641, 481)])
def test_odd_frames_have_room_for_the_smaller_swap(pipeline: Pipeline, points: Floats, size: tuple[int, int]) -> None:
    odd = Frame(np.full((size[1], size[0], 4), 140, np.uint8), 0, 0.0)
    (layer,) = swap_at(0.5, pipeline.swapper, odd, [face(points)], Settings())
    height, width = layer.mask.shape
    assert 0 <= layer.x <= size[0] - width and 0 <= layer.y <= size[1] - height


def test_one_flat_colour_is_not_sane_and_a_dark_face_is(pipeline: Pipeline, points: Floats) -> None:
    layer = swap(pipeline, points)
    assert sane(layer)
    dark = Layer(layer.x, layer.y, (layer.pixels // 8).astype(np.uint8), layer.mask)
    assert sane(dark)
    for colour in (0, 128, 255):
        assert not sane(Layer(layer.x, layer.y, np.full_like(layer.pixels, colour), layer.mask))
    assert sane(Layer(0, 0, np.zeros((0, 0, 3), np.uint8), np.zeros((0, 0), np.uint8)))


def test_a_pipeline_moves_a_swap_only_as_far_as_it_fits(pipeline: Pipeline, points: Floats, home: Home) -> None:
    from obs_facelive.pipeline import OLDEST_LAYER
    from obs_facelive.steps import Looked

    looked = Looked(frame(), [face(points)])
    swapped = pipeline.swap(looked, Settings())
    assert pipeline.rewarp(swapped, Looked(frame(1), [face(points)]))
    assert pipeline.rewarp(swapped, Looked(frame(round(OLDEST_LAYER * 30) + 1), [face(points)])) is None
    aside = points.copy()
    xyz = load_canonical_face(home.models).xyz
    turn = math.radians(30)
    turned = xyz @ np.array([[math.cos(turn), 0, math.sin(turn)], [0, 1, 0], [-math.sin(turn), 0, math.cos(turn)]]).T
    aside[:468] = np.array([320, 240, 0]) + turned * np.array([12, -12, -12])
    assert pipeline.rewarp(swapped, Looked(frame(1), [face(aside)])) is None
    stranger = Face(2, points, np.zeros(52, np.float32), 1.0)
    assert pipeline.rewarp(swapped, Looked(frame(1), [stranger])) is None
