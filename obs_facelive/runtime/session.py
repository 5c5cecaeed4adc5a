"""Opening a model: on which device, and with how many threads."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, TypeAlias

import onnxruntime as ort

from obs_facelive.catalog import ModelError
from obs_facelive.runtime.graph import free_sizes
from obs_facelive.runtime.onnx_file import read_model
from obs_facelive.runtime.providers import NEEDS, UNMEASURED, Place, Where, available_devices, provider, providers
from obs_facelive.runtime.trouble import NO_ROOM, out_of_memory, short

Session: TypeAlias = Any
"""onnxruntime.InferenceSession (the package carries no types)."""

log = logging.getLogger(__name__)


def open_session(path: Path, where: Where = "auto", threads: int = 1, side: int = 0) -> Session:
    """An ONNX Runtime session for the model at ``path``.

    ``where`` "auto" takes the first of CUDA, DirectML, CoreML and CPU that opens the model, and logs which; any other is used
    or refused. ``threads`` is for one operator on the CPU; they sleep between runs, so that OBS keeps its cores. ``side``, in
    pixels, is what the model's pictures have: sizes that it leaves free are fixed by it (see
    `obs_facelive.runtime.graph.free_sizes`), so that what depends on them is worked out once. 0: they stay free.

    Raises `ModelError`, in words for people, where the file is refused (see `read_model`), there is not enough memory, or no
    such device opens it.
    """
    place = Place.of(where)
    content = read_model(path)
    try:
        sizes = free_sizes(content, side) if side else {}
    except ValueError as error:
        raise ModelError(f"{path.name} is not an ONNX file, or is cut short ({error})") from error
    available = available_devices()
    problems: list[str] = []
    for candidate in UNMEASURED if place.device == "auto" else (place.device,):
        if candidate not in available:
            if place.device != "auto":
                raise ModelError(
                    f"the device '{candidate}' is not there: it needs {NEEDS[candidate]}. Run `python3 install.py` again, "
                    "or choose another device."
                )
            continue
        try:
            session = _open(content, place.on(candidate), threads, sizes)
        except Exception as error:  # ONNX Runtime has an exception class for each of its status codes
            if candidate == "cpu" and out_of_memory(error):
                raise ModelError(f"{path.name}: {NO_ROOM}") from error
            problems.append(f"{candidate}: {short(error)}")
            continue
        if place.device == "auto":
            log.info("%s runs on %s%s", path.name, candidate, f" ({'; '.join(problems)})" if problems else "")
        return session
    raise ModelError(f"{path.name} cannot be opened ({'; '.join(problems)})")


def _open(content: bytes, place: Place, threads: int, sizes: dict[str, int]) -> Session:
    ort.disable_telemetry_events()  # Windows: events for Microsoft, on by default
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.load_model_format", "ONNX")  # else the content decides, see `read_model`
    for name, size in sizes.items():
        options.add_free_dimension_override_by_name(name, size)
    if place.device == "directml":  # https://onnxruntime.ai/docs/execution-providers/DirectML-ExecutionProvider.html
        options.enable_mem_pattern = False
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    if place.cache:
        place.cache.mkdir(parents=True, exist_ok=True)
    # Without the fallback the reason is told, and nothing is printed.
    session = ort.InferenceSession(content, options, providers=providers(place), enable_fallback=0)
    wanted = provider(place.device)
    if wanted not in session.get_providers():
        raise ModelError(f"{wanted} did not start; its libraries may be missing")
    return session
