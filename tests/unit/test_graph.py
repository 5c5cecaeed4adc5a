"""A graph's inputs, outputs and last weights, read without onnx, are those that onnx says."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from obs_facelive.runtime.graph import Graph, Value, last_initializer, read_graph
from tests.unit.tiny_models import EMAP, arcface, dfm, inswapper, tiny_model

KINDS = {"tensor(float)": "float32"}


def test_says_what_onnx_runtime_says(models: Path) -> None:
    files = sorted(models.glob("*.onnx"))
    assert len(files) >= 4
    for content in [*(file.read_bytes() for file in files), inswapper(), arcface()]:
        session, graph = ort.InferenceSession(content), read_graph(content)
        for ours, theirs in ((graph.inputs, session.get_inputs()), (graph.outputs, session.get_outputs())):
            assert [(v.name, v.dtype, list(v.shape)) for v in ours] == [
                (v.name, KINDS[v.type], [side if isinstance(side, int) else None for side in v.shape]) for v in theirs
            ]


def test_weights_are_no_inputs() -> None:
    model = onnx.load_from_string(tiny_model({"x": [1]}, {"y": [2]}, EMAP))
    model.graph.input.append(helper.make_tensor_value_info("last", TensorProto.FLOAT, [512, 512]))
    assert [v.name for v in read_graph(model.SerializeToString()).inputs] == ["x"]


def test_what_has_no_size_has_none() -> None:
    model = onnx.ModelProto()
    sizes = model.graph.output.add(name="y")
    sizes.type.tensor_type.elem_type = TensorProto.FLOAT16
    for size in (0, -1, 5, 1 << 40):
        sizes.type.tensor_type.shape.dim.add(dim_value=size)
    sizes.type.tensor_type.shape.dim.add(dim_param="batch")
    sizes.type.tensor_type.shape.dim.add()
    model.graph.output.add(name="unknown").type.tensor_type.elem_type = TensorProto.INT64
    model.graph.output.add(name="list").type.sequence_type.elem_type.tensor_type.elem_type = 1
    model.graph.output.add(name="new").type.tensor_type.elem_type = 77
    assert read_graph(model.SerializeToString()) == Graph(
        (),
        (
            Value("y", "float16", (None, None, 5, 1 << 40, None, None)),
            Value("unknown", "int64", ()),
            Value("list", "other", ()),
            Value("new", "other", ()),
        ),
    )


def test_a_graph_in_pieces_is_one() -> None:
    whole = onnx.load_from_string(inswapper())
    first, second = onnx.ModelProto(), onnx.ModelProto()
    first.graph.input.extend(whole.graph.input)
    first.graph.node.extend(whole.graph.node)
    first.graph.initializer.extend(whole.graph.initializer[:1])
    second.graph.output.extend(whole.graph.output)
    second.graph.initializer.extend(whole.graph.initializer[1:])
    pieces = first.SerializeToString() + second.SerializeToString()
    assert read_graph(pieces) == read_graph(inswapper())
    assert np.array_equal(last_initializer(pieces), EMAP)  # type: ignore[arg-type]


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("raw", [False, True])
def test_last_weights(half: bool, raw: bool) -> None:
    wanted = np.random.default_rng(1).normal(size=(3, 5)).astype(np.float16 if half else np.float32)
    kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    tensor = helper.make_tensor("w", kind, [3, 5], wanted.tobytes() if raw else wanted.ravel(), raw=raw)
    first = numpy_helper.from_array(np.zeros(7, np.float32), "first")
    graph = helper.make_graph([], "g", [], [helper.make_tensor_value_info("w", kind, [3, 5])], [first, tensor])
    found = last_initializer(helper.make_model(graph).SerializeToString())
    assert found is not None and found.dtype == np.float32 and np.array_equal(found, wanted.astype(np.float32))


def test_weights_that_are_none() -> None:
    model = onnx.ModelProto()
    model.graph.output.add(name="y")
    assert last_initializer(model.SerializeToString()) is None
    model.graph.initializer.append(numpy_helper.from_array(np.arange(4), "whole numbers"))
    assert last_initializer(model.SerializeToString()) is None
    model.graph.initializer.append(helper.make_tensor("w", TensorProto.FLOAT, [2], b"12345678", raw=True))
    model.graph.initializer[-1].dims[0] = 3
    with pytest.raises(ValueError, match="says otherwise"):
        last_initializer(model.SerializeToString())
    model.graph.initializer[-1].raw_data = b"1234567"
    with pytest.raises(ValueError, match="within a number"):
        last_initializer(model.SerializeToString())


@pytest.mark.parametrize("content", [b"", b"\x08\x08", b"a text", b"\x38\x01", b"\x3a\x02\x58\x01", b"\x3a\x00"])
def test_what_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        read_graph(content)


MODEL = dfm(64)


@given(at=st.integers(0, len(MODEL) - 1), byte=st.integers(0, 255), cut=st.booleans())
def test_damage_is_a_graph_or_a_value_error(at: int, byte: int, cut: bool) -> None:
    damaged = MODEL[:at] if cut else MODEL[:at] + bytes([byte]) + MODEL[at + 1 :]
    for read in (read_graph, last_initializer):
        with contextlib.suppress(ValueError):
            read(damaged)
