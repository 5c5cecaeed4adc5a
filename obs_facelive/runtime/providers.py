"""The devices that ONNX Runtime may know: what each is called, what it needs, and what it is told.

Options: https://onnxruntime.ai/docs/execution-providers/.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import onnxruntime as ort

Device: TypeAlias = Literal[
    "auto", "cpu", "cuda", "cuda_graph", "tensorrt", "tensorrt_half", "directml", "coreml", "openvino"
]

DEVICES: Final[dict[Device, str]] = {
    "tensorrt_half": "TensorRT in half precision",
    "tensorrt": "TensorRT",
    "cuda_graph": "CUDA with graphs",
    "cuda": "CUDA",
    "directml": "DirectML",
    "coreml": "CoreML",
    "openvino": "OpenVINO",
    "cpu": "CPU",
}
"""Fastest first, as people call them."""
UNMEASURED: Final[tuple[Device, ...]] = ("cuda", "directml", "coreml", "cpu")
"""Those that may run a network which nobody compared with the CPU: they keep its precision."""
_PROVIDERS: Final[dict[Device, str]] = {
    "tensorrt_half": "TensorrtExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "cuda_graph": "CUDAExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
_NVIDIA: Final = "an NVIDIA graphics card with its driver, on Linux or Windows, and the package onnxruntime-gpu"
NEEDS: Final[dict[Device, str]] = {
    "tensorrt_half": f"{_NVIDIA}, and TensorRT's libraries",
    "tensorrt": f"{_NVIDIA}, and TensorRT's libraries",
    "cuda_graph": _NVIDIA,
    "cuda": _NVIDIA,
    "directml": "Windows and the package onnxruntime-directml",
    "coreml": "macOS",
    "openvino": "a graphics card of Intel's, on Linux or Windows, and the package onnxruntime-openvino",
    "cpu": "nothing but a whole ONNX Runtime",
}
_VARIANTS: Final[dict[Device, Device]] = {"tensorrt": "tensorrt_half", "cuda": "cuda_graph"}
"""Device → the same with what makes it faster where it works and is right: half precision, kernels that are recorded once."""
_NOT_ON: Final[dict[str, tuple[Device, ...]]] = {
    "linux": ("directml", "coreml"),
    "win32": ("coreml",),
    "darwin": ("tensorrt_half", "tensorrt", "cuda_graph", "cuda", "directml", "openvino"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a network runs.

    Attributes
    ----------
    gpu : which graphics card, as its driver counts them, from 0
    memory_mb : how much of the card's memory the network may take, in MB; 0: no limit. CUDA and TensorRT know how to keep to it
    cache : folder for what a provider makes of this one network (TensorRT's engine, CoreML's program); None: not kept
    """

    device: Device = "auto"
    gpu: int = 0
    memory_mb: int = 0
    cache: Path | None = None

    def on(self, device: Device) -> Place:
        """The same, on another device."""
        return replace(self, device=device)

    @classmethod
    def of(cls, where: Device | Place) -> Place:
        """A device alone means its first card, all of it."""
        return where if isinstance(where, Place) else cls(where)


Where: TypeAlias = Device | Place
"""A device, with or without what there is to say about it."""


def available_devices() -> list[Device]:
    """The devices that the installed ONNX Runtime knows, fastest first; whether one works is seen when it opens a model."""
    available = ort.get_available_providers()
    return [device for device, provider in _PROVIDERS.items() if provider in available]


def missing_devices(system: str = sys.platform) -> list[Device]:
    """Those that ``system`` could have and the installed ONNX Runtime lacks."""
    none = (*available_devices(), *_NOT_ON.get(system, ()), *_VARIANTS.values())
    return [device for device in DEVICES if device not in none]


def candidates(device: Device) -> list[Device]:
    """The devices to be compared where somebody chose ``device``."""
    if device == "auto":
        return available_devices()
    return [_VARIANTS[device], device] if device in _VARIANTS else [device]


def provider(device: Device) -> str:
    """As ONNX Runtime calls it."""
    return _PROVIDERS[device]


def providers(place: Place) -> list[tuple[str, dict[str, Any]]]:
    """What ONNX Runtime is asked for: the provider of ``place``, then those that take what it cannot do."""
    cpu: tuple[str, dict[str, Any]] = (_PROVIDERS["cpu"], {})
    card, folder = {"device_id": str(place.gpu)}, str(place.cache) if place.cache else ""
    # Not doubled whenever it grows: OBS draws with the same card.
    cuda: dict[str, Any] = {**card, "arena_extend_strategy": "kSameAsRequested"}
    if place.memory_mb:
        cuda["gpu_mem_limit"] = str(place.memory_mb << 20)
    match place.device:
        case "cuda" | "cuda_graph":
            graph = {"enable_cuda_graph": "1"} if place.device == "cuda_graph" else {}
            return [(_PROVIDERS["cuda"], cuda | graph), cpu]
        case "tensorrt" | "tensorrt_half":
            tensorrt: dict[str, Any] = {**card, "trt_fp16_enable": str(place.device == "tensorrt_half")}
            if folder:
                tensorrt |= {"trt_engine_cache_enable": "True", "trt_engine_cache_path": folder}
                tensorrt |= {"trt_timing_cache_enable": "True", "trt_timing_cache_path": folder}
            if place.memory_mb:
                tensorrt["trt_max_workspace_size"] = str(place.memory_mb << 20)
            return [(_PROVIDERS["tensorrt"], tensorrt), (_PROVIDERS["cuda"], cuda), cpu]
        case "directml":
            return [(_PROVIDERS["directml"], card), cpu]
        case "coreml":
            coreml: dict[str, Any] = {"ModelFormat": "MLProgram", "MLComputeUnits": "ALL"}
            return [(_PROVIDERS["coreml"], coreml | ({"ModelCacheDirectory": folder} if folder else {})), cpu]
        case "openvino":
            openvino: dict[str, Any] = {"device_type": f"GPU.{place.gpu}" if place.gpu else "GPU"}
            return [(_PROVIDERS["openvino"], openvino | ({"cache_dir": folder} if folder else {})), cpu]
    return [cpu]
