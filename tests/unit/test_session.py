"""Opening models: real ones open, everything else is refused with words that say why."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from obs_facelive.catalog import ModelError
from obs_facelive.runtime.onnx_file import MAX_BYTES
from obs_facelive.runtime.providers import Device
from obs_facelive.runtime.session import open_session

FILE = "face_blendshapes_v2.onnx"


def _add(path: Path, weights: TensorProto, nested: bool = False) -> Path:
    """A model that adds ``weights`` to its input; ``nested``: in the branch of an If."""
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])]
    node = helper.make_node("Add", ["x", "w"], ["y"])
    if nested:
        branch = helper.make_graph([helper.make_node("Add", ["x", "w"], ["z"])], "b", [], [outputs[0]], [weights])
        branch.output[0].name = "z"
        node = helper.make_node("If", ["yes"], ["y"], then_branch=branch, else_branch=branch)
        weights = numpy_helper.from_array(np.array(True), "yes")
    graph = helper.make_graph([node], "g", inputs, outputs, [weights])
    path.write_bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    )
    return path


def _external(location: str) -> TensorProto:
    tensor = TensorProto(name="w", dims=[4], data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    return tensor


def test_runs_with_threads_that_sleep(models: Path) -> None:
    session = open_session(models / FILE, "cpu")
    options = session.get_session_options()
    assert options.intra_op_num_threads == 1
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert session.get_providers() == ["CPUExecutionProvider"]
    (weights,) = session.run(None, {"points": np.random.default_rng(0).random((1, 146, 2), np.float32)})
    assert weights.shape == (52,)


def test_auto_takes_what_is_there_and_says_so(models: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        session = open_session(models / FILE, "auto")
    first = session.get_providers()[0]
    word = {"CUDAExecutionProvider": "cuda", "DmlExecutionProvider": "directml", "CoreMLExecutionProvider": "coreml"}
    assert f"{FILE} runs on {word.get(first, 'cpu')}" in caplog.text


@pytest.mark.parametrize(
    ("device", "provider"),
    [("cuda", "CUDAExecutionProvider"), ("directml", "DmlExecutionProvider"), ("coreml", "CoreMLExecutionProvider")],
)
def test_a_device_that_is_not_there_is_refused(models: Path, device: Device, provider: str) -> None:
    if provider in ort.get_available_providers():
        assert open_session(models / FILE, device).get_providers()[0] == provider
        return
    with pytest.raises(ModelError, match=f"'{device}' is not there: it needs .* choose another"):
        open_session(models / FILE, device)


@pytest.mark.parametrize("nested", [False, True])
def test_weights_in_other_files_are_refused(tmp_path: Path, nested: bool) -> None:
    whole = numpy_helper.from_array(np.ones(4, np.float32), "w")
    good = open_session(_add(tmp_path / "good.onnx", whole, nested), "cpu")
    assert good.run(None, {"x": np.ones(4, np.float32)})[0].tolist() == [2, 2, 2, 2]
    (tmp_path / "weights.bin").write_bytes(np.ones(4, np.float32).tobytes())
    with pytest.raises(ModelError, match="one file"):
        open_session(_add(tmp_path / "bad.onnx", _external("weights.bin"), nested), "cpu")


def test_a_metadata_entry_called_location_is_no_external_data(tmp_path: Path) -> None:
    path = _add(tmp_path / "model.onnx", numpy_helper.from_array(np.ones(4, np.float32), "w"))
    model = onnx.load(path)
    model.metadata_props.add(key="location", value="Berlin")
    onnx.save(model, path)
    open_session(path, "cpu")


@pytest.mark.parametrize("content", [b"", b"no model", b"\xff" * 100, b"<!DOCTYPE html><html>", bytes(range(256)) * 50])
def test_garbage_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "garbage.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"garbage\.onnx"):
        open_session(path, "cpu")


def test_a_file_cut_short_is_refused(models: Path, tmp_path: Path) -> None:
    path = tmp_path / "half.onnx"
    path.write_bytes((models / FILE).read_bytes()[:-1000])
    with pytest.raises(ModelError, match="cut short"):
        open_session(path, "cpu")


def test_a_missing_file_and_a_huge_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read: No such file"):
        open_session(tmp_path / "none.onnx", "cpu")
    huge = tmp_path / "huge.onnx"
    with huge.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ModelError, match=r"2\.1 GB"):
        open_session(huge, "cpu")
