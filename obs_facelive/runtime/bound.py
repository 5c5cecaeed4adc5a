"""A session that keeps the memory of what it takes and gives, as CUDA's graphs want it: the same addresses at every run."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from obs_facelive.catalog import ModelError
from obs_facelive.runtime.session import Session

DTYPES: Final[dict[str, type[np.generic]]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
}


class Bound:
    """``session``, bound once. Safe to use from several threads.

    Parameters
    ----------
    session : all of its sizes are fixed; raises `ModelError` otherwise
    memory : where its inputs and outputs are: a graphics card's memory, or the computer's
    gpu : which card
    """

    def __init__(self, session: Session, memory: Literal["cuda", "cpu"] = "cuda", gpu: int = 0) -> None:
        self._session, self._lock = session, threading.Lock()
        self._binding = session.io_binding()
        self._inputs: dict[str, Any] = {}
        self._outputs: dict[str, Any] = {}
        for entry in session.get_inputs():
            shape, kind = _fixed(entry)
            value = ort.OrtValue.ortvalue_from_numpy(np.zeros(shape, kind), memory, gpu)
            self._binding.bind_ortvalue_input(entry.name, value)
            self._inputs[entry.name] = value
        for entry in session.get_outputs():
            value = ort.OrtValue.ortvalue_from_shape_and_type(*_fixed(entry), memory, gpu)
            self._binding.bind_ortvalue_output(entry.name, value)
            self._outputs[entry.name] = value

    def run(self, outputs: list[str] | None, given: Mapping[str, npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        """As `onnxruntime.InferenceSession.run`."""
        with self._lock:
            for name, array in given.items():
                self._inputs[name].update_inplace(np.ascontiguousarray(array))
            self._session.run_with_iobinding(self._binding)
            return [np.array(self._outputs[name].numpy()) for name in outputs or self._outputs]

    def get_inputs(self) -> Any:
        """As `onnxruntime.InferenceSession.get_inputs`."""
        return self._session.get_inputs()

    def get_outputs(self) -> Any:
        """As `onnxruntime.InferenceSession.get_outputs`."""
        return self._session.get_outputs()


def _fixed(entry: Any) -> tuple[list[int], type[np.generic]]:
    """Sizes and kind of numbers of an input or output."""
    if not all(isinstance(size, int) for size in entry.shape) or entry.type not in DTYPES:
        raise ModelError(f"{entry.name} has sizes that are not fixed, or numbers of another kind")
    return list(entry.shape), DTYPES[entry.type]
