"""Which pictures of a persona's bank make up the live expression."""

from __future__ import annotations

import math
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt
from numba import njit

from obs_facelive.frame import Floats
from obs_facelive.landmark import BLENDSHAPES
from obs_facelive.personas.library import LINES_UNIT, Persona

_UPPER = ("brow", "eyeSquint", "eyeWide", "noseSneer")
_LOWER = ("mouth", "jaw", "cheek", "noseSneer")
_SPLIT = (0.42, 0.54)
"""v between which the texture belongs to the upper face (above) and to the lower one."""
_BESIDE_FOLDS = 0.75
"""How deep the bank's lines are where the live face's own folds are added to them."""
QUICK = 0.06
"""Seconds in which the lines follow a change of expression (time constant)."""


@njit(cache=True, nogil=True, fastmath=True)
def _sum(lines: npt.NDArray[np.int8], weights: Floats, share: Floats, unit: float, out: Floats) -> None:
    """Sums up a bank's expression lines as odds gains.

    Parameters
    ----------
    lines : (k, e, e) int8 log-odds in steps of ``unit``
    weights : (2, k) float32, for the upper and the lower face
    share : (e,) float32, how far each row belongs to the upper face
    out : (e, e) float32, written
    """
    count, height, width = lines.shape
    row = np.empty(width, np.float32)
    for y in range(height):
        row[:] = 0
        for k in range(count):
            weight = np.float32((weights[0, k] * share[y] + weights[1, k] * (1 - share[y])) * unit)
            if abs(weight) > np.float32(1e-5):
                for x in range(width):
                    row[x] += weight * lines[k, y, x]
        for x in range(width):
            # exp to the third order: |row| stays below 1.
            r = row[x]
            out[y, x] = np.float32(1) + r * (np.float32(1) + r * (np.float32(0.5) + r * np.float32(1 / 6)))


class ExpressionBank:
    """Finds the mix of the bank's expressions that comes nearest to the live one; upper and lower face apart."""

    def __init__(self, persona: Persona) -> None:
        self._lines = persona.lines
        self._neutral = persona.neutral
        side = persona.lines.shape[1] if len(persona.lines) else 2
        v = (np.arange(side) + 0.5) / side
        self._share = np.clip((_SPLIT[1] - v) / (_SPLIT[1] - _SPLIT[0]), 0, 1).astype(np.float32)
        self._groups = [
            np.array([i for i, name in enumerate(BLENDSHAPES) if name.startswith(group)]) for group in (_UPPER, _LOWER)
        ]
        self._shapes = [(persona.expressions - persona.neutral)[:, group] for group in self._groups]

    def weights(self, change: Floats) -> Floats:
        """(2, k) float32: the bank's weights for the upper and the lower face, for blendshapes ``change`` (52,) from rest."""
        return np.array(
            [
                _non_negative(shapes, np.clip(change[group], 0, 1))
                for shapes, group in zip(self._shapes, self._groups, strict=True)
            ],
            np.float32,
        ).reshape(2, -1)

    def lines(self, weights: Floats, finest: int, folds: Floats | None = None) -> Floats:
        """(e, e) float32 odds gains over the texture, ``e`` at the most ``finest``: the bank's, and the live face's ``folds``.

        ``folds`` (f, f) float32 log-odds, see `obs_facelive.swap.folds`.
        """
        out = np.ones((len(self._share), len(self._share)), np.float32)
        if len(self._lines):
            _sum(self._lines, weights, self._share, LINES_UNIT if folds is None else LINES_UNIT * _BESIDE_FOLDS, out)
        if folds is not None:
            gains = np.asarray(cv2.exp(folds), np.float32)
            if len(out) < len(gains):
                out = np.asarray(cv2.resize(out, gains.shape, interpolation=cv2.INTER_LINEAR), np.float32)
            elif len(out) > len(gains):
                gains = np.asarray(cv2.resize(gains, out.shape, interpolation=cv2.INTER_LINEAR), np.float32)
            out *= gains
        if len(out) > finest:
            out = np.asarray(cv2.resize(out, (finest, finest), interpolation=cv2.INTER_AREA), np.float32)
        return out


_EXPRESSIVE = np.array([name.startswith(("brow", "cheek", "jaw", "mouth", "nose")) for name in BLENDSHAPES])
_RESTLESS = 0.2
"""A weight up to which a resting face can have it."""


def activity(blendshapes: Floats) -> float:
    """How far from rest an expression (52,) is: the sum of the weights that no resting face has."""
    return float(np.clip(blendshapes[_EXPRESSIVE] - _RESTLESS, 0, 1).sum())


_Followed = TypeVar("_Followed", float, Floats)


def follow(old: _Followed, new: _Followed, elapsed: float, quick: float) -> _Followed:
    """``old`` moved towards ``new`` as far as ``elapsed`` seconds bring it with the time constant ``quick``."""
    return old + (new - old) * (1 - math.exp(-max(elapsed, 0.0) / quick))


def _non_negative(shapes: Floats, target: Floats) -> Floats:
    """Weights >= 0 whose mix of ``shapes`` (k, s) is nearest to ``target`` (s,), small and at most 1 together.

    Coordinate descent on least squares with a ridge.
    """
    weights = np.zeros(len(shapes), np.float32)
    if not len(shapes):
        return weights
    return np.asarray(_descend(shapes @ shapes.T, shapes @ target, weights), np.float32)


@njit(cache=True, nogil=True)
def _descend(gram: Floats, right: Floats, weights: Floats) -> Floats:
    ridge = np.float32(0.08)
    for _ in range(24):
        for k in range(len(weights)):
            rest = right[k] - ridge * np.float32(0.5)
            for j in range(len(weights)):
                if j != k:
                    rest -= gram[k, j] * weights[j]
            weights[k] = max(np.float32(0), rest / (gram[k, k] + ridge))
    total = weights.sum()
    if total > 1:
        weights /= total
    return weights
