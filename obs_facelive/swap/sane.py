"""Whether a swapper's work is a face at all: a broken model gives NaN or one colour, and that must not go on air."""

from __future__ import annotations

import numpy as np

from obs_facelive.frame import Layer

_EVERY = 4
"""Pixels between those that are looked at."""
_FLATTEST = 2.0
"""Standard deviation, in levels, that a picture of a face has at least, however dark and hazy the room is."""
_SMALLEST = 64
"""Looked-at pixels that a judgement needs."""


def sane(layer: Layer) -> bool:
    """False for one flat colour, which is also what NaN becomes in 8 bits. A layer that shows nothing is sane."""
    shown = layer.pixels[::_EVERY, ::_EVERY][layer.mask[::_EVERY, ::_EVERY] > 127]
    return len(shown) < _SMALLEST or bool(np.any(shown.std(axis=0, dtype=np.float32) > _FLATTEST))
