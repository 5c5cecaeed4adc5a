"""Opening a model: which provider runs it, and with how many threads."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Literal, TypeAlias

import onnxruntime as ort

from obs_facelive.catalog import ModelError
from obs_facelive.runtime.onnx_file import read_model

Device: TypeAlias = Literal["auto", "cpu", "cuda", "directml", "coreml"]
Session: TypeAlias = Any
"""onnxruntime.InferenceSession (the package carries no types)."""

DEVICES: dict[Device, str] = {"cuda": "CUDA", "directml": "DirectML", "coreml": "CoreML", "cpu": "CPU"}
"""Fastest first, as people call them."""
_PROVIDERS: dict[Device, str] = {
    "cuda": "CUDAExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
_NEEDS: dict[Device, str] = {
    "cuda": "an NVIDIA graphics card with its driver, on Linux or Windows, and the package onnxruntime-gpu",
    "directml": "Windows and the package onnxruntime-directml",
    "coreml": "macOS",
    "cpu": "nothing but a whole ONNX Runtime",
}

log = logging.getLogger(__name__)


def available_devices() -> list[Device]:
    """The devices that the installed ONNX Runtime knows, fastest first; whether one works is seen when it opens a model."""
    available = ort.get_available_providers()
    return [device for device, provider in _PROVIDERS.items() if provider in available]


def open_session(path: Path, device: Device = "auto", threads: int = 1) -> Session:
    """An ONNX Runtime session for the model at ``path``.

    ``device`` "auto" takes the first of CUDA, DirectML, CoreML and CPU that opens the model, and logs which; any other is used
    or refused. ``threads`` is for one operator on the CPU; they sleep between runs, so that OBS keeps its cores.

    Raises `ModelError`, in words for people, where the file is refused (see `read_model`) or no such device opens it.
    """
    content = read_model(path)
    candidates = list(_PROVIDERS) if device == "auto" else [device]
    available = ort.get_available_providers()
    problems: list[str] = []
    for candidate in candidates:
        if _PROVIDERS[candidate] not in available:
            if device != "auto":
                raise ModelError(
                    f"the device '{device}' is not there: it needs {_NEEDS[device]}. Run `python3 install.py` again, or choose "
                    "another device."
                )
            continue
        try:
            session = _open(content, candidate, threads)
        except Exception as error:  # ONNX Runtime has an exception class for each of its status codes
            problems.append(f"{candidate}: {error}")
            continue
        if device == "auto":
            log.info("%s runs on %s%s", path.name, candidate, f" ({'; '.join(problems)})" if problems else "")
        return session
    raise ModelError(f"{path.name} cannot be opened ({'; '.join(problems)})")


def _open(content: bytes, device: Device, threads: int) -> Session:
    ort.disable_telemetry_events()  # Windows: events for Microsoft, on by default
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.load_model_format", "ONNX")  # else the content decides, see `read_model`
    if device == "directml":  # https://onnxruntime.ai/docs/execution-providers/DirectML-ExecutionProvider.html
        options.enable_mem_pattern = False
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    providers = [_PROVIDERS[device]] + (["CPUExecutionProvider"] if device != "cpu" else [])
    session = ort.InferenceSession(content, options, providers=providers)
    if _PROVIDERS[device] not in session.get_providers():
        raise ModelError(f"{_PROVIDERS[device]} did not start; its libraries may be missing")
    return session
