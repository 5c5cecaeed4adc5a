"""A large network on the CPU, with less right to it than everything else: OBS, and the frames in between, go first."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from obs_facelive.runtime.session import Session

NICE: Final = 10
"""Added to the niceness of the network's threads: they get about a tenth of a core that others want as well."""


class Background:
    """A session whose threads are nicer than the others, as far as the system has niceness by thread (Linux).

    It is opened and run by a thread of its own, since ONNX Runtime's threads inherit from the one that opens it, and a thread
    that was made nicer cannot go back. Raises what ``opened`` raises.
    """

    def __init__(self, opened: Callable[[], Session]) -> None:
        self._thread = ThreadPoolExecutor(1, "network", initializer=_be_nice)
        self._session = self._thread.submit(opened).result()

    def run(self, outputs: list[str] | None, given: dict[str, Any]) -> Any:
        """As `onnxruntime.InferenceSession.run`."""
        return self._thread.submit(self._session.run, outputs, given).result()

    def get_inputs(self) -> Any:
        """As `onnxruntime.InferenceSession.get_inputs`."""
        return self._session.get_inputs()


def _be_nice() -> None:
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, 0, min(os.getpriority(os.PRIO_PROCESS, 0) + NICE, 19))
