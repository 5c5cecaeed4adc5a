"""ONNX models with the inputs and outputs that a test asks for. They open, and give ones whatever they get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from obs_facelive.frame import Floats

Shape: TypeAlias = Sequence[int | str | None]


def value(name: str, shape: Shape, dtype: int = TensorProto.FLOAT) -> object:
    return helper.make_tensor_value_info(name, dtype, list(shape))


def tiny_model(
    inputs: Mapping[str, Shape],
    outputs: Mapping[str, Shape],
    last: Floats | None = None,
    dtype: int = TensorProto.FLOAT,
) -> bytes:
    """A model; ``last``: its last weights."""
    nodes, weights = [], []
    for name, shape in outputs.items():
        ones = np.ones([side if isinstance(side, int) else 1 for side in shape], np.float32)
        weights.append(numpy_helper.from_array(ones, f"ones of {name}"))
        nodes.append(helper.make_node("Identity", [f"ones of {name}"], [name]))
    if last is not None:
        weights.append(numpy_helper.from_array(last, "last"))
    graph = helper.make_graph(
        nodes,
        "tiny",
        [value(name, shape, dtype) for name, shape in inputs.items()],
        [value(name, shape) for name, shape in outputs.items()],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


EMAP = np.eye(512, dtype=np.float32)


def inswapper(size: int = 128, emap: Floats | None = EMAP) -> bytes:
    picture = [1, 3, size, size]
    return tiny_model({"target": picture, "source": [1, 512]}, {"output": picture}, emap)


def hyperswap() -> bytes:
    picture = [1, 3, 256, 256]
    return tiny_model({"source": [1, 512], "target": picture}, {"output": picture, "mask": [1, 1, 256, 256]})


def arcface() -> bytes:
    return tiny_model({"input.1": ["None", 3, 112, 112]}, {"683": [1, 512]})


def dfm(side: int = 224, amp: bool = False) -> bytes:
    morph: dict[str, Shape] = {"morph_value:0": [1]} if amp else {}
    outputs = {"out_face_mask:0": 1, "out_celeb_face:0": 3, "out_celeb_face_mask:0": 1}
    return tiny_model(
        {"in_face:0": ["unk", side, side, 3], **morph},
        {name: ["unk", side, side, channels] for name, channels in outputs.items()},
    )


def restorer(size: int = 512, more: int = 0, brighter: float = 0.1) -> bytes:
    """Makes its picture (RGB -1..1) ``brighter``; ``more``: outputs of other shapes that it has in front."""
    picture = [1, 3, size, size]
    nodes = [helper.make_node("Add", ["input", "more light"], ["2359"])]
    inside = [f"inside {number}" for number in range(more)]
    nodes += [helper.make_node("ReduceMean", ["input"], [name], axes=[2, 3]) for name in inside]
    graph = helper.make_graph(
        nodes,
        "restorer",
        [value("input", picture)],
        [*(value(name, [1, 3, 1, 1]) for name in inside), value("2359", picture)],
        [numpy_helper.from_array(np.array(brighter, np.float32), "more light")],
    )
    return bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()
    )


def codeformer(weight: Shape, size: int = 512) -> bytes:
    """Makes its picture (RGB -1..1) brighter by a tenth of its weight, float64 of the shape ``weight``."""
    picture = [1, 3, size, size]
    nodes = [
        helper.make_node("Cast", ["w"], ["as float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["as float", "tenth"], ["more light"]),
        helper.make_node("Add", ["x", "more light"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "codeformer",
        [value("x", picture), value("w", weight, TensorProto.DOUBLE)],
        [value("y", picture)],
        [numpy_helper.from_array(np.array(0.1, np.float32), "tenth")],
    )
    return bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()
    )
