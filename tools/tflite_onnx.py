"""Converting TFLite convolution nets (float32 or float16 weights) into ONNX: numpy, onnx and tflite only.

TFLite's pictures are NHWC, ONNX's convolutions want NCHW. Inputs and outputs keep TFLite's layout. In between, a value
lives in the layout that its producer gave it, and is transposed once where a consumer needs the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import tflite
from onnx import TensorProto, helper, numpy_helper

from tools.tflite_graph import Array, Graph, Operator, UnsupportedError

OPSET = 18
IR_VERSION = 9

_TO_CHANNELS_FIRST = (0, 3, 1, 2)
_TO_CHANNELS_LAST = (0, 2, 3, 1)


def convert(graph: Graph, rename: Mapping[str, str] | None = None) -> onnx.ModelProto:
    """An ONNX model that computes what ``graph`` computes.

    ``rename`` gives inputs and outputs better names than the graph's. Raises `UnsupportedError` for operators that are
    not known here.
    """
    return _Converter(graph, rename or {}).model()


@dataclass(frozen=True)
class _Value:
    name: str
    channels_first: bool


class _Converter:
    def __init__(self, graph: Graph, rename: Mapping[str, str]) -> None:
        self.graph = graph
        self.rename = rename
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[tuple[str, tuple[int, ...], bytes], onnx.TensorProto] = {}
        self.constants = {i: tensor.data for i, tensor in enumerate(graph.tensors) if tensor.data is not None}
        self.values = {i: _Value(self.public_name(i), False) for i in graph.inputs}
        self.transposed: dict[str, _Value] = {}

    def model(self) -> onnx.ModelProto:
        for operator in self.graph.operators:
            emit = _EMITTERS.get(operator.kind)
            if emit is None:
                raise UnsupportedError(f"the TFLite operator {operator.kind} is not known to this converter")
            emit(self, operator)
        for i in self.graph.outputs:
            self.nodes.append(helper.make_node("Identity", [self.value(i, False)], [self.public_name(i)]))
        graph = helper.make_graph(
            self.nodes,
            "tflite",
            [self.public_info(i) for i in self.graph.inputs],
            [self.public_info(i) for i in self.graph.outputs],
            list(self.initializers.values()),
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="facelive")
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model, full_check=True)
        return model

    def public_name(self, tensor: int) -> str:
        name = self.graph.tensors[tensor].name
        return self.rename.get(name, name)

    def public_info(self, tensor: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(self.public_name(tensor), TensorProto.FLOAT, self.shape(tensor))

    def shape(self, tensor: int) -> tuple[int, ...]:
        return self.graph.tensors[tensor].shape

    def node(self, op: str, inputs: list[str], **attributes: Any) -> str:
        output = f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def constant(self, array: Array) -> str:
        """The name of a constant; float16 weights are stored as they are (half the size) and cast when a session loads."""
        array = np.ascontiguousarray(array)
        key = (array.dtype.str, array.shape, array.tobytes())
        known = key in self.initializers
        if not known:
            self.initializers[key] = numpy_helper.from_array(array, f"constant_{len(self.initializers)}")
        name = str(self.initializers[key].name)
        if array.dtype != np.float16:
            return name
        if not known:
            self.nodes.append(helper.make_node("Cast", [name], [name + "_f32"], to=TensorProto.FLOAT))
        return name + "_f32"

    def ints(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def parameter(self, tensor: int) -> Array:
        """The value of an input that must be constant."""
        if tensor not in self.constants:
            raise UnsupportedError(f"tensor {self.graph.tensors[tensor].name} must be constant")
        return self.constants[tensor]

    def value(self, tensor: int, channels_first: bool) -> str:
        """The name of ``tensor`` in the wanted layout (which only tensors of rank 4 have)."""
        if tensor in self.constants:
            array = self.constants[tensor]
            if channels_first:
                array = array.reshape((1,) * (4 - array.ndim) + array.shape).transpose(_TO_CHANNELS_FIRST)
            return self.constant(array)
        value = self.values[tensor]
        if value.channels_first == channels_first or len(self.shape(tensor)) != 4:
            return value.name
        if value.name not in self.transposed:
            order = _TO_CHANNELS_FIRST if channels_first else _TO_CHANNELS_LAST
            self.transposed[value.name] = _Value(self.node("Transpose", [value.name], perm=order), channels_first)
        return self.transposed[value.name].name

    def put(self, tensor: int, name: str, channels_first: bool) -> None:
        self.values[tensor] = _Value(name, channels_first)

    def activated(self, name: str, function: int) -> str:
        if function == tflite.ActivationFunctionType.NONE:
            return name
        if function == tflite.ActivationFunctionType.RELU:
            return self.node("Relu", [name])
        raise UnsupportedError(f"fused activation number {function}")

    def pads(self, tensor: int, padding: int, kernel: tuple[int, int], stride: tuple[int, int]) -> list[int]:
        """ONNX's top, left, bottom, right for TFLite's SAME (0) or VALID (1): SAME puts the odd pixel at the end."""
        if padding == tflite.Padding.VALID:
            return [0, 0, 0, 0]
        sizes = self.shape(tensor)[1:3]
        total = [max(0, (-(-n // s) - 1) * s + k - n) for n, k, s in zip(sizes, kernel, stride, strict=True)]
        return [n // 2 for n in total] + [n - n // 2 for n in total]


def _dequantize(to: _Converter, op: Operator) -> None:
    to.constants[op.outputs[0]] = to.parameter(op.inputs[0])


def _convolution(to: _Converter, op: Operator) -> None:
    data, weights, bias = op.inputs
    options, kernel = op.options, to.parameter(weights)
    size = (int(kernel.shape[1]), int(kernel.shape[2]))
    stride = (options.StrideH(), options.StrideW())
    if (options.DilationHFactor(), options.DilationWFactor()) != (1, 1):
        raise UnsupportedError("dilated convolution")
    depthwise = op.kind == "DEPTHWISE_CONV_2D"
    if not depthwise and size == stride == (1, 1) and not to.values[data].channels_first:
        # Between layers that keep the channels last this is a matrix product, and no transposing is needed.
        product = to.node("MatMul", [to.value(data, False), to.constant(kernel[:, 0, 0].T)])
        result, channels_first = to.node("Add", [product, to.constant(to.parameter(bias))]), False
    else:
        result, channels_first = (
            to.node(
                "Conv",
                [
                    to.value(data, True),
                    # TFLite: (1, h, w, channels) for depthwise, else (out, h, w, in).
                    to.constant(kernel.transpose(3, 0, 1, 2) if depthwise else kernel.transpose(0, 3, 1, 2)),
                    to.constant(to.parameter(bias)),
                ],
                kernel_shape=size,
                strides=stride,
                pads=to.pads(data, options.Padding(), size, stride),
                group=to.shape(data)[3] if depthwise else 1,
            ),
            True,
        )
    to.put(op.outputs[0], to.activated(result, options.FusedActivationFunction()), channels_first)


def _prelu(to: _Converter, op: Operator) -> None:
    """PReLU as relu(x) - a·relu(-x), both scalings depthwise 1x1 convolutions.

    Exactly the same function. ONNX Runtime's CPU provider keeps its blocked layout through these nodes but not through
    PRelu, which makes the landmark net more than twice as fast.
    """
    slope = to.parameter(op.inputs[1])
    channels = int(slope.shape[-1])
    if slope.shape != (1, 1, channels):
        raise UnsupportedError(f"PRELU with slopes of shape {slope.shape}")
    x = to.value(op.inputs[0], True)

    def scaled(name: str, factor: Array) -> str:
        weights = to.constant(factor.reshape(channels, 1, 1, 1))
        return to.node("Conv", [name, weights], kernel_shape=[1, 1], group=channels)

    negative = to.node("Relu", [scaled(x, np.full(channels, -1, slope.dtype))])
    to.put(op.outputs[0], to.node("Add", [to.node("Relu", [x]), scaled(negative, -slope)]), True)


def _pad(to: _Converter, op: Operator) -> None:
    amounts = to.parameter(op.inputs[1])
    order = list(_TO_CHANNELS_FIRST)
    begin, end = (amounts[order, side].tolist() for side in (0, 1))
    to.put(op.outputs[0], to.node("Pad", [to.value(op.inputs[0], True), to.ints(*begin, *end)]), True)


def _max_pool(to: _Converter, op: Operator) -> None:
    data, options = op.inputs[0], op.options
    size, stride = (options.FilterHeight(), options.FilterWidth()), (options.StrideH(), options.StrideW())
    pads = to.pads(data, options.Padding(), size, stride)
    pooled = to.node("MaxPool", [to.value(data, True)], kernel_shape=size, strides=stride, pads=pads)
    to.put(op.outputs[0], to.activated(pooled, options.FusedActivationFunction()), True)


def _resize_bilinear(to: _Converter, op: Operator) -> None:
    n, h, w, c = to.shape(op.outputs[0])
    options = op.options
    grid = "align_corners" if options.AlignCorners() else "half_pixel" if options.HalfPixelCenters() else "asymmetric"
    inputs = [to.value(op.inputs[0], True), "", "", to.ints(n, c, h, w)]
    to.put(op.outputs[0], to.node("Resize", inputs, mode="linear", coordinate_transformation_mode=grid), True)


def _elementwise(name: str) -> Callable[[_Converter, Operator], None]:
    def emit(to: _Converter, op: Operator) -> None:
        channels_first = any(i in to.values and to.values[i].channels_first for i in op.inputs)
        result = to.node(name, [to.value(i, channels_first) for i in op.inputs])
        fused = op.options.FusedActivationFunction() if hasattr(op.options, "FusedActivationFunction") else 0
        to.put(op.outputs[0], to.activated(result, fused), channels_first)

    return emit


def _reciprocal_root(to: _Converter, op: Operator) -> None:
    value = to.values[op.inputs[0]]
    to.put(op.outputs[0], to.node("Reciprocal", [to.node("Sqrt", [value.name])]), value.channels_first)


def _squared_difference(to: _Converter, op: Operator) -> None:
    difference = to.node("Sub", [to.value(i, False) for i in op.inputs])
    to.put(op.outputs[0], to.node("Mul", [difference, difference]), False)


def _reduce(name: str) -> Callable[[_Converter, Operator], None]:
    def emit(to: _Converter, op: Operator) -> None:
        data, axes = op.inputs
        inputs = [to.value(data, False), to.ints(*to.parameter(axes).reshape(-1).tolist())]
        to.put(op.outputs[0], to.node(name, inputs, keepdims=int(op.options.KeepDims())), False)

    return emit


def _reshape(to: _Converter, op: Operator) -> None:
    shape = to.ints(*to.shape(op.outputs[0]))
    to.put(op.outputs[0], to.node("Reshape", [to.value(op.inputs[0], False), shape]), False)


def _transpose(to: _Converter, op: Operator) -> None:
    order = to.parameter(op.inputs[1]).tolist()
    to.put(op.outputs[0], to.node("Transpose", [to.value(op.inputs[0], False)], perm=order), False)


def _concatenation(to: _Converter, op: Operator) -> None:
    inputs = [to.value(i, False) for i in op.inputs]
    result = to.node("Concat", inputs, axis=op.options.Axis())
    to.put(op.outputs[0], to.activated(result, op.options.FusedActivationFunction()), False)


def _strided_slice(to: _Converter, op: Operator) -> None:
    data, options = op.inputs[0], op.options
    begin, end, step = (to.parameter(i).tolist() for i in op.inputs[1:])
    if options.EllipsisMask() or options.NewAxisMask():
        raise UnsupportedError("STRIDED_SLICE with an ellipsis or a new axis")
    begin = [0 if options.BeginMask() >> axis & 1 else n for axis, n in enumerate(begin)]
    end = [to.shape(data)[axis] if options.EndMask() >> axis & 1 else n for axis, n in enumerate(end)]
    bounds = [to.ints(*begin), to.ints(*end), to.ints(*range(len(begin))), to.ints(*step)]
    cut = to.node("Slice", [to.value(data, False), *bounds])
    # Axes named by ShrinkAxisMask are gone in the output's shape.
    to.put(op.outputs[0], to.node("Reshape", [cut, to.ints(*to.shape(op.outputs[0]))]), False)


_EMITTERS: dict[str, Callable[[_Converter, Operator], None]] = {
    "ADD": _elementwise("Add"),
    "CONCATENATION": _concatenation,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
    "DEQUANTIZE": _dequantize,
    "DIV": _elementwise("Div"),
    "LOGISTIC": _elementwise("Sigmoid"),
    "MAX_POOL_2D": _max_pool,
    "MEAN": _reduce("ReduceMean"),
    "MUL": _elementwise("Mul"),
    "NEG": _elementwise("Neg"),
    "PAD": _pad,
    "PRELU": _prelu,
    "RELU": _elementwise("Relu"),
    "RESHAPE": _reshape,
    "RESIZE_BILINEAR": _resize_bilinear,
    "RSQRT": _reciprocal_root,
    "SQRT": _elementwise("Sqrt"),
    "SQUARED_DIFFERENCE": _squared_difference,
    "STRIDED_SLICE": _strided_slice,
    "SUB": _elementwise("Sub"),
    "SUM": _reduce("ReduceSum"),
    "TRANSPOSE": _transpose,
}
