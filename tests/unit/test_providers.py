"""What ONNX Runtime is asked for on each device. None of these can run here: a fake stands where its session is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from obs_facelive.catalog import ModelError
from obs_facelive.runtime import providers
from obs_facelive.runtime.graph import free_sizes
from obs_facelive.runtime.providers import DEVICES, Device, Place, available_devices, candidates, missing_devices
from obs_facelive.runtime.session import open_session
from obs_facelive.runtime.trouble import out_of_memory, short
from tests.unit.tiny_models import arcface, dfm, inswapper, tiny_model

CPU: tuple[str, dict[str, Any]] = ("CPUExecutionProvider", {})


class Asked:
    """Stands where ONNX Runtime's session is made, and keeps what was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.providers: list[tuple[str, dict[str, Any]]] = []
        self.started = True
        all_of_them = [*dict.fromkeys(providers.provider(device) for device in DEVICES)]
        monkeypatch.setattr(ort, "get_available_providers", lambda: all_of_them)
        monkeypatch.setattr(ort, "InferenceSession", self._open)

    def _open(self, content: bytes, options: Any, providers: Any, enable_fallback: int) -> Any:
        assert content and not enable_fallback
        self.providers, asked = providers, self
        self.options = options

        class Session:
            def get_providers(self) -> list[str]:
                return [name for name, _ in asked.providers] if asked.started else [CPU[0]]

        return Session()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    return Asked(monkeypatch)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "swap.onnx"
    path.write_bytes(inswapper(32))
    return path


def test_tensorrt_keeps_its_engine_and_half_precision_is_a_device_of_its_own(asked: Asked, model: Path) -> None:
    cache = model.parent / "devices" / "abc"
    for device, half in (("tensorrt", "False"), ("tensorrt_half", "True")):
        open_session(model, Place(device, 1, 500, cache))  # type: ignore[arg-type]
        (name, options), cuda, last = asked.providers
        assert name == "TensorrtExecutionProvider" and cuda[0] == "CUDAExecutionProvider" and last == CPU
        assert options == {
            "device_id": "1",
            "trt_fp16_enable": half,
            "trt_engine_cache_enable": "True",
            "trt_engine_cache_path": str(cache),
            "trt_timing_cache_enable": "True",
            "trt_timing_cache_path": str(cache),
            "trt_max_workspace_size": str(500 << 20),
        }
        assert cuda[1]["device_id"] == "1" and cache.is_dir()
    assert candidates("tensorrt") == ["tensorrt_half", "tensorrt"] and candidates("directml") == ["directml"]


def test_cuda_keeps_to_its_card_and_its_memory(asked: Asked, model: Path) -> None:
    open_session(model, Place("cuda", 1, 500))
    grows = {"device_id": "1", "arena_extend_strategy": "kSameAsRequested"}
    assert asked.providers == [("CUDAExecutionProvider", {**grows, "gpu_mem_limit": str(500 << 20)}), CPU]
    open_session(model, "cuda_graph")
    assert asked.providers[0][1] == {**grows, "device_id": "0", "enable_cuda_graph": "1"}
    assert candidates("cuda") == ["cuda_graph", "cuda"]
    open_session(model, "cuda")
    assert asked.providers == [("CUDAExecutionProvider", {**grows, "device_id": "0"}), CPU]


@pytest.mark.parametrize(
    ("device", "options"),
    [
        ("directml", {"device_id": "1"}),
        ("openvino", {"device_type": "GPU.1", "cache_dir": "CACHE"}),
        ("coreml", {"ModelFormat": "MLProgram", "MLComputeUnits": "ALL", "ModelCacheDirectory": "CACHE"}),
        ("cpu", {}),
    ],
)
def test_the_others_are_told_what_they_know(asked: Asked, model: Path, device: Device, options: dict[str, str]) -> None:
    cache = model.parent / "cache"
    open_session(model, Place(device, 1, 500, cache))
    told = {name: str(cache) if value == "CACHE" else value for name, value in options.items()}
    assert asked.providers == [(providers.provider(device), told), CPU][: 1 if device == "cpu" else 2]


def test_a_provider_that_did_not_start_is_no_silent_cpu(asked: Asked, model: Path) -> None:
    asked.started = False
    with pytest.raises(ModelError, match="TensorrtExecutionProvider did not start"):
        open_session(model, "tensorrt")


def test_nobody_measured_means_no_half_precision(asked: Asked, model: Path) -> None:
    open_session(model, "auto")
    assert asked.providers[0][0] == "CUDAExecutionProvider"


def test_what_is_missing_is_what_this_system_could_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CUDAExecutionProvider", CPU[0]])
    assert available_devices() == ["cuda_graph", "cuda", "cpu"] == candidates("auto")
    assert missing_devices("linux") == ["tensorrt", "openvino"]
    assert missing_devices("win32") == ["tensorrt", "directml", "openvino"]
    assert missing_devices("darwin") == ["coreml"]


@pytest.mark.parametrize(
    ("words", "memory"),
    [
        ("std::bad_alloc", True),
        ("CUDA failure 2: out of memory ; GPU=0", True),
        ("BFCArena: Failed to allocate memory for requested buffer of size 123", True),
        ("CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED", True),
        ("Invalid dimension", False),
    ],
)
def test_out_of_memory_is_known(words: str, memory: bool) -> None:
    assert out_of_memory(RuntimeError(words)) is memory
    assert ("out of memory" in short(RuntimeError(words))) is memory
    assert out_of_memory(MemoryError()) and "out of memory" in short(MemoryError())


def pads() -> bytes:
    """Reflects its picture's edge by a pad that it works out of the picture's own shape; batch, height and width are free."""
    shape = ["None", 3, "height", "width"]
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "two"], ["side"]),
        helper.make_node("Div", ["side", "four"], ["edge"]),
        helper.make_node("Concat", ["zeros", "edge", "edge", "zeros", "edge", "edge"], ["pads"], axis=0),
        helper.make_node("Pad", ["x", "pads"], ["y"], mode="reflect"),
    ]
    weights = [
        numpy_helper.from_array(np.array(numbers, np.int64), name)
        for name, numbers in (("two", [2]), ("four", [4]), ("zeros", [0, 0]))
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)
        for name, dims in (("x", shape), ("y", ["None", 3, "h", "w"]))
    ]
    graph = helper.make_graph(nodes, "pads", ends[:1], ends[1:], weights)
    opsets = [helper.make_opsetid("", 13)]
    return bytes(helper.make_model(graph, ir_version=8, opset_imports=opsets).SerializeToString())


def test_free_sizes_are_fixed_and_folded_and_the_answer_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pads.onnx"
    path.write_bytes(pads())
    picture = np.random.default_rng(1).random((1, 3, 16, 16), np.float32)
    plain = open_session(path, "cpu")
    (wanted,) = plain.run(None, {"x": picture})
    assert wanted.shape == (1, 3, 24, 24) and plain.get_inputs()[0].shape == ["None", 3, "height", "width"]

    folded = tmp_path / "folded.onnx"
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(folded)
    monkeypatch.setattr(ort, "SessionOptions", lambda: options)
    fixed = open_session(path, "cpu", side=16)
    np.testing.assert_array_equal(fixed.run(None, {"x": picture})[0], wanted)
    import onnx

    assert [node.op_type for node in onnx.load(folded).graph.node] == ["Pad"], "nothing was worked out beforehand"


@pytest.mark.parametrize(
    ("content", "sizes"),
    [
        (inswapper(), {}),
        (arcface(), {"None": 1}),
        (dfm(), {"unk": 1}),
        (pads(), {"None": 1, "height": 16, "width": 16}),
        (tiny_model({"x": ["n", 3, "n", "w"]}, {"y": [1]}), {"w": 16}),
        (tiny_model({"x": ["n", "c", "h", "w"], "e": [1, "d"]}, {"y": [1]}), {"n": 1}),
        (tiny_model({"x": [None, 3, None, None]}, {"y": [1]}), {}),
    ],
)
def test_which_free_sizes_are_known(content: bytes, sizes: dict[str, int]) -> None:
    assert free_sizes(content, 16) == sizes
