"""What is done with a network that a person brings, against its contract written out plainly.

For what insightface knows, see `test_insightface_parity`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime as ort
import pytest
import skimage.data

from obs_facelive.brought import add_model, find_model
from obs_facelive.catalog import ModelError
from obs_facelive.contracts import Matched, load_contracts, recognise
from obs_facelive.engine.people import People
from obs_facelive.enhance.restorer import Restorer
from obs_facelive.frame import Floats, Pixels
from obs_facelive.home import Home
from obs_facelive.runtime.ends import Float32Ends, float32_ends
from obs_facelive.runtime.graph import last_initializer
from obs_facelive.runtime.providers import Place
from obs_facelive.swap.align import TEMPLATES
from obs_facelive.swap.dfm import MORPH, DfmNetwork
from obs_facelive.swap.photo import PhotoNetwork, latent, source_picture
from tests.conftest import resized
from tests.unit.tiny_models import codeformer
from tools.stand_ins.build import STAND_INS, write

CONTRACTS = {
    "inswapper_128.onnx": ("inswapper", 128),
    "hyperswap_1a_256.onnx": ("hyperswap", 256),
    "w600k_r50.onnx": ("arcface", 112),
    "saehd_224.dfm": ("dfm", 224),
    "amp_224.dfm": ("dfm_amp", 224),
    "ghost_1_256.onnx": ("ghost", 256),
    "simswap_256.onnx": ("simswap_256", 256),
    "simswap_512_unoff.onnx": ("simswap_512", 512),
    "hififace_unofficial_256.onnx": ("hififace", 256),
    "blendswap_256.onnx": ("blendswap", 256),
    "uniface_256.onnx": ("uniface", 256),
    "cscs_256.onnx": ("cscs", 256),
    "cscs_arcface_model.onnx": ("cscs_arcface", 112),
    "cscs_id_adapter.onnx": ("cscs_id_adapter", 112),
    "crossface_ghost.onnx": ("crossface_ghost", 0),
    "crossface_simswap.onnx": ("crossface_simswap", 0),
    "crossface_hififace.onnx": ("crossface_hififace", 0),
    "GFPGANv1.4.onnx": ("restorer", 512),
}
"""File → its contract, and the side of its picture."""
LEVEL = 1.05
"""Levels are cut to whole ones: less than 1 is lost, and a little by rounding."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = tmp_path_factory.mktemp("stand_ins")
    for file in STAND_INS:
        write(made, file, 0.125)
    return made


def matched(path: Path) -> Matched:
    content = path.read_bytes()
    return recognise(path.name, content, hashlib.sha256(content).hexdigest(), load_contracts())


def opened(path: Path) -> ort.InferenceSession:
    return ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def face(size: int) -> Pixels:
    """(size, size, 3) uint8 BGR: an astronaut's."""
    pictures: Any = skimage.data
    return resized(np.ascontiguousarray(pictures.astronaut()[20:220, 126:326, ::-1]), size, size)


def embedding(seed: int) -> Floats:
    return np.asarray(np.random.default_rng(seed).standard_normal(512) * 3, np.float32)


@pytest.mark.parametrize("file", STAND_INS)
def test_a_file_is_known_for_what_it_is(folder: Path, file: str) -> None:
    found = matched(folder / file)
    assert (found.contract.name, found.size) == CONTRACTS[file]
    assert found.contract.template in TEMPLATES or found.contract.kind == "converter"
    session = opened(folder / file)
    outputs = (
        session.get_outputs()[: len(found.contract.outputs)] if file.startswith("ghost") else session.get_outputs()
    )
    assert set(found.names.values()) == {value.name for value in (*session.get_inputs(), *outputs)}


# What each takes and gives, as FaceFusion's face_swapper and VisoMaster's face_swappers.py have it: the names of its inputs,
# the target's mean and deviation, whether its answer is -1..1, its converter, whether that one's numbers are made of length 1.
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
READINGS: dict[str, tuple[str, str, tuple[Any, Any], bool, str, bool]] = {
    "ghost_1_256.onnx": ("target", "source", (0.5, 0.5), True, "crossface_ghost.onnx", False),
    "simswap_256.onnx": ("target", "source", IMAGENET, False, "crossface_simswap.onnx", True),
    "simswap_512_unoff.onnx": ("input", "onnx::Gemm_1", (0, 1), False, "crossface_simswap.onnx", True),
    "hififace_unofficial_256.onnx": ("target", "source", (0.5, 0.5), True, "crossface_hififace.onnx", True),
}


@pytest.fixture(scope="module")
def home(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """One with all of them added."""
    made = Home(tmp_path_factory.mktemp("home"))
    for file in STAND_INS:
        add_model(made, folder / file)
    return made


def answered(path: Path, given: dict[str, Floats], signed: bool) -> Floats:
    """(s, s, 3) BGR 0..255: the first of what a network gives."""
    output = opened(path).run(None, given)[0][0].transpose(1, 2, 0)[..., ::-1]
    return np.asarray(np.clip((output * 0.5 + 0.5 if signed else output) * 255, 0, 255))


def planes(picture: Pixels, mean: Any, deviation: Any) -> Floats:
    """(1, 3, s, s) RGB of BGR."""
    scaled = (picture[..., ::-1] / 255 - np.asarray(mean)) / np.asarray(deviation)
    return np.asarray(scaled.transpose(2, 0, 1)[None], np.float32)


@pytest.mark.parametrize("file", READINGS)
def test_swappers_with_a_converter(folder: Path, home: Home, file: str) -> None:
    target, source, scale, signed, converter, unit = READINGS[file]
    path, found = folder / file, matched(folder / file)
    picture, person = face(found.size), embedding(4) * np.float32(2)
    (converted,) = opened(folder / converter).run(["output"], {"input": person[None]})
    if unit:
        converted = converted / np.linalg.norm(converted)
    wanted = answered(path, {target: planes(picture, *scale), source: converted}, signed)
    model = find_model(home, file)
    people = People(home, lambda _: pytest.fail("no photo is looked at"))
    given = people.source(model, found.contract, None)(person)
    np.testing.assert_allclose(given, converted, atol=1e-5)
    pixels, mask = PhotoNetwork(opened(path), found, given).run(picture)
    assert mask is None and np.abs(pixels - wanted).max() < LEVEL
    assert np.abs(pixels.astype(int) - picture).mean() > 2


@pytest.mark.parametrize(
    ("file", "template", "side", "scale", "signed"),
    [
        ("blendswap_256.onnx", "arcface_112_v2", 112, (0, 1), False),
        ("uniface_256.onnx", "ffhq_512", 256, (0.5, 0.5), True),
    ],
)
def test_swappers_that_look_at_the_photo(
    folder: Path, file: str, template: str, side: int, scale: tuple[Any, Any], signed: bool
) -> None:
    path, found = folder / file, matched(folder / file)
    picture, photo = face(256), face(400)
    five = np.asarray(TEMPLATES[template] * 300 + [60, 40], np.float32)
    matrix = np.array([[side / 300, 0, -60 * side / 300], [0, side / 300, -40 * side / 300]])
    laid = cv2.warpAffine(photo, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
    given = source_picture(found, photo, five)
    assert given.shape == (1, 3, side, side) and given.dtype == np.float32
    np.testing.assert_allclose(given, planes(np.asarray(laid, np.uint8), 0, 1), atol=1.01 / 255)  # 0..1, never -1..1
    wanted = answered(path, {"target": planes(picture, *scale), "source": given}, signed)
    pixels, _ = PhotoNetwork(opened(path), found, given).run(picture)
    assert np.abs(pixels - wanted).max() < LEVEL
    other, _ = PhotoNetwork(opened(path), found, given[..., ::-1].copy()).run(picture)
    assert np.abs(other.astype(int) - pixels).mean() > 0.05, "the photo says nothing"


def test_cscs(folder: Path, home: Home) -> None:
    path, found = folder / "cscs_256.onnx", matched(folder / "cscs_256.onnx")
    picture, photo = face(256), face(400)
    five = np.asarray(TEMPLATES["ffhq_512"] * 300 + [60, 40], np.float32)
    matrix = np.array([[112 / 300, 0, -60 * 112 / 300], [0, 112 / 300, -40 * 112 / 300]])
    laid = np.asarray(cv2.warpAffine(photo, matrix, (112, 112), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    units = []
    for file in ("cscs_arcface_model.onnx", "cscs_id_adapter.onnx"):
        (numbers,) = opened(folder / file).run(["output"], {"input": planes(laid, 0.5, 0.5)})
        units.append(numbers / np.linalg.norm(numbers))
    people = People(home, lambda _: pytest.fail("no photo is looked at"))
    person = people.look(find_model(home, "cscs_256.onnx"), found.contract, Place("cpu"))(photo, five)
    np.testing.assert_allclose(person, sum(units)[0], atol=0.02)  # each crop rounds to its own level
    wanted = answered(path, {"input_1": planes(picture, 0.5, 0.5), "input_2": person[None]}, True)
    pixels, _ = PhotoNetwork(opened(path), found, latent(person, found.contract.identity)).run(picture)
    assert np.abs(pixels - wanted).max() < LEVEL


def half(path: Path) -> bytes:
    """The model with float16 at its ends, and itself between them."""
    model = onnx.load(str(path))
    graph = model.graph
    for values, outward in ((graph.input, False), (graph.output, True)):
        for value in values:
            inner = f"{value.name} as float32"
            for node in graph.node:
                names = node.output if outward else node.input
                for i, name in enumerate(names):
                    names[i] = inner if name == value.name else name
            ends = (inner, value.name) if outward else (value.name, inner)
            kind = onnx.TensorProto.FLOAT16 if outward else onnx.TensorProto.FLOAT
            cast = onnx.helper.make_node("Cast", ends[:1], ends[1:], to=kind)
            graph.node.insert(len(graph.node) if outward else 0, cast)
            value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("file", ["hyperswap_1a_256.onnx", "saehd_224.dfm"])
def test_models_with_float16_at_their_ends(folder: Path, tmp_path: Path, file: str) -> None:
    path = tmp_path / file
    path.write_bytes(half(folder / file))
    found = matched(path)
    assert (found.contract.name, found.size) == CONTRACTS[file]
    session, wanted_of = float32_ends(opened(path)), opened(folder / file)
    assert isinstance(session, Float32Ends) and float32_ends(wanted_of) is wanted_of
    picture = face(found.size)

    def run(session: Any) -> tuple[Pixels, Any]:
        if found.contract.kind == "dfm":
            return DfmNetwork(session, found).run(picture)
        return PhotoNetwork(session, found, latent(embedding(1), "unit")).run(picture)

    (pixels, mask), (wanted, wanted_mask) = run(session), run(wanted_of)
    assert np.abs(pixels.astype(int) - wanted).max() <= 2  # half precision has 11 bits
    assert np.abs(mask.astype(int) - wanted_mask).max() <= 2


def test_hyperswap(folder: Path) -> None:
    path, picture = folder / "hyperswap_1a_256.onnx", face(256)
    found = matched(path)
    unit = embedding(1) / np.linalg.norm(embedding(1))
    rgb = (picture[..., ::-1] / 255 - 0.5) / 0.5
    given = {"source": unit[None].astype(np.float32), "target": rgb.transpose(2, 0, 1)[None].astype(np.float32)}
    output, wanted_mask = opened(path).run(["output", "mask"], given)
    wanted = np.clip((output[0].transpose(1, 2, 0) * 0.5 + 0.5) * 255, 0, 255)[..., ::-1]
    pixels, mask = PhotoNetwork(opened(path), found, latent(embedding(1), found.contract.identity)).run(picture)
    assert mask is not None and mask.dtype == np.uint8 and pixels.dtype == np.uint8
    assert np.abs(pixels - wanted).max() < LEVEL
    assert np.abs(mask - wanted_mask[0, 0] * 255).max() < LEVEL


@pytest.mark.parametrize("file", ["saehd_224.dfm", "amp_224.dfm"])
def test_dfm(folder: Path, file: str) -> None:
    path, picture = folder / file, face(224)
    found = matched(path)
    given: dict[str, Floats] = {"in_face:0": (picture[None] / 255).astype(np.float32)}  # BGR, as it is
    if file.startswith("amp"):
        given["morph_value:0"] = np.array([MORPH], np.float32)
    live, celeb, other = opened(path).run(["out_face_mask:0", "out_celeb_face:0", "out_celeb_face_mask:0"], given)
    pixels, mask = DfmNetwork(opened(path), found).run(picture)
    assert mask is not None and mask.dtype == np.uint8 and pixels.dtype == np.uint8
    assert np.abs(pixels - celeb[0] * 255).max() < LEVEL
    # A little inside of both masks, softly; where neither is near its edge, as they are.
    both = np.asarray(np.minimum(live, other)[0, ..., 0] * 255)
    grown = cv2.dilate(both, np.ones((25, 25)))
    shrunk = cv2.erode(both, np.ones((25, 25)))
    assert (mask <= grown + 1).all() and (mask >= shrunk - 1).all()
    assert mask.mean() < both.mean()
    assert mask[112, 112] > 240 and mask[:4, :4].max() < 8


@pytest.mark.parametrize("broken", [np.zeros(512), np.full(512, np.nan), np.ones(128), np.r_[np.inf, np.ones(511)]])
def test_numbers_that_are_no_faces_are_refused(broken: Floats) -> None:
    with pytest.raises(ModelError, match="recogniser"):
        latent(np.asarray(broken, np.float32), "unit")


def test_a_swapper_without_its_matrix_is_refused(folder: Path) -> None:
    with pytest.raises(ModelError, match="matrix"):
        latent(embedding(1), "emap", last_initializer((folder / "hyperswap_1a_256.onnx").read_bytes()))


def test_raw_numbers_stay_as_they_are() -> None:
    np.testing.assert_array_equal(latent(embedding(2), "raw"), embedding(2)[None])


def test_a_restorer(folder: Path) -> None:
    path, picture = folder / "GFPGANv1.4.onnx", face(512)
    found, session = matched(path), opened(path)
    (output,) = session.run([found.names["output"]], {found.names["picture"]: planes(picture, 0.5, 0.5)})
    wanted = np.clip((output[0].transpose(1, 2, 0)[..., ::-1] * 0.5 + 0.5) * 255, 0, 255)
    assert wanted.std() > 2
    # To the nearest level.
    assert np.abs(Restorer(session, found).run(picture, 0.5) - wanted).max() < 0.55


@pytest.mark.parametrize("shape", [[], [1]])
@pytest.mark.parametrize("fidelity", [0.0, 0.7])
def test_codeformers_weight_is_its_fidelity(tmp_path: Path, shape: list[int], fidelity: float) -> None:
    path, picture = tmp_path / "codeformer.onnx", face(512)
    path.write_bytes(codeformer(shape))
    wanted = np.clip(
        picture.astype(float) + 0.1 * fidelity * 127.5, 0, 255
    )  # brighter by a tenth of the weight, of -1..1
    assert np.abs(Restorer(opened(path), matched(path)).run(picture, fidelity) - wanted).max() < 0.55
