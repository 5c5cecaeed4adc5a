"""The converter of block-quantised weights against ONNX's own reference implementation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from obs_facelive.catalog import load_catalog
from obs_facelive.home import Home
from obs_facelive.identity.recogniser import RECOGNITION_FILE
from tools.block_int8 import convert
from tools.tflite_graph import UnsupportedError
from tools.wheels import fetch_wheel, read_member


@pytest.fixture(scope="module")
def original() -> bytes:
    """The file that the recogniser is made of."""
    source = next(source for source in load_catalog() for model in source.models if model.file == RECOGNITION_FILE)
    wheel = fetch_wheel(source.package, source.version, source.wheel_sha256, Home.find().root / "cache" / "wheels")
    return read_member(wheel, source.member, source.member_sha256)


def test_the_numbers_are_the_original_s(original: bytes, models: Path) -> None:
    reference = onnx.load_from_string(original)
    for value in [value for value in reference.graph.input if value.name != "data"]:  # relics, which nothing uses
        reference.graph.input.remove(value)
    session = ort.InferenceSession(str(models / RECOGNITION_FILE), providers=["CPUExecutionProvider"])
    image = np.random.default_rng(0).uniform(0, 255, (1, 3, 112, 112)).astype(np.float32)

    (wanted,) = ReferenceEvaluator(reference).run(None, {"data": image})
    (got,) = session.run(["embedding"], {"image": image})

    assert np.abs(wanted).max() > 0.5
    np.testing.assert_allclose(got, wanted, atol=2e-5)


def test_the_file_stays_as_small_as_the_original(original: bytes, models: Path) -> None:
    assert (models / RECOGNITION_FILE).stat().st_size < 1.02 * len(original)


def test_weights_of_another_kind_are_refused(original: bytes) -> None:
    strange = onnx.load_from_string(original)
    name = next(node.input[0] for node in strange.graph.node if node.op_type == "DequantizeLinear")
    tensor = next(tensor for tensor in strange.graph.initializer if tensor.name == name)
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.uint8), name))

    with pytest.raises(UnsupportedError, match=name):
        convert(strange.SerializeToString())
