"""What a filter did lately, sampled: how late its pictures are, and how often a frame is drawn and worked on."""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from obs_facelive.obs import rows as r


class Lately:
    """Samples of one row's counters."""

    def __init__(self) -> None:
        self._delays: deque[float] = deque(maxlen=600)
        self._shown_at = -1
        self._counts: deque[tuple[int, int, int]] = deque(maxlen=60)

    def sample(self, row: npt.NDArray[np.int64]) -> None:
        """Looks at a row; call some times a second."""
        if row[r.SHOWN_AT] != self._shown_at and row[r.DELAY_NS]:
            self._shown_at = int(row[r.SHOWN_AT])
            self._delays.append(row[r.DELAY_NS] / 1e6)
        self._counts.append((int(row[r.TICKS]), int(row[r.RENDERS]), int(row[r.CAPTURES])))

    def delay(self, q: float) -> float:
        """Added delay, from the capture of a frame until its finished picture is there: a percentile in milliseconds.

        0.0 before the first sample.
        """
        return round(float(np.percentile(self._delays, q)), 1) if self._delays else 0.0

    def a_frame(self) -> tuple[float, float]:
        """How often one frame of OBS is drawn (preview, program, projectors, virtual camera each do), and how often captured.

        The second is the work; it is 1 where the filter is seen at all, however often that is. Zeros before there was a frame.
        """
        if not self._counts:
            return 0.0, 0.0
        (ticks, renders, captures), (to_ticks, to_renders, to_captures) = self._counts[0], self._counts[-1]
        frames = max(1, to_ticks - ticks)
        return round((to_renders - renders) / frames, 2), round((to_captures - captures) / frames, 2)
