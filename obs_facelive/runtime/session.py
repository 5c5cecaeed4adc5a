"""Opening a model: which provider runs it, with how many threads, and what is refused."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Literal, TypeAlias

import onnxruntime as ort

from obs_facelive.catalog import ModelError

Device: TypeAlias = Literal["auto", "cpu", "cuda", "directml", "coreml"]
Session: TypeAlias = Any
"""onnxruntime.InferenceSession (the package carries no types)."""

MAX_BYTES = 2 << 30
"""Protobuf's own limit; a bigger file cannot be an ONNX model without external data."""

_PROVIDERS: dict[Device, str] = {
    "cuda": "CUDAExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
_ADVICE: dict[Device, str] = {
    "cuda": "It needs Linux or Windows, an NVIDIA driver, and onnxruntime-gpu: run `python3 install.py` again.",
    "directml": "It needs Windows and onnxruntime-directml: run `python install.py` again.",
    "coreml": "It needs macOS: run `python3 install.py` again.",
}

log = logging.getLogger(__name__)


def open_session(path: Path, device: Device = "auto", threads: int = 1) -> Session:
    """An ONNX Runtime session for the model at ``path``.

    ``device`` "auto" takes the first of CUDA, DirectML, CoreML, CPU that opens it and logs what it took; any other
    device is used or refused. ``threads`` is for one operator on the CPU; they sleep between runs instead of spinning, so that
    OBS keeps its cores.

    Raises `ModelError`, in words for people, where the file is missing, too big, keeps its weights in other files, is no
    model, or where the device is not there.
    """
    content = read_model(path)
    available = ort.get_available_providers()
    if device == "auto":
        candidates = [d for d, provider in _PROVIDERS.items() if provider in available]
    elif _PROVIDERS[device] in available:
        candidates = [device]
    else:
        raise ModelError(f"the device {device} is not available here. {_ADVICE[device]} Or choose another device.")
    problems: list[str] = []
    for candidate in candidates:
        try:
            session = _open(content, candidate, threads)
        except Exception as error:  # ONNX Runtime raises a class of its own for every status code
            problems.append(f"{candidate}: {error}")
            continue
        if device == "auto":
            log.info("%s runs on %s%s", path.name, candidate, f" ({'; '.join(problems)})" if problems else "")
        return session
    raise ModelError(f"{path.name} cannot be opened ({'; '.join(problems)})")


def read_model(path: Path) -> bytes:
    """The model's bytes, after the checks that must come before ONNX Runtime sees them. Raises `ModelError`."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ModelError(f"{path.name} is {size / 1e9:.1f} GB; models over {MAX_BYTES / 1e9:.1f} GB are refused")
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    # A tensor with external data names its file under the key "location" (onnx.proto, TensorProto.external_data).
    # ONNX Runtime would read any file that such a model names.
    if b"\x0a\x08location\x12" in content:
        raise ModelError(f"{path.name} keeps its weights in another file; models must be one file")
    return content


def _open(content: bytes, device: Device, threads: int) -> Session:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if device == "directml":  # https://onnxruntime.ai/docs/execution-providers/DirectML-ExecutionProvider.html
        options.enable_mem_pattern = False
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    providers = [_PROVIDERS[device]] + (["CPUExecutionProvider"] if device != "cpu" else [])
    session = ort.InferenceSession(content, options, providers=providers)
    if _PROVIDERS[device] not in session.get_providers():
        raise ModelError("the provider did not start")
    return session
