"""Writing an ONNX graph layer by layer, its weights random but always the same."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

IR_VERSION = 8
OPSET = 12

Array: TypeAlias = npt.NDArray[Any]
Shape: TypeAlias = tuple[int | str | None, ...]


class Writer:
    """A graph that is being written. Layers take the names of tensors and give the name of what they compute.

    Parameters
    ----------
    title : the graph's name
    seed : of the weights
    """

    def __init__(self, title: str, seed: int) -> None:
        self.title = title
        self.random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, shape: Shape) -> str:
        """A float32 input of the graph."""
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return name

    def output(self, tensor: str, name: str, shape: Shape) -> None:
        """Gives a tensor out of the graph under a name, as float32."""
        self.op("Identity", tensor, name=name)
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def op(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """A node with one output, which is called ``name`` or after the node."""
        title = f"{kind}_{len(self.nodes)}"
        out = name or f"{title}_out"
        self.nodes.append(helper.make_node(kind, list(inputs), [out], title, **attributes))
        return out

    def constant(self, values: Array | float | list[int], name: str = "") -> str:
        """An initializer: floats as float32, a list as int64."""
        array = np.asarray(values, np.int64 if isinstance(values, list) else np.float32)
        name = name or f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def noise(self, shape: tuple[int, ...], deviation: float) -> Array:
        """Normally distributed float32 around 0."""
        return np.asarray(self.random.standard_normal(shape, np.float32) * np.float32(deviation))

    def conv(
        self,
        x: str,
        from_channels: int,
        to_channels: int,
        kernel: int,
        stride: int = 1,
        pad: int = 0,
        gain: float = 1.4,
    ) -> str:
        """A convolution of NCHW whose output deviates about as far as its input where ``gain`` makes up for the activation."""
        deviation = gain / float(np.sqrt(from_channels * kernel * kernel))
        weight = self.constant(self.noise((to_channels, from_channels, kernel, kernel), deviation))
        bias = self.constant(self.noise((to_channels,), 0.02))
        return self.op("Conv", x, weight, bias, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4)

    def mirrored(self, x: str, border: int) -> str:
        """NCHW with a border in which the picture is mirrored."""
        return self.op("Pad", x, self.constant([0, 0, border, border] * 2), mode="reflect")

    def twice(self, x: str) -> str:
        """NCHW at twice its size, linearly."""
        no_region = self.constant(np.zeros(0, np.float32))
        scales = self.constant(np.asarray([1, 1, 2, 2], np.float32))
        return self.op("Resize", x, no_region, scales, mode="linear", coordinate_transformation_mode="half_pixel")

    def dense(self, x: str, from_size: int, to_size: int, gain: float = 1.0, around: Array | None = None) -> str:
        """(1, from_size) to (1, to_size); ``around`` is the bias, (to_size,)."""
        weight = self.constant(self.noise((to_size, from_size), gain / float(np.sqrt(from_size))))
        bias = self.constant(np.zeros(to_size, np.float32) if around is None else around)
        return self.op("Gemm", x, weight, bias, transB=1)

    def mixed(self, x: str, matrix: Array) -> str:
        """NCHW through a matrix of its channels, (to, from)."""
        weight = self.constant(np.asarray(matrix, np.float32)[:, :, None, None])
        return self.op("Conv", x, weight, kernel_shape=[1, 1])

    def model(self) -> onnx.ModelProto:
        """The whole model, checked. (Shapes are not inferred: full-size weights exceed what the checker copies quickly.)"""
        graph = helper.make_graph(self.nodes, self.title, self.inputs, self.outputs, self.weights)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="facelive stand-in"
        )
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model)
        return model


def channels(count: int, width: float) -> int:
    """How many of ``count`` channels are left at ``width`` (1: all), at least 4 and always a multiple of 4."""
    return max(4, round(count * width / 4) * 4)


def oval(size: int) -> Array:
    """What a mask of a face is before its sigmoid: (size, size) float32, high inside of an oval, low at the edges."""
    along = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    distance = np.hypot(along[None, :] / 0.75, along[:, None] / 0.9)
    return np.asarray(12 * (1 - distance), np.float32)


# A skin's red, green and blue become others of the same face, never outside of the range of what came in.
OTHER_COLOURS = np.asarray([[0.55, 0.25, 0.20], [0.10, 0.80, 0.10], [0.05, 0.15, 0.80]], np.float32)
