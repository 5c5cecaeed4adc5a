"""MediaPipe's canonical face out of a face landmarker bundle's ``geometry_pipeline_metadata_landmarks.binarypb``.

The message is mediapipe/tasks/cc/vision/face_geometry/proto/geometry_pipeline_metadata.proto:
``GeometryPipelineMetadata{canonical_mesh = 1: Mesh3d{vertex_buffer = 3: float, index_buffer = 4: uint32},
...}``; a vertex is x, y, z, u, v.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def canonical_face(content: bytes) -> dict[str, npt.NDArray[Any]]:
    """The arrays of ``canonical_face.npz``, as the contract in ``models/face_landmarker.toml`` says."""
    vertices: list[float] = []
    indices: list[int] = []
    for field, value in _fields(content):
        for part, item in _fields(value) if field == 1 else ():
            if part == 3:
                vertices += struct.unpack(f"<{len(item) // 4}f", item)
            elif part == 4:
                indices += [item] if isinstance(item, int) else _varints(item)
    mesh = np.array(vertices, np.float32).reshape(-1, 5)
    return {
        "xyz": mesh[:, :3],
        "uv": mesh[:, 3:],
        "triangles": np.array(indices, np.int32).reshape(-1, 3),
    }


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Field numbers and values of a protobuf message: int for varints, bytes for everything else."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            size, at = _varint(message, at)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"protobuf wire type {kind}")
        yield key >> 3, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def _varints(packed: bytes) -> list[int]:
    values: list[int] = []
    at = 0
    while at < len(packed):
        value, at = _varint(packed, at)
        values.append(value)
    return values
