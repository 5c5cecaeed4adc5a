"""The converter against TFLite's own interpreter, on pictures of real faces."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
import pytest

from obs_facelive.catalog import Model, Source, load_catalog
from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.detect.common import letterbox
from obs_facelive.frame import Floats, Pixels
from obs_facelive.geometry import for_warp, roi_of_detection, roi_to_crop
from obs_facelive.landmark.facemesh import BLENDSHAPE_POINTS, FaceMesh
from tests.conftest import CLIPS, ReadFrames
from tools.tflite_graph import Operator, UnsupportedError, read_graph
from tools.tflite_onnx import convert
from tools.wheels import fetch_wheel, read_member

Tflite = Callable[[str], bytes]


@pytest.fixture(scope="module")
def tflite(tmp_path_factory: pytest.TempPathFactory) -> Tflite:
    """The TFLite file that a built model is made of."""
    wheels = tmp_path_factory.mktemp("wheels")

    def content(file: str) -> bytes:
        source, model = _find(file)
        wheel = fetch_wheel(source.package, source.version, source.wheel_sha256, wheels)
        member = read_member(wheel, source.member, source.member_sha256)
        return zipfile.ZipFile(io.BytesIO(member)).read(model.part) if model.part else member

    return content


def _find(file: str) -> tuple[Source, Model]:
    return next((source, model) for source in load_catalog() for model in source.models if model.file == file)


@pytest.fixture(scope="module")
def pictures(portraits: dict[str, Pixels], frames: ReadFrames) -> list[Pixels]:
    clips = [picture[..., :3] for clip in CLIPS for picture in frames(clip, 2, start=5, step=20)]
    return [*portraits.values(), *clips]


def _compare(content: bytes, inputs: list[Floats], limits: dict[str, float]) -> None:
    interpreter = pytest.importorskip(
        "ai_edge_litert.interpreter", reason="ai-edge-litert has no wheel for this Python"
    )
    original = interpreter.Interpreter(model_content=content, num_threads=1)
    original.allocate_tensors()
    session = ort.InferenceSession(convert(read_graph(content)).SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    assert set(limits) <= set(names)
    for array in inputs:
        original.set_tensor(original.get_input_details()[0]["index"], array)
        original.invoke()
        expected = {detail["name"]: original.get_tensor(detail["index"]) for detail in original.get_output_details()}
        for name, found in zip(names, session.run(None, {session.get_inputs()[0].name: array}), strict=True):
            assert found.shape == expected[name].shape
            if name in limits:
                assert np.abs(found - expected[name]).max() < limits[name], name


def test_detector(tflite: Tflite, pictures: list[Pixels]) -> None:
    inputs = []
    for picture in pictures:
        square, _, _ = letterbox(picture, 192)
        inputs.append(cv2.cvtColor(square, cv2.COLOR_BGR2RGB).astype(np.float32)[None] / 127.5 - 1)
    limits = {"reshaped_regressor_face_4": 1e-3, "reshaped_classifier_face_4": 1e-3}
    _compare(tflite("face_detection_full_range.onnx"), inputs, limits)


def test_landmarks(tflite: Tflite, pictures: list[Pixels], models: Path) -> None:
    detector = BlazeFace(models)
    inputs = []
    for picture in pictures:
        found = detector.detect(picture)
        matrix = for_warp(roi_to_crop(roi_of_detection(found.boxes[0], found.eyes[0]), 256))
        inputs.append(
            cv2.cvtColor(cv2.warpAffine(picture, matrix, (256, 256)), cv2.COLOR_BGR2RGB)[None] / np.float32(255)
        )
    # In pixels of the 256-pixel crop, and before the sigmoid.
    _compare(tflite("face_landmarks_v2_478.onnx"), inputs, {"Identity": 3e-3, "Identity_1": 1e-3})


def test_blendshapes(tflite: Tflite, pictures: list[Pixels], models: Path) -> None:
    detector, landmarker = BlazeFace(models), FaceMesh(models)
    inputs = []
    for picture in pictures:
        found = detector.detect(picture)
        points = landmarker.landmarks(picture, roi_of_detection(found.boxes[0], found.eyes[0])).points
        inputs.append(np.ascontiguousarray(points[None, BLENDSHAPE_POINTS, :2]))
    _compare(tflite("face_blendshapes_v2.onnx"), inputs, {"StatefulPartitionedCall:0": 1e-4})


def test_renamed_and_half_the_size(tflite: Tflite) -> None:
    content = tflite("face_landmarks_v2_478.onnx")
    model = convert(read_graph(content), {"input_12": "image", "Identity": "landmarks"})
    assert [i.name for i in model.graph.input] == ["image"]
    assert [o.name for o in model.graph.output] == ["landmarks", "Identity_1", "Identity_2"]
    # Weights stay float16, as in the source.
    assert model.ByteSize() < 1.05 * len(content)


def test_what_it_does_not_know_is_refused(tflite: Tflite) -> None:
    with pytest.raises(UnsupportedError, match="not a TFLite file"):
        read_graph(b"\x00" * 64)
    graph = read_graph(tflite("face_blendshapes_v2.onnx"))
    odd = replace(graph, operators=(Operator("LSTM", graph.inputs, graph.outputs, None), *graph.operators))
    with pytest.raises(UnsupportedError, match="LSTM"):
        convert(odd)
