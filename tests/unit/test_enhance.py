"""Enhancers: their detail lies on the face, as thick as is asked for, and moves with it; their failure costs no face."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from obs_facelive.contracts import load_contracts, match
from obs_facelive.enhance import EnhanceError
from obs_facelive.enhance.detail import NOTHING, detail_of, with_detail
from obs_facelive.enhance.enhancing import OLDEST, REST, Enhancing
from obs_facelive.enhance.restorer import Restorer
from obs_facelive.frame import Face, Floats, Frame, Layer, Pixels
from obs_facelive.runtime.graph import read_graph
from obs_facelive.runtime.session import open_session
from obs_facelive.settings import Settings
from obs_facelive.swap.align import five_points, placement
from obs_facelive.topology import CanonicalFace, load_canonical_face
from tests.unit.tiny_models import codeformer, restorer
from tests.unit.worn_face import HEIGHT, WIDTH, canonical_points, live_face

ALL = Settings(enhancer_blend=100)


@pytest.fixture(scope="module")
def canonical(models: Path) -> CanonicalFace:
    return load_canonical_face(models)


class Brighter:
    """An enhancer that makes all of its picture brighter by so many levels, and remembers what it was given."""

    def __init__(self, levels: int = 20, size: int = 256) -> None:
        self.size, self.template, self._levels = size, "ffhq_512", levels
        self.given: list[Pixels] = []
        self.fidelity = -1.0

    def run(self, picture: Pixels, fidelity: float) -> Pixels:
        assert picture.shape == (self.size, self.size, 3) and picture.dtype == np.uint8
        self.given.append(picture)
        self.fidelity = fidelity
        return np.asarray(np.clip(picture.astype(int) + self._levels, 0, 255), np.uint8)


class Broken(Brighter):
    """One that makes something else of it, or an error."""

    def __init__(self, made: Pixels | Exception) -> None:
        super().__init__()
        self.made: Pixels | Exception | None = made

    def run(self, picture: Pixels, fidelity: float) -> Pixels:
        better = super().run(picture, fidelity)
        if isinstance(self.made, Exception):
            raise self.made
        return better if self.made is None else self.made


def scene(points: Floats, time: float = 0.0, shown: int = 255) -> tuple[Frame, Face, Layer]:
    """A frame, a face in it, and a swapper's layer for that: grey noise, ``shown`` in an oval of its rectangle."""
    noise = np.random.default_rng(3).integers(60, 190, (HEIGHT, WIDTH, 4), np.uint8)
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), 2), np.uint8)
    low, high = points[:, :2].min(0).astype(int) - 4, points[:, :2].max(0).astype(int) + 4
    width, height = (high - low).tolist()
    pixels = np.random.default_rng(4).integers(90, 160, (height, width, 3), np.uint8)
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(mask, ((width / 2, height / 2), (width * 0.9, height * 0.9), 0.0), (shown,), -1)
    return Frame(noise, round(time * 30), time), live_face(points), Layer(int(low[0]), int(low[1]), pixels, mask)


@pytest.mark.parametrize("size", [64, 256, 512])
def test_detail_lies_on_the_face_and_only_where_the_swapper_has_something(canonical: CanonicalFace, size: int) -> None:
    frame, face, layer = scene(canonical_points(canonical))
    detail = detail_of(Brighter(20, size), frame, face, layer, 0.5)
    enhanced = with_detail(layer, detail, 1.0)
    change = enhanced.pixels.astype(int) - layer.pixels
    assert np.all(np.abs(change[layer.mask == 255] - 20) <= 1), "the whole face, and its own fine structure unblurred"
    assert not change[layer.mask == 0].any()
    assert enhanced.mask is layer.mask and (enhanced.x, enhanced.y) == (layer.x, layer.y)


@pytest.mark.parametrize(("size", "face"), [(512, 5.0), (512, 12.0), (256, 5.0), (128, 25.0)])
def test_detail_lies_where_the_network_put_it(canonical: CanonicalFace, size: int, face: float) -> None:
    frame, worn, layer = scene(canonical_points(canonical, face))
    detail = detail_of(Spot(size=size), frame, worn, layer, 0.5)
    change = np.abs(detail.pixels.astype(float) - NOTHING).sum(2)
    rows, columns = np.indices(change.shape)
    seen = np.array([(columns * change).sum(), (rows * change).sum()]) / change.sum() + [layer.x, layer.y]
    matrix = placement(five_points(worn.points), "ffhq_512", size)
    wanted = cv2.invertAffineTransform(matrix) @ [round(0.50123859 * size), round(0.61331904 * size), 1]
    assert np.abs(seen - wanted).max() < 0.25


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5])
def test_detail_is_laid_on_as_thick_as_is_asked_for(canonical: CanonicalFace, share: float) -> None:
    frame, face, layer = scene(canonical_points(canonical))
    enhanced = with_detail(layer, detail_of(Brighter(40), frame, face, layer, 0.5), share)
    change = (enhanced.pixels.astype(int) - layer.pixels)[layer.mask == 255]
    assert np.all(np.abs(change - 40 * share) <= 1)


def test_a_swapper_that_hardly_shows_gets_hardly_any(canonical: CanonicalFace) -> None:
    frame, face, layer = scene(canonical_points(canonical), shown=51)
    enhanced = with_detail(layer, detail_of(Brighter(40), frame, face, layer, 0.5), 1.0)
    change = (enhanced.pixels.astype(int) - layer.pixels)[layer.mask == 51]
    assert np.all(np.abs(change - 8) <= 1)


def test_the_network_sees_the_layer_on_the_frame(canonical: CanonicalFace) -> None:
    points = canonical_points(canonical)
    frame, face, layer = scene(points)
    red = replace(layer, pixels=np.asarray(layer.pixels // 2 + np.array([0, 0, 130], np.uint8), np.uint8))
    network = Brighter(-10)
    detail_of(network, frame, face, red, 0.5)
    (given,) = network.given
    assert np.all(np.abs(given[140:160, 120:136].astype(int) - (62, 62, 192)) <= 20), "the nose is the layer's"
    assert abs(given[:16].mean() - 125) < 10, "and hair the frame's"


@pytest.mark.parametrize(("x", "y"), [(0.0, 240.0), (640.0, 470.0), (320.0, -60.0)])
def test_a_face_at_the_edge_is_enhanced_as_far_as_it_is_there(canonical: CanonicalFace, x: float, y: float) -> None:
    frame, face, layer = scene(canonical_points(canonical, x=x, y=y))
    left, top = max(layer.x, 0), max(layer.y, 0)
    own = slice(top - layer.y, HEIGHT - layer.y), slice(left - layer.x, WIDTH - layer.x)
    layer = Layer(left, top, np.ascontiguousarray(layer.pixels[own]), np.ascontiguousarray(layer.mask[own]))
    enhanced = with_detail(layer, detail_of(Brighter(), frame, face, layer, 0.5), 1.0)
    assert enhanced.pixels.shape == layer.pixels.shape
    inside = np.zeros_like(layer.mask)
    inside[1:-1, 1:-1] = layer.mask[1:-1, 1:-1]
    assert np.all(np.abs((enhanced.pixels.astype(int) - layer.pixels)[inside == 255] - 20) <= 1)


def test_a_face_that_is_not_in_the_picture_is_no_work(canonical: CanonicalFace) -> None:
    frame, face, _ = scene(canonical_points(canonical, x=5000))
    nothing = Layer(0, 0, np.zeros((0, 0, 3), np.uint8), np.zeros((0, 0), np.uint8))
    assert Enhancing(Brighter())(frame, [face], [nothing], ALL, 1) == [nothing]


def test_detail_elsewhere_changes_nothing(canonical: CanonicalFace) -> None:
    _, _, layer = scene(canonical_points(canonical))
    away = Layer(0, 0, np.full((9, 9, 3), 255, np.uint8), np.full((9, 9), 255, np.uint8))
    assert with_detail(layer, away, 1.0) is layer


def test_every_nth_time_the_network_runs_and_between_its_detail_moves_with_the_face(canonical: CanonicalFace) -> None:
    network, clock = Spot(), 0.0
    enhancing = Enhancing(network)
    for step in range(6):
        frame, face, layer = scene(canonical_points(canonical, x=280 + 12 * step, y=200 + 5 * step), clock)
        (enhanced,) = enhancing(frame, [face], [layer], ALL, 3)
        change = np.abs(enhanced.pixels.astype(int) - layer.pixels).sum(2)
        rows, columns = np.nonzero(change > 60)
        nose = face.points[1, :2]
        assert np.hypot(columns.mean() + layer.x - nose[0], rows.mean() + layer.y - nose[1]) < 3, f"at step {step}"
        clock += 0.04
    assert len(network.given) == 2


class Spot(Brighter):
    """Makes the tip of the nose brighter, nothing else."""

    def run(self, picture: Pixels, fidelity: float) -> Pixels:
        self.given.append(picture)
        spot = np.zeros_like(picture)
        cv2.circle(spot, (round(0.50123859 * self.size), round(0.61331904 * self.size)), 8, (60, 60, 60), -1)
        return np.asarray(cv2.add(picture, spot), np.uint8)


@pytest.mark.parametrize(("every", "apart", "runs"), [(1, 0.04, 4), (2, 0.04, 2), (0, 0.04, 0), (4, OLDEST + 0.01, 4)])
def test_how_often_the_network_runs(canonical: CanonicalFace, every: int, apart: float, runs: int) -> None:
    network = Brighter()
    enhancing = Enhancing(network)
    for step in range(4):
        frame, face, layer = scene(canonical_points(canonical), step * apart)
        (enhanced,) = enhancing(frame, [face], [layer], ALL, every)
        assert np.array_equal(enhanced.pixels, layer.pixels) == (every == 0)
    assert len(network.given) == runs
    assert ("enhance" in enhancing.watch.ms) == (runs > 0)


def test_somebody_new_does_not_wait_for_detail(canonical: CanonicalFace) -> None:
    network = Brighter()
    enhancing = Enhancing(network)
    frame, first, layer = scene(canonical_points(canonical, x=200))
    enhancing(frame, [first], [layer], ALL, 4)
    frame, second, other = scene(canonical_points(canonical, x=440), 0.04)
    both = enhancing(frame, [first, replace(second, track=2)], [layer, other], ALL, 4)
    assert len(network.given) == 2
    assert all(not np.array_equal(a.pixels, b.pixels) for a, b in zip(both, [layer, other], strict=True))


def test_strength_and_fidelity_are_settings(canonical: CanonicalFace) -> None:
    frame, face, layer = scene(canonical_points(canonical))
    network = Brighter(40)
    (half,) = Enhancing(network)(frame, [face], [layer], Settings(enhancer_blend=50, fidelity=30), 1)
    assert network.fidelity == 0.3
    assert np.all(np.abs((half.pixels.astype(int) - layer.pixels)[layer.mask == 255] - 20) <= 1)
    (none,) = Enhancing(network)(frame, [face], [layer], Settings(enhancer_blend=0), 1)
    assert none is layer and len(network.given) == 1


NOISE = np.random.default_rng(5).integers(0, 256, (256, 256, 3), np.uint8)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (RuntimeError("CUDA failure 2: out of memory"), "out of memory"),
        (EnhanceError("holes (NaN)"), "NaN"),
        (np.full_like(NOISE, 128), "one flat colour"),
        (NOISE, "another one than the face's"),
    ],
)
def test_what_fails_costs_the_detail_and_not_the_face(
    canonical: CanonicalFace, made: Pixels | Exception, words: str
) -> None:
    network = Broken(made)
    enhancing = Enhancing(network)
    frame, face, layer = scene(canonical_points(canonical))
    assert enhancing(frame, [face], [layer], ALL, 1) == [layer]
    assert words in enhancing.problem
    frame = replace(frame, time=REST / 2)
    assert enhancing(frame, [face], [layer], ALL, 1) == [layer] and len(network.given) == 1, "it rests"
    assert words in enhancing.problem, "and says why"

    network.made = None
    frame = replace(frame, time=REST + 0.1)
    (enhanced,) = enhancing(frame, [face], [layer], ALL, 1)
    assert enhancing.problem == "" and not np.array_equal(enhanced.pixels, layer.pixels)


def opened(content: bytes, folder: Path) -> Restorer:
    path = folder / "restorer.onnx"
    path.write_bytes(content)
    (matched,) = match(read_graph(content), content, load_contracts())
    return Restorer(open_session(path, "cpu"), matched)


def test_numbers_go_in_and_out_as_the_contract_says(tmp_path: Path) -> None:
    """RGB, (x / 255 - 0.5) / 0.5 in, y * 0.5 + 0.5 out (facefusion's face_enhancer): a tenth is 12.75 levels."""
    network = opened(restorer(256, more=3), tmp_path)
    picture = np.random.default_rng(6).integers(0, 256, (256, 256, 3), np.uint8)
    wanted = np.clip(np.round((((picture / 255 - 0.5) / 0.5 + 0.1) * 0.5 + 0.5) * 255), 0, 255)
    assert (network.size, network.template) == (256, "ffhq_512")
    assert np.abs(network.run(picture, 0.5).astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("shape", [[], [1]])
@pytest.mark.parametrize("fidelity", [0.0, 1.0])
def test_fidelity_is_what_codeformer_takes_as_its_weight(tmp_path: Path, shape: list[int], fidelity: float) -> None:
    network = opened(codeformer(shape), tmp_path)
    picture = np.full((512, 512, 3), 100, np.uint8)
    assert abs(int(network.run(picture, fidelity)[0, 0, 0]) - 100 - 12.75 * fidelity) < 1


def test_numbers_that_are_none_are_no_picture(tmp_path: Path) -> None:
    network = opened(restorer(256, brighter=float("nan")), tmp_path)
    with pytest.raises(EnhanceError, match="NaN"):
        network.run(np.full((256, 256, 3), 100, np.uint8), 0.5)


def test_what_a_detail_is(canonical: CanonicalFace) -> None:
    frame, face, layer = scene(canonical_points(canonical))
    detail = detail_of(Brighter(20), frame, face, layer, 0.5)
    assert abs(int(detail.pixels[layer.mask == 255].mean()) - NOTHING - 20) <= 1
    assert not detail.mask[0].any() and not detail.mask[:, -1].any()
