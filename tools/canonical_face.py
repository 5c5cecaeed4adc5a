"""MediaPipe's canonical face out of a face landmarker bundle's ``geometry_pipeline_metadata_landmarks.binarypb``.

The message is mediapipe/tasks/cc/vision/face_geometry/proto/geometry_pipeline_metadata.proto:
``GeometryPipelineMetadata{canonical_mesh = 1: Mesh3d{vertex_buffer = 3: float, index_buffer = 4: uint32}, ...}``; a vertex is
x, y, z, u, v.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from obs_facelive.runtime.protobuf import fields, varints


def canonical_face(content: bytes) -> dict[str, npt.NDArray[Any]]:
    """The arrays of ``canonical_face.npz``, as the contract in ``models/face_landmarker.toml`` says."""
    vertices = bytearray()
    indices: list[int] = []
    for field, mesh in fields(memoryview(content)):
        if field != 1 or isinstance(mesh, int):
            continue
        for part, value in fields(mesh):
            if part == 3 and not isinstance(value, int):
                vertices += value
            elif part == 4:
                indices += [value] if isinstance(value, int) else varints(value)
    table = np.frombuffer(vertices, "<f4").reshape(-1, 5)
    return {"xyz": table[:, :3], "uv": table[:, 3:], "triangles": np.array(indices, np.int32).reshape(-1, 3)}
