"""What a model file must pass before ONNX Runtime sees it. Files come from anywhere: the person brings them."""

from __future__ import annotations

from pathlib import Path

from obs_facelive.catalog import ModelError
from obs_facelive.runtime.protobuf import fields

MAX_BYTES = 2 << 30
"""Protobuf's own limit: a bigger file cannot hold an ONNX model."""

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
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14


def read_model(path: Path) -> bytes:
    """The bytes of the ONNX file at ``path``.

    Raises `ModelError`, in words for people, where it cannot be read, is too big, is no ONNX file, or keeps weights in other
    files (ONNX Runtime would read whatever file such a model names).
    """
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            raise ModelError(
                f"{path.name} is {size / 1e9:.1f} GB; model files over {MAX_BYTES / 1e9:.1f} GB are refused"
            )
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"the model {path} cannot be read: {error.strerror}") from error
    try:
        external = _external(memoryview(content), "ModelProto")
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path.name} is not an ONNX file, or is cut short ({error})") from error
    if external:
        raise ModelError(f"{path.name} keeps its weights in other files; a model must be one file")
    return content


def _external(message: memoryview, kind: str) -> bool:
    if kind == "TensorProto":
        return any(field == _EXTERNAL_DATA or (field, value) == (_DATA_LOCATION, 1) for field, value in fields(message))
    paths = _PATHS[kind]
    return any(
        _external(value, paths[field])
        for field, value in fields(message)
        if field in paths and isinstance(value, memoryview)
    )
