"""ONNX files with block-wise 8-bit weights (OpenCV Zoo's ``*_int8bq``), as ONNX Runtime can run them, and fast.

Its CPU provider has no kernel for ``DequantizeLinear`` with blocks. Written as Cast, Sub, Mul and Reshape of constants the
weights stay as small as they are, to the bit, and are unpacked once, when a session opens the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from tools.tflite_graph import UnsupportedError

IR_VERSION = 9

_Array = npt.NDArray[Any]
_ONLY_FOR_TRAINING = ("Dropout",)


def convert(content: bytes, rename: Mapping[str, str] | None = None) -> onnx.ModelProto:
    """The ONNX model in ``content`` without blocks; ``rename`` gives inputs and outputs better names.

    Raises `UnsupportedError` where the weights are quantised in a way that is not known here.
    """
    return _Converter(onnx.load_from_string(content), rename or {}).model()


class _Converter:
    def __init__(self, source: onnx.ModelProto, rename: Mapping[str, str]) -> None:
        self.source, self.rename = source, rename
        self.constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in source.graph.initializer}
        self.initializers: dict[str, onnx.TensorProto] = {}
        self.nodes: list[onnx.NodeProto] = []
        self.instead: dict[str, str] = {}

    def model(self) -> onnx.ModelProto:
        """The whole model, checked."""
        graph = self.source.graph
        for node in graph.node:
            self.convert(node)
        # Some list their weights as inputs, too, also those that were quantised since.
        used = {name for node in self.nodes for name in node.input} - self.initializers.keys()
        inputs = [value for value in graph.input if self.rename.get(value.name, value.name) in used]
        made = helper.make_graph(
            self.nodes,
            graph.name or "facelive",
            [self.public(value) for value in inputs],
            [self.public(value) for value in graph.output],
            list(self.initializers.values()),
        )
        model = helper.make_model(made, opset_imports=self.source.opset_import, producer_name="facelive")
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model, full_check=True)
        return model

    def public(self, value: Any) -> Any:
        shape = [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
        return helper.make_tensor_value_info(self.rename.get(value.name, value.name), TensorProto.FLOAT, shape)

    def convert(self, node: onnx.NodeProto) -> None:
        if node.op_type in _ONLY_FOR_TRAINING:
            self.instead[node.output[0]] = node.input[0]
        elif node.op_type == "DequantizeLinear":
            self.dequantize(node)
        elif node.op_type == "PRelu":
            self.prelu(node)
        elif node.op_type != "Constant":  # all that there are belong to Dropout
            kept = onnx.NodeProto()
            kept.CopyFrom(node)
            del kept.input[:], kept.output[:]
            kept.input.extend(self.name(name) for name in node.input)
            kept.output.extend(self.rename.get(name, name) for name in node.output)
            self.nodes.append(kept)

    def name(self, name: str) -> str:
        """What an input of a node is called here; a constant is taken along."""
        while name in self.instead:
            name = self.instead[name]
        if name in self.constants and name not in self.initializers:
            self.constant(name, self.constants[name])
        return self.rename.get(name, name)

    def constant(self, name: str, value: _Array) -> str:
        self.initializers[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def node(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def dequantize(self, node: onnx.NodeProto) -> None:
        """``(values - zero point) * scale``, where each block along the last axis has its own scale."""
        values, scales, zero = (self.constants[name] for name in node.input)
        options = {attribute.name: attribute.i for attribute in node.attribute}
        block = options.get("block_size", 0)
        known = values.dtype == zero.dtype == np.int8 and scales.dtype == np.float32
        if not known or options.get("axis", 1) != values.ndim - 1 or scales.shape[-1] * block != values.shape[-1]:
            raise UnsupportedError(f"weights {node.input[0]} are quantised in a way that this converter does not know")
        name = node.output[0]
        whole = self.cast(name + "_blocks", values.reshape(*scales.shape, block))
        centred = self.node("Sub", [whole, self.cast(name + "_zeros", zero[..., None])], name + "_centred")
        scaled = self.node("Mul", [centred, self.constant(name + "_scales", scales[..., None])], name + "_scaled")
        shape = self.constant(name + "_shape", np.array(values.shape, np.int64))
        self.node("Reshape", [scaled, shape], name)

    def cast(self, name: str, value: _Array) -> str:
        return self.node("Cast", [self.constant(name, value)], name + "_f32", to=TensorProto.FLOAT)

    def prelu(self, node: onnx.NodeProto) -> None:
        """PRelu as relu(x) - a·relu(-x): the same function, faster (see `tools.tflite_onnx`)."""
        slope = self.constants[node.input[1]]
        if slope.ndim != 3 or slope.shape[1:] != (1, 1):
            raise UnsupportedError(f"PRelu with slopes of shape {slope.shape}")
        channels, x, name = len(slope), self.name(node.input[0]), node.output[0]

        def scaled(of: str, factor: _Array, part: str) -> str:
            weights = self.constant(f"{name}_{part}_by", factor.astype(np.float32).reshape(channels, 1, 1, 1))
            return self.node("Conv", [of, weights], f"{name}_{part}", kernel_shape=[1, 1], group=channels)

        negative = self.node("Relu", [scaled(x, np.full(channels, -1.0), "turned")], name + "_below")
        above = self.node("Relu", [x], name + "_above")
        self.node("Add", [above, scaled(negative, -slope, "sloped")], self.rename.get(name, name))
