"""Reading a TFLite file into plain Python: its tensors and its operators in execution order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import tflite

Array: TypeAlias = npt.NDArray[Any]

_ELEMENT = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
    tflite.TensorType.INT64: np.int64,
}


class UnsupportedError(ValueError):
    """The file uses something that this converter does not know."""


@dataclass(frozen=True)
class Tensor:
    """One tensor: ``data`` is its constant value, None where it is computed."""

    name: str
    shape: tuple[int, ...]
    data: Array | None


@dataclass(frozen=True)
class Operator:
    """One operator: ``kind`` as in TFLite's BuiltinOperator, tensors by their index, ``options`` a `tflite` table or None."""

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Any


@dataclass(frozen=True)
class Graph:
    """A TFLite file's one subgraph."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_graph(content: bytes) -> Graph:
    """The graph in a TFLite file's bytes. Raises `UnsupportedError` for what the converter cannot take."""
    if content[4:8] != b"TFL3":
        raise UnsupportedError("not a TFLite file (its identifier TFL3 is missing)")
    model = tflite.Model.GetRootAsModel(content, 0)
    if model.SubgraphsLength() != 1:
        raise UnsupportedError(f"a TFLite file with {model.SubgraphsLength()} subgraphs; only one is understood")
    graph = model.Subgraphs(0)
    return Graph(
        tensors=tuple(_tensor(model, graph.Tensors(i)) for i in range(graph.TensorsLength())),
        operators=tuple(_operator(model, graph.Operators(i)) for i in range(graph.OperatorsLength())),
        inputs=_indices(graph.InputsAsNumpy()),
        outputs=_indices(graph.OutputsAsNumpy()),
    )


def _indices(table: Array) -> tuple[int, ...]:
    return tuple(int(i) for i in table)


def _tensor(model: Any, tensor: Any) -> Tensor:
    name = tensor.Name().decode()
    shape = tuple(int(n) for n in tensor.ShapeAsNumpy()) if tensor.ShapeLength() else ()
    buffer = model.Buffers(tensor.Buffer())
    data = None
    if buffer.DataLength():
        if tensor.Type() not in _ELEMENT or tensor.Sparsity() is not None:
            raise UnsupportedError(f"constant {name}: quantised or sparse weights are not understood")
        data = np.frombuffer(buffer.DataAsNumpy().tobytes(), _ELEMENT[tensor.Type()]).reshape(shape)
    return Tensor(name, shape, data)


def _operator(model: Any, operator: Any) -> Operator:
    code = model.OperatorCodes(operator.OpcodeIndex())
    # Files from before 2020 carry the code in the 8-bit field only; newer ones in either.
    kind = _name(tflite.BuiltinOperator, max(code.BuiltinCode(), code.DeprecatedBuiltinCode()))
    options = None
    if (table := operator.BuiltinOptions()) is not None:
        options = getattr(tflite, _name(tflite.BuiltinOptions, operator.BuiltinOptionsType()))()
        options.Init(table.Bytes, table.Pos)
    return Operator(kind, _indices(operator.InputsAsNumpy()), _indices(operator.OutputsAsNumpy()), options)


def _name(enum: type, value: int) -> str:
    return next(name for name, number in vars(enum).items() if number == value and not name.startswith("_"))
