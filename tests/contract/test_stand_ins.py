"""Stand-ins are what the models that people bring are, to everything that reads them: names, shapes, types, ranges, answers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import skimage.data
from insightface import model_zoo
from insightface.model_zoo.arcface_onnx import ArcFaceONNX
from insightface.model_zoo.inswapper import INSwapper

from obs_facelive.frame import Floats, Pixels
from tests.conftest import resized
from tools.stand_ins.build import STAND_INS, build, write

WIDTH = 0.125
CPU = ["CPUExecutionProvider"]

Ports: TypeAlias = dict[str, list[int | None]]

pictures: Any = skimage.data  # which says nothing of its types

IDENTITY: Ports = {"source": [1, 512]}
MASKS = ("out_face_mask:0", "out_celeb_face_mask:0")
PORTS: dict[str, tuple[Ports, Ports]] = {
    "inswapper_128.onnx": ({"target": [1, 3, 128, 128], **IDENTITY}, {"output": [1, 3, 128, 128]}),
    "hyperswap_1a_256.onnx": (
        {**IDENTITY, "target": [1, 3, 256, 256]},
        {"output": [1, 3, 256, 256], "mask": [1, 1, 256, 256]},
    ),
    "w600k_r50.onnx": ({"input.1": [None, 3, 112, 112]}, {"683": [1, 512]}),
    "saehd_224.dfm": (
        {"in_face:0": [None, 224, 224, 3]},
        {MASKS[0]: [None, 224, 224, 1], "out_celeb_face:0": [None, 224, 224, 3], MASKS[1]: [None, 224, 224, 1]},
    ),
    "amp_224.dfm": (
        {"in_face:0": [None, 224, 224, 3], "morph_value:0": [1]},
        {MASKS[0]: [None, 224, 224, 1], "out_celeb_face:0": [None, 224, 224, 3], MASKS[1]: [None, 224, 224, 1]},
    ),
    "ghost_1_256.onnx": (
        {"target": [1, 3, 256, 256], **IDENTITY},
        {"output": [1, 3, 256, 256], "onnx::ConvTranspose_239": [1, 64, 16, 16]},
    ),
    "simswap_256.onnx": ({"target": [1, 3, 256, 256], **IDENTITY}, {"output": [1, 3, 256, 256]}),
    "simswap_512_unoff.onnx": (
        {"input": [1, 3, 512, 512], "onnx::Gemm_1": [1, 512]},
        {"output": [1, 3, 512, 512]},
    ),
    "hififace_unofficial_256.onnx": ({"target": [1, 3, 256, 256], **IDENTITY}, {"output": [1, 3, 256, 256]}),
    "blendswap_256.onnx": (
        {"target": [1, 3, 256, 256], "source": [1, 3, 112, 112]},
        {"output": [1, 3, 256, 256]},
    ),
    "uniface_256.onnx": ({"target": [1, 3, 256, 256], "source": [1, 3, 256, 256]}, {"output": [1, 3, 256, 256]}),
    "cscs_256.onnx": ({"input_1": [1, 3, 256, 256], "input_2": [1, 512]}, {"output": [1, 3, 256, 256]}),
    **{
        file: ({"input": [None, 3, 112, 112]}, {"output": [1, 512]})
        for file in ("cscs_arcface_model.onnx", "cscs_id_adapter.onnx")
    },
    **{
        f"crossface_{name}.onnx": ({"input": [1, 512]}, {"output": [1, 512]})
        for name in ("ghost", "simswap", "hififace")
    },
    "GFPGANv1.4.onnx": ({"input": [1, 3, 512, 512]}, {"output": [1, 3, 512, 512]}),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All stand-ins, small."""
    made: Path = tmp_path_factory.mktemp("stand_ins")
    for file in STAND_INS:
        write(made, file, WIDTH)
    return made


@pytest.fixture(scope="module")
def sessions(folder: Path) -> dict[str, ort.InferenceSession]:
    options = ort.SessionOptions()
    options.log_severity_level = 3  # inswapper's last weights are for whoever makes the source, not for the graph
    return {file: ort.InferenceSession(str(folder / file), options, providers=CPU) for file in STAND_INS}


def face(size: int) -> Pixels:
    """(size, size, 3) uint8 RGB: an astronaut's."""
    return resized(pictures.astronaut()[20:220, 120:320], size, size)


def source(seed: int) -> Floats:
    vector = np.random.default_rng(seed).standard_normal((1, 512))
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def planes(size: int, low: float = 0) -> Floats:
    """(1, 3, size, size) RGB from ``low`` to 1."""
    scaled = face(size) / np.float32(255) * (1 - low) + low
    return np.asarray(scaled.transpose(2, 0, 1)[None], np.float32)


def rows(size: int) -> Floats:
    """(1, size, size, 3) BGR 0..1."""
    return np.asarray(face(size)[None, ..., ::-1] / np.float32(255), np.float32)


def shown(answer: Floats, given: Floats) -> None:
    """What comes out is a picture of what went in, and another one."""
    assert answer.shape == given.shape and answer.dtype == np.float32 and np.isfinite(answer).all()
    alike = np.corrcoef(answer.ravel(), given.ravel())[0, 1]
    assert alike > 0.8, "nothing of the face is left"
    span = float(np.ptp(given))
    assert np.abs(answer - given).mean() > 0.04 * span, "nobody would see that it was swapped"
    assert answer.std() > 0.1 * span


@pytest.mark.parametrize("file", STAND_INS)
def test_a_graph_has_the_names_shapes_and_types_of_what_it_stands_in_for(
    sessions: dict[str, ort.InferenceSession], file: str
) -> None:
    session = sessions[file]
    for values, wanted in zip((session.get_inputs(), session.get_outputs()), PORTS[file], strict=True):
        assert [value.name for value in values] == list(wanted)
        assert {value.type for value in values} == {"tensor(float)"}
        for value in values:
            # A free size has no number; what it is called instead is ONNX Runtime's affair.
            assert [side if isinstance(side, int) else None for side in value.shape] == wanted[value.name]


@pytest.mark.parametrize("file", STAND_INS)
def test_a_stand_in_is_always_the_same_and_old_enough_for_every_runtime(folder: Path, file: str) -> None:
    again = build(file, WIDTH)
    assert again.SerializeToString() == (folder / file).read_bytes()
    assert again.ir_version == 8 and [each.version for each in again.opset_import] == [12]
    onnx.checker.check_model(again, full_check=True)


def test_inswappers_last_weights_are_its_matrix(folder: Path) -> None:
    last = onnx.load(str(folder / "inswapper_128.onnx")).graph.initializer[-1]
    assert list(last.dims) == [512, 512]
    assert np.linalg.matrix_rank(onnx.numpy_helper.to_array(last)) == 512


def test_inswapper_gives_a_face_back_as_the_source_has_it(sessions: dict[str, ort.InferenceSession]) -> None:
    target = planes(128)
    (one,), (other,) = (
        sessions["inswapper_128.onnx"].run(None, {"target": target, "source": source(seed)}) for seed in (1, 2)
    )
    shown(one, target)
    assert one.min() >= 0 and one.max() <= 1
    assert np.abs(one - other).mean() > 0.02, "two people must not look the same"


def test_hyperswap_gives_a_face_and_where_it_is(sessions: dict[str, ort.InferenceSession]) -> None:
    target = planes(256, -1)
    (one, mask), (other, _) = (
        sessions["hyperswap_1a_256.onnx"].run(None, {"target": target, "source": source(seed)}) for seed in (1, 2)
    )
    shown(one, target)
    assert one.min() >= -1 and one.max() <= 1
    assert np.abs(one - other).mean() > 0.04, "two people must not look the same"
    oval_with_nothing_around(mask[0, 0])


@pytest.mark.parametrize("file", ["saehd_224.dfm", "amp_224.dfm"])
def test_a_dfm_gives_a_face_between_two_masks(sessions: dict[str, ort.InferenceSession], file: str) -> None:
    given: dict[str, Floats] = {"in_face:0": rows(224)}
    if "morph_value:0" in PORTS[file][0]:
        given["morph_value:0"] = np.array([0.75], np.float32)
    mask, celeb, celeb_mask = sessions[file].run(None, given)
    shown(celeb, given["in_face:0"])
    assert celeb.min() >= 0 and celeb.max() <= 1
    oval_with_nothing_around(mask[0, ..., 0])
    oval_with_nothing_around(celeb_mask[0, ..., 0])


def oval_with_nothing_around(mask: Floats) -> None:
    size = len(mask)
    middle, edge = mask[size * 3 // 8 : size * 5 // 8, size * 3 // 8 : size * 5 // 8], size // 20
    assert middle.min() > 0.9
    assert max(mask[:edge, :edge].max(), mask[-edge:, :edge].max(), mask[-edge:, -edge:].max()) < 0.1
    assert mask.min() >= 0 and mask.max() <= 1


def test_how_far_amp_goes_is_the_second_inputs(sessions: dict[str, ort.InferenceSession]) -> None:
    def celeb(morph: float) -> Floats:
        given = {"in_face:0": rows(224), "morph_value:0": np.array([morph], np.float32)}
        return np.asarray(sessions["amp_224.dfm"].run(["out_celeb_face:0"], given)[0])

    half, three_quarters, whole = (celeb(morph) for morph in (0.5, 0.75, 1.0))
    assert 0 < np.abs(three_quarters - whole).mean() < np.abs(half - whole).mean()


def test_the_recogniser_tells_pictures_apart(sessions: dict[str, ort.InferenceSession]) -> None:
    astronaut, cat = planes(112, -1), resized(pictures.chelsea()[0:290, 90:380], 112, 112)
    others = np.asarray(cat.transpose(2, 0, 1)[None] / np.float32(127.5) - 1, np.float32)
    one, other = (sessions["w600k_r50.onnx"].run(None, {"input.1": given})[0][0] for given in (astronaut, others))
    assert one.shape == (512,) and np.isfinite(one).all()
    assert 1 < np.linalg.norm(one) < 1000
    assert one @ other < 0.9 * np.linalg.norm(one) * np.linalg.norm(other)
    # A batch, as insightface asks for it.
    both = sessions["w600k_r50.onnx"].run(None, {"input.1": np.concatenate([astronaut, others])})[0]
    np.testing.assert_allclose(both, [one, other], atol=1e-3)


@pytest.mark.parametrize(("file", "kind"), [("inswapper_128.onnx", INSwapper), ("w600k_r50.onnx", ArcFaceONNX)])
def test_insightface_knows_a_stand_in(folder: Path, file: str, kind: type) -> None:
    model = model_zoo.get_model(str(folder / file), providers=CPU)
    assert type(model) is kind
    if isinstance(model, ArcFaceONNX):
        assert model.input_mean == model.input_std == 127.5


@pytest.mark.slow
@pytest.mark.parametrize(("file", "millions"), [("inswapper_128.onnx", 138.6), ("w600k_r50.onnx", 43.6)])
def test_at_full_width_it_has_the_originals_parameters(file: str, millions: float) -> None:
    """inswapper_128.onnx has 554,253,681 bytes, w600k_r50.onnx 174,383,860: four a parameter, and the graph."""
    count = sum(math.prod(weights.dims) for weights in build(file).graph.initializer)
    assert count / 1e6 == pytest.approx(millions, rel=0.005)
