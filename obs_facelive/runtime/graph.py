"""What an ONNX graph takes and gives, read from its bytes without the package ``onnx``.

Field numbers are those of onnx/onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). A message may be spread
over several fields of one number; protobuf counts them as one, and so do the functions here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from obs_facelive.frame import Floats
from obs_facelive.runtime.protobuf import fields, varints

DTYPES: Final = {
    **{1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string", 9: "bool"},
    **{10: "float16", 11: "float64", 12: "uint32", 13: "uint64", 16: "bfloat16"},
}
"""Numbers of TensorProto.DataType → names; what is not among them is "other"."""
FIRST: Final = 8
"""Nodes in which a network scales its input itself, if it does (insightface/model_zoo/arcface_onnx.py)."""

_Parts: TypeAlias = "list[memoryview]"
_FLOAT32, _FLOAT16 = 1, 10


@dataclass(frozen=True, slots=True)
class Value:
    """An input or an output of a graph.

    Attributes
    ----------
    name : as the graph spells it
    dtype : a value of `DTYPES`, "other" for what is no plain tensor
    shape : one entry a dimension, None where it is free; empty where the graph does not say how many dimensions there are
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """What a graph takes and gives, in its own order.

    Attributes
    ----------
    inputs : without the initializers that it may list there
    first : operators of its first `FIRST` nodes
    """

    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    first: tuple[str, ...] = ()


def read_graph(content: bytes) -> Graph:
    """What is said at the ends of the ONNX model in ``content`` (a ModelProto).

    Raises `ValueError`, in words, where the bytes are malformed or hold no graph.
    """
    inputs: list[Value] = []
    outputs: list[Value] = []
    first: list[str] = []
    weights: set[str] = set()
    for field, value in _fields(_graph(content)):
        if field == 11:
            inputs.append(_value(_message(value)))
        elif field == 12:
            outputs.append(_value(_message(value)))
        elif field == 5:
            weights.add(_text(_last(_only([_message(value)], 8), b"")))
        elif field == 1 and len(first) < FIRST:
            first.append(_text(_last(_only([_message(value)], 4), b"")))
    if not outputs:
        raise ValueError("its graph has no outputs")
    return Graph(tuple(value for value in inputs if value.name not in weights), tuple(outputs), tuple(first))


def last_initializer(content: bytes) -> Floats | None:
    """The weights that stand last in the model in ``content``, float32 in their own shape.

    None where there are none, or they are neither float32 nor float16. Raises `ValueError` where the bytes are malformed.
    """
    tensor = _last(_only(_graph(content), 5), None)
    if tensor is None:
        return None
    dims: list[int] = []
    kind, raw, floats, halves = 0, memoryview(b""), bytearray(), list[int]()
    for field, value in fields(_message(tensor)):
        if field == 1:
            dims += varints(value) if isinstance(value, memoryview) else [value]
        elif field == 2 and isinstance(value, int):
            kind = value
        elif field == 4:
            floats += _message(value)
        elif field == 5 and kind == _FLOAT16:  # float16 may stand in 32-bit numbers
            halves += varints(value) if isinstance(value, memoryview) else [value]
        elif field == 9:
            raw = _message(value)
    if kind == _FLOAT32:
        found = _numbers(raw or floats, "<f4")
    elif kind == _FLOAT16:
        packed = np.asarray([half & 0xFFFF for half in halves], "<u2").tobytes()
        found = _numbers(raw or packed, "<f2")
    else:
        return None
    if math.prod(dims) != found.size:
        raise ValueError(f"its last weights are {found.size} numbers, where their shape {dims} says otherwise")
    return found.reshape(dims)


def free_sizes(content: bytes, side: int) -> dict[str, int]:
    """Name of a free size → what it is, for one picture of ``side`` pixels: 1 where it stands in front of an input, ``side``
    where it is height or width, which are the two that a picture's shape leaves free beside its channels.

    What else is free, has no name, or would be both, is left out. Raises `ValueError` where the bytes are malformed.
    """
    found: dict[str, set[int]] = {}
    for dims in _input_dims(content):
        free = [i for i, (_, size) in enumerate(dims) if size is None and i]
        sizes = {0: 1} | (dict.fromkeys(free, side) if len(dims) == 4 and len(free) == 2 else {})
        for i, (name, size) in enumerate(dims):
            if size is None and name:
                found.setdefault(name, set()).add(sizes.get(i, 0))
    return {name: min(sizes) for name, sizes in found.items() if len(sizes) == 1 and 0 not in sizes}


def _input_dims(content: bytes) -> Iterator[list[tuple[str, int | None]]]:
    """Name and size of each dimension of each input; a fixed one has no name, a free one no size."""
    for entry in _only(_graph(content), 11):
        kinds = [_message(part) for part in _only([_message(entry)], 2)]
        shape = [_message(part) for part in _only((_message(part) for part in _only(kinds, 1)), 2)]
        dims = [_message(part) for part in _only(shape, 1)]
        sizes = [_dim(dim) for dim in dims]
        names = [_text(_last(_only([dim], 2), b"")) for dim in dims]
        yield [("" if size else name, size) for name, size in zip(names, sizes, strict=True)]


def _numbers(content: memoryview | bytearray | bytes, kind: str) -> Floats:
    if len(content) % np.dtype(kind).itemsize:
        raise ValueError("weights are cut within a number")
    return np.frombuffer(content, kind).astype(np.float32)


def _graph(content: bytes) -> _Parts:
    parts = [_message(part) for part in _only([memoryview(content)], 7)]
    if not parts:
        raise ValueError("it has no graph")
    return parts


def _value(message: memoryview) -> Value:
    name = _text(_last(_only([message], 1), b""))
    kinds = [_message(part) for part in _only([message], 2)]
    tensor = [_message(part) for part in _only(kinds, 1)]
    if not tensor:
        return Value(name, "other", ())
    number = _last(_only(tensor, 1), 0)
    shape = [_message(part) for part in _only(tensor, 2)]
    dims = (_dim(_message(part)) for part in _only(shape, 1))
    return Value(name, DTYPES.get(number if isinstance(number, int) else 0, "other"), tuple(dims))


def _dim(message: memoryview) -> int | None:
    """A size, None where it has only a name, or is none (zero, negative: more than 63 bits)."""
    size: int | None = None
    for field, value in fields(message):
        if field == 1 and isinstance(value, int):
            size = value if 0 < value < 1 << 63 else None
        elif field == 2:
            size = None
    return size


def _fields(parts: Iterable[memoryview]) -> Iterator[tuple[int, int | memoryview]]:
    for part in parts:
        yield from fields(part)


def _only(parts: Iterable[memoryview], number: int) -> Iterator[int | memoryview]:
    return (value for field, value in _fields(parts) if field == number)


def _last(values: Iterable[int | memoryview], default: int | bytes | None) -> int | memoryview | bytes | None:
    found: int | memoryview | bytes | None = default
    for value in values:
        found = value
    return found


def _message(value: int | memoryview | bytes) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a protobuf number stands where a message belongs")
    return memoryview(value)


def _text(value: int | memoryview | bytes | None) -> str:
    if value is None or isinstance(value, int):
        raise ValueError("a protobuf number stands where a name belongs")
    return bytes(value).decode("utf-8")
