"""What is done with a network that a person brings, against its contract written out plainly.

For what insightface knows, see `test_insightface_parity`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort
import pytest
import skimage.data

from obs_facelive.catalog import ModelError
from obs_facelive.contracts import Matched, load_contracts, match
from obs_facelive.frame import Floats, Pixels
from obs_facelive.runtime.graph import last_initializer, read_graph
from obs_facelive.swap.align import TEMPLATES
from obs_facelive.swap.dfm import MORPH, DfmNetwork
from obs_facelive.swap.photo import PhotoNetwork, latent
from tests.conftest import resized
from tools.stand_ins.build import STAND_INS, write

CONTRACTS = {
    "inswapper_128.onnx": ("inswapper", 128),
    "hyperswap_1a_256.onnx": ("hyperswap", 256),
    "w600k_r50.onnx": ("arcface", 112),
    "saehd_224.dfm": ("dfm", 224),
    "amp_224.dfm": ("dfm_amp", 224),
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


def matches(path: Path) -> list[Matched]:
    content = path.read_bytes()
    return match(read_graph(content), content, load_contracts())


def opened(path: Path) -> ort.InferenceSession:
    return ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def face(size: int) -> Pixels:
    """(size, size, 3) uint8 BGR: an astronaut's."""
    pictures: Any = skimage.data
    return resized(np.ascontiguousarray(pictures.astronaut()[20:220, 126:326, ::-1]), size, size)


def embedding(seed: int) -> Floats:
    return np.asarray(np.random.default_rng(seed).standard_normal(512) * 3, np.float32)


@pytest.mark.parametrize("file", STAND_INS)
def test_a_file_keeps_one_contract_whatever_it_is_called(folder: Path, file: str) -> None:
    (found,) = matches(folder / file)
    assert (found.contract.name, found.size) == CONTRACTS[file]
    assert found.contract.template in TEMPLATES
    session = opened(folder / file)
    ports = {value.name for value in (*session.get_inputs(), *session.get_outputs())}
    assert set(found.names.values()) == ports


def test_hyperswap(folder: Path) -> None:
    path, picture = folder / "hyperswap_1a_256.onnx", face(256)
    (found,) = matches(path)
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
    (found,) = matches(path)
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
