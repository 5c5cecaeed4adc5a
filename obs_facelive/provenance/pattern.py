"""The invisible mark's patterns: one for each bit, noise of medium fineness that hardly resembles any other.

A spread spectrum mark (I. Cox et al., Secure spread spectrum watermarking for multimedia, IEEE Trans. Image Processing 1997):
each bit adds or takes away its own pattern, and the reader asks how much a picture resembles their sum.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from obs_facelive.frame import Floats
from obs_facelive.provenance.chart import SPAN
from obs_facelive.provenance.payload import BITS, VERSION, payload, signs

SIZE = 256
"""Pixels of a side of the chart that patterns are made for."""
LOWEST, HIGHEST = 7.0, 30.0
"""Waves in a face's width. Coarser ones drown in the face itself; finer ones need a better aim than landmarks allow."""
_EDGE = 1.5


def band() -> Floats:
    """(SIZE, SIZE) float32, 0..1: how much of each frequency of `numpy.fft.fft2` the patterns have."""
    waves = np.fft.fftfreq(SIZE) * SIZE / SPAN
    radius = np.hypot(*np.meshgrid(waves, waves))
    rise = np.clip((radius - LOWEST) / _EDGE + 0.5, 0, 1)
    return np.asarray(rise * np.clip((HIGHEST - radius) / _EDGE + 0.5, 0, 1), np.float32)


def window() -> Floats:
    """(SIZE, SIZE) float32, 0..1: how much of the pattern is written at each place: a disc with a soft edge."""
    at = (np.arange(SIZE) + 0.5) / SIZE * 2 - 1
    return np.clip((1 - np.hypot(*np.meshgrid(at, at))) / 0.15, 0, 1).astype(np.float32)


def patterns(version: int = VERSION) -> Floats:
    """(32, SIZE, SIZE) float32: one for each bit, of mean 0 and standard deviation 1. The same for ever, on every machine."""
    return np.stack([_banded(_coins(version, bit)) for bit in range(BITS)])


def whole_pattern() -> Floats:
    """(SIZE, SIZE) float32: the sum of all bits' patterns with the signs of `payload`, of standard deviation 1."""
    each = zip(signs(payload()), range(BITS), strict=True)
    return _banded(np.sum([sign * _coins(VERSION, bit) for sign, bit in each], axis=0))


def _banded(noise: npt.NDArray[np.float64]) -> Floats:
    field = np.real(np.fft.ifft2(np.fft.fft2(noise) * band()))
    return np.asarray(field / field.std(), np.float32)


def _coins(version: int, bit: int) -> npt.NDArray[np.float64]:
    """(SIZE, SIZE) of 1 and -1: NumPy's own random numbers may change from one version to the next."""
    seed = f"FaceLive invisible mark {version}, bit {bit}"
    content = hashlib.shake_256(seed.encode()).digest(SIZE * SIZE // 8)
    return np.unpackbits(np.frombuffer(content, np.uint8)).reshape(SIZE, SIZE).astype(np.float64) * 2 - 1
