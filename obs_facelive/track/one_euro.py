"""The One-Euro filter: G. Casiez, N. Roussel, D. Vogel, 1€ Filter, CHI 2012."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Values: TypeAlias = npt.NDArray[np.float64]


class OneEuro:
    """Steadies rows of numbers: calm while they rest, without lag while they move.

    A low-pass whose cut-off grows with the row's speed: ``cutoff = min_cutoff + beta * speed``.

    Parameters
    ----------
    min_cutoff : Hz, of a row at rest; lower is calmer
    beta : Hz per unit and second; higher follows movement more closely
    speed_cutoff : Hz, of the low-pass on the speed itself
    """

    def __init__(self, min_cutoff: float, beta: float, speed_cutoff: float = 1.0) -> None:
        self._min_cutoff = min_cutoff
        self._beta = beta
        self._speed_cutoff = speed_cutoff
        self._value: Values | None = None
        self._velocity: Values | None = None
        self._time = 0.0

    def __call__(self, value: Values, time: float, unit: float = 1.0) -> Values:
        """The filtered ``value`` (rows, k), whose rows are points of k coordinates, at ``time`` in seconds.

        ``unit`` is the length in which speed is measured: a face's size makes near and far faces alike. The first value
        passes as it is; so does one that is not later than the one before.
        """
        elapsed = time - self._time
        self._time = time
        if self._value is None or self._velocity is None or elapsed <= 0:
            self._value, self._velocity = value, np.zeros_like(value)
            return value
        self._velocity = _towards(self._velocity, (value - self._value) / elapsed, self._speed_cutoff, elapsed)
        speed = np.linalg.norm(self._velocity, axis=1, keepdims=True) / unit
        self._value = _towards(self._value, value, self._min_cutoff + self._beta * speed, elapsed)
        return self._value


def _towards(old: Values, new: Values, cutoff: float | Values, elapsed: float) -> Values:
    """First-order low-pass over a step of ``elapsed`` seconds."""
    step = 2 * np.pi * cutoff * elapsed
    return np.asarray(old + (new - old) * (step / (step + 1)), np.float64)
