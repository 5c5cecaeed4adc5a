"""What a model file must pass before ONNX Runtime sees it. Files come from anywhere: the person brings them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from obs_facelive.catalog import ModelError
from obs_facelive.files import read_at_most
from obs_facelive.runtime.protobuf import fields
from obs_facelive.runtime.trouble import NO_ROOM

MAX_BYTES: Final = (2 << 30) - 1
"""Protobuf's own limit: a bigger file cannot hold an ONNX model."""
MAX_FIELDS: Final = 2_000_000
"""Fields that are looked at, about as many as a second has room for; the models that FaceLive knows have some thousands."""

# Which fields of which message lead to tensors (onnx/onnx.proto).
_PATHS: dict[str, dict[int, str]] = {
    "ModelProto": {7: "GraphProto", 20: "TrainingInfoProto", 25: "FunctionProto"},
    "TrainingInfoProto": {1: "GraphProto", 2: "GraphProto"},
    "FunctionProto": {7: "NodeProto", 11: "AttributeProto"},
    "GraphProto": {1: "NodeProto", 5: "TensorProto", 15: "SparseTensorProto"},
    "NodeProto": {5: "AttributeProto"},
    "AttributeProto": {
        **{5: "TensorProto", 10: "TensorProto", 22: "SparseTensorProto", 23: "SparseTensorProto"},
        **{6: "GraphProto", 11: "GraphProto"},
    },
    "SparseTensorProto": {1: "TensorProto", 2: "TensorProto"},
    "TensorProto": {},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14


def read_model(path: Path) -> bytes:
    """The bytes of the ONNX file at ``path``.

    Raises `ModelError`, in words for people, where it cannot be read, is too big, also for this computer's memory, is no ONNX
    file, or keeps weights in other files (ONNX Runtime would read whatever file such a model names).
    """
    try:
        content = read_at_most(path, MAX_BYTES)
    except OSError as error:
        raise ModelError(f"the model {path} cannot be read: {error.strerror}") from error
    except MemoryError as error:
        raise ModelError(f"{path.name}: {NO_ROOM}") from error
    except ValueError as error:
        raise ModelError(f"the model {path.name} is refused: {error}") from error
    if content[4:8] == b"ORTM":
        raise ModelError(
            f"{path.name} is a model in ONNX Runtime's own format; bring the ONNX file that it was made of"
        )
    try:
        external = _external(memoryview(content), "ModelProto", iter(range(MAX_FIELDS)))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path.name} is not an ONNX file, or is cut short ({error})") from error
    if external:
        raise ModelError(f"{path.name} keeps its weights in other files; a model must be one file")
    return content


def _external(message: memoryview, kind: str, budget: Iterator[int]) -> bool:
    paths = _PATHS[kind]
    for field, value in fields(message):
        if next(budget, None) is None:
            raise ValueError(f"it has over {MAX_FIELDS} parts")
        if kind == "TensorProto":
            # An enum has 32 bits, whatever was written.
            if field == _EXTERNAL_DATA or (
                field == _DATA_LOCATION and isinstance(value, int) and value & 0xFFFFFFFF == 1
            ):
                return True
        elif field in paths and isinstance(value, memoryview) and _external(value, paths[field], budget):
            return True
    return False
