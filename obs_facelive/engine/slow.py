"""For tests and benchmarks only: a swapper that is as slow as a neural one on a weak machine."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from obs_facelive.frame import Face, Frame, Layer
from obs_facelive.settings import Settings
from obs_facelive.swap import Swapper


@dataclass(frozen=True)
class Slow:
    """How slow; may be changed while it runs.

    Read from the environment variable ``FACELIVE_TEST_SLOW_SWAP``: a file that holds milliseconds a swap. No file: not slow.
    """

    file: Path

    @classmethod
    def from_environment(cls) -> Slow | None:
        """What is asked for, if anything."""
        text = os.environ.get("FACELIVE_TEST_SLOW_SWAP")
        return cls(Path(text)) if text else None

    def seconds(self) -> float:
        """That a swap takes at least."""
        try:
            return float(self.file.read_text()) / 1e3
        except (OSError, ValueError):
            return 0.0


class SlowSwapper:
    """A real swapper that keeps a core busy, without the GIL, for as long as `Slow` says."""

    def __init__(self, swapper: Swapper, slow: Slow) -> None:
        self._swapper, self._slow = swapper, slow
        self._work = np.zeros((256, 256), np.uint8)

    def swap(self, frame: Frame, face: Face, settings: Settings) -> Layer:
        """What the real one makes, late."""
        end = time.monotonic() + self._slow.seconds()
        layer = self._swapper.swap(frame, face, settings)
        while time.monotonic() < end:
            cv2.GaussianBlur(self._work, (0, 0), 4.0)
        return layer
