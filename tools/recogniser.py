"""An independent judge of whose face is seen, for tests: face-api's recogniser, which FaceLive itself never uses.

    python -m tools.recogniser A.jpg B.jpg ...      how alike the faces in pictures are

dlib's face recognition network (weights in the public domain), as the npm package ``@vladmandic/face-api`` (MIT) carries it:
the pinned tarball is fetched once, and the network rebuilt as an ONNX file in FaceLive's cache.
"""

from __future__ import annotations

import argparse
import json
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import onnx
import pooch
from onnx import TensorProto, helper, numpy_helper

from obs_facelive.detect import Detector
from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.frame import Floats, Pixels
from obs_facelive.geometry import for_warp, roi_of_detection, roi_of_points, similarity
from obs_facelive.home import Home
from obs_facelive.landmark import Landmarker
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.runtime.session import open_session
from obs_facelive.topology import LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS
from tools.wheels import FetchError, UnavailableError

VERSION = "1.7.15"
_URL = f"https://registry.npmjs.org/@vladmandic/face-api/-/face-api-{VERSION}.tgz"
_SHA256 = "0d77fffeef362ef9c0939cf6c567f3a2e8e177f114fa257a3270cbd2e509b031"
_MODEL = "package/model/face_recognition_model"
SAME_PERSON = 0.93
"""Cosine from which two faces count as one person's. The network's cosines lie close together: over the footage of the tests
(9 clips and 12 portraits of 21 people) all of 1,966 pairs of one person are above it (the least is .935, the median .978), and
.4 % of 11,729 pairs of strangers (the median is .85; the most, .96, are three portraits that look like sisters)."""

_SIDE = 150
_FIVE = (*LEFT_EYE_CORNERS, *RIGHT_EYE_CORNERS, 2)
"""Face Mesh's points for the five that dlib aligns by: the corners of the eyes, and the nose's base."""
_PLACES = np.array(
    [[0.8596, 0.2135], [0.6461, 0.229], [0.1206, 0.2137], [0.3341, 0.2291], [0.4901, 0.6278]], np.float32
)
"""Where they lie in a face's square (get_face_chip_details in dlib/image_transforms/interpolation.h), before its margin."""
_MARGIN = 0.25


class Recogniser:
    """Turns faces into vectors whose angles say how alike they are.

    Parameters
    ----------
    file : see `recogniser_file`
    """

    def __init__(self, file: Path) -> None:
        self._session = open_session(file, "cpu")

    def embed(self, pixels: Pixels, points: Floats) -> Floats:
        """(128,) float32 of length 1: whose face is where ``points`` ((478, 2 or more), Face Mesh) lie in ``pixels``."""
        image = cv2.cvtColor(np.ascontiguousarray(chip(pixels, points)[..., :3]), cv2.COLOR_BGR2RGB)
        (vector,) = self._session.run(["embedding"], {"image": image.transpose(2, 0, 1)[None].astype(np.float32)})
        return np.asarray(vector[0] / np.linalg.norm(vector[0]), np.float32)


def chip(pixels: Pixels, points: Floats) -> Pixels:
    """The upright face as dlib's network wants it: (150, 150, 3 or 4)."""
    target = (_PLACES + _MARGIN) / (1 + 2 * _MARGIN) * _SIDE
    matrix = similarity(points[list(_FIVE), :2], target).astype(np.float32)
    # A large face is cut out larger, and averaged down: a warp alone would skip pixels.
    finer = max(1, round(1 / float(np.hypot(matrix[0, 0], matrix[0, 1]))))
    side = _SIDE * finer
    large = cv2.warpAffine(pixels, for_warp(matrix * np.float32(finer)), (side, side))
    return np.asarray(cv2.resize(large, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def face_points(pixels: Pixels, detector: Detector, landmarker: Landmarker) -> Floats | None:
    """The (478, 3) points of the best face in ``pixels`` ((h, w, 4) or (h, w, 3)); None if none is found."""
    found = detector.detect(pixels)
    if not len(found):
        return None
    first = landmarker.landmarks(pixels, roi_of_detection(found.boxes[0], found.eyes[0]))
    return landmarker.landmarks(pixels, roi_of_points(first.points)).points


def recogniser_file(home: Home) -> Path:
    """The network as an ONNX file in FaceLive's cache, made if it is not there: 22 MB out of a download of 13 MB.

    Raises `UnavailableError` without a connection, `FetchError` where the download is not the pinned one.
    """
    folder = home.root / "cache" / "recogniser"
    file = folder / f"face-api-{VERSION}.onnx"
    if not file.is_file():
        try:
            archive = Path(pooch.retrieve(_URL, f"sha256:{_SHA256}", f"face-api-{VERSION}.tgz", folder))
        except ValueError as error:
            raise FetchError(str(error)) from error
        except OSError as error:
            raise UnavailableError(f"{_URL} cannot be had: {error}") from error
        fresh = file.with_suffix(".new")
        fresh.write_bytes(_Network(_weights(archive)).model())
        fresh.replace(file)
        archive.unlink()
    return file


def _weights(archive: Path) -> dict[str, Floats]:
    """The package's weights by name, as they were before they were packed into bytes."""
    with tarfile.open(archive) as files:
        manifest, packed = (_member(files, f"{_MODEL}{end}") for end in ("-weights_manifest.json", ".bin"))
    weights: dict[str, Floats] = {}
    at = 0
    for entry in json.loads(manifest)[0]["weights"]:
        how, size = entry.get("quantization"), int(np.prod(entry["shape"]))
        values = np.frombuffer(packed, np.uint8 if how else np.float32, size, at)
        at += values.nbytes
        if how:
            values = values.astype(np.float32) * np.float32(how["scale"]) + np.float32(how["min"])
        weights[entry["name"]] = values.reshape(entry["shape"])
    return weights


def _member(files: tarfile.TarFile, name: str) -> bytes:
    file = files.extractfile(name)
    if file is None:
        raise FetchError(f"{name} is not a file in face-api {VERSION}")
    return file.read()


class _Network:
    """dlib's ResNet with 29 layers, by face-api's names (src/faceRecognitionNet/FaceRecognitionNet.ts)."""

    def __init__(self, weights: Mapping[str, Floats]) -> None:
        self._weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def model(self) -> bytes:
        """The ONNX file: "image" (1, 3, 150, 150) float32 RGB 0..255 → "embedding" (1, 128) float32."""
        mean = self._constant(np.array([122.782, 117.001, 104.298], np.float32).reshape(1, 3, 1, 1))
        x = self._add("Div", self._add("Sub", "image", mean), self._constant(np.float32(255)))
        x, side = self._conv(x, "conv32_down", stride=2, padded=False), (_SIDE - 7) // 2 + 1
        x, side = self._add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2]), (side - 3) // 2 + 1
        for block in ("conv32_1", "conv32_2", "conv32_3"):
            x = self._residual(x, block)
        for group, blocks in (("conv64", 3), ("conv128", 2), ("conv256", 2)):
            x, side = self._halved(x, f"{group}_down", side)
            for number in range(1, blocks + 1):
                x = self._residual(x, f"{group}_{number}")
        x, _ = self._halved(x, "conv256_down_out", side)
        x = self._add("Flatten", self._add("GlobalAveragePool", x))
        self._nodes.append(helper.make_node("MatMul", [x, self._constant(self._weights["fc"])], ["embedding"]))
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, _SIDE, _SIDE])
        embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, 128])
        graph = helper.make_graph(self._nodes, "face-api", [image], [embedding], self._constants)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(made)
        return bytes(made.SerializeToString(deterministic=True))

    def _constant(self, values: npt.NDArray[Any] | np.float32) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def _add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{kind}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def _conv(self, x: str, name: str, stride: int = 1, padded: bool = True, relu: bool = True) -> str:
        w = self._weights
        scale = w[f"{name}/scale/weights"]
        kernel = (w[f"{name}/conv/filters"] * scale).transpose(3, 2, 0, 1)
        bias = w[f"{name}/conv/bias"] * scale + w[f"{name}/scale/biases"]
        pads = [kernel.shape[2] // 2 if padded else 0] * 4
        weights = self._constant(np.ascontiguousarray(kernel)), self._constant(bias)
        x = self._add("Conv", x, *weights, strides=[stride] * 2, pads=pads)
        return self._add("Relu", x) if relu else x

    def _residual(self, x: str, name: str) -> str:
        return self._add(
            "Relu", self._add("Add", x, self._conv(self._conv(x, f"{name}/conv1"), f"{name}/conv2", relu=False))
        )

    def _halved(self, x: str, name: str, side: int) -> tuple[str, int]:
        """A residual block that halves the picture; zeros fill what either way lacks in size or channels."""
        pooled_side, conv_side = side // 2, (side - 3) // 2 + 1
        y = self._conv(self._conv(x, f"{name}/conv1", stride=2, padded=False), f"{name}/conv2", relu=False)
        y = self._filled(y, 0, pooled_side - conv_side)
        _, _, channels, more = self._weights[f"{name}/conv1/conv/filters"].shape
        pooled = self._filled(self._add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2]), more - channels, 0)
        return self._add("Relu", self._add("Add", pooled, y)), pooled_side

    def _filled(self, x: str, channels: int, pixels: int) -> str:
        if channels == pixels == 0:
            return x
        return self._add("Pad", x, self._constant(np.array([0, 0, 0, 0, 0, channels, pixels, pixels], np.int64)))


def main() -> int:
    """Prints the cosine of each picture's face with that of every other one."""
    parser = argparse.ArgumentParser(description="How alike the faces in pictures are, as cosines.")
    parser.add_argument("pictures", type=Path, nargs="+")
    options = parser.parse_args()
    home = Home.find()
    try:
        recogniser = Recogniser(recogniser_file(home))
    except FetchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    detector, landmarker = BlazeFace(home.models), FaceMesh(home.models)
    vectors: list[Floats] = []
    for path in options.pictures:
        picture = cv2.imread(str(path))
        points = None if picture is None else face_points(np.asarray(picture, np.uint8), detector, landmarker)
        if picture is None or points is None:
            print(f"error: there is no face in {path}", file=sys.stderr)
            return 1
        vectors.append(recogniser.embed(np.asarray(picture, np.uint8), points))
    for path, vector in zip(options.pictures, vectors, strict=True):
        print(f"{path.name:24}", *(f"{float(vector @ other):6.3f}" for other in vectors))
    return 0


if __name__ == "__main__":
    sys.exit(main())
