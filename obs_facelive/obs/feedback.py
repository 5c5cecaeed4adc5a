"""What the engines are told about their pictures' way through OBS: the delay that people see, and whether OBS keeps up."""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from obs_facelive.link import layout as at
from obs_facelive.link.atomic import write_word
from obs_facelive.obs import abi
from obs_facelive.obs import rows as r
from obs_facelive.obs.instances import Instance

WINDOW: Final = 1.0
"""Seconds that OBS's lag is measured over."""


class Lag:
    """The share of OBS's own frames that lagged lately. Pure: counters go in."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int, int]] = deque()

    def share(self, now: float, total: int, lagged: int) -> float:
        """0..1 over about a second. ``total``, ``lagged``: libobs's counters; they begin anew when its video is reset."""
        samples = self._samples
        if samples and total < samples[-1][1]:
            samples.clear()
        samples.append((now, total, lagged))
        while len(samples) > 2 and now - samples[1][0] >= WINDOW:
            samples.popleft()
        frames = total - samples[0][1]
        return min(max((lagged - samples[0][2]) / frames, 0.0), 1.0) if frames else 0.0


class Feedback:
    """Writes two words of each block: `obs_facelive.link.layout.DELAY_US` and ``LAG_PERMILLE``."""

    def __init__(self, libobs: ctypes.CDLL, words: npt.NDArray[np.int64]) -> None:
        self._total, self._lagged = (
            abi.bind(libobs, name) for name in ("obs_get_total_frames", "obs_get_lagged_frames")
        )
        self._words = words
        self._lag = Lag()

    def give(self, instances: Iterable[Instance], now: float) -> None:
        """Looks at OBS and tells every engine; call some times a second."""
        lag = round(1000 * self._lag.share(now, self._total() & 0xFFFFFFFF, self._lagged() & 0xFFFFFFFF))
        for instance in instances:
            if instance.block:
                address = instance.block.memory.address
                write_word(address + 8 * at.DELAY_US, int(self._words[instance.row, r.DELAY_NS]) // 1000)
                write_word(address + 8 * at.LAG_PERMILLE, lag)
