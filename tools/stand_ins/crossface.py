"""Converters as FaceFusion's crossface: a recogniser's numbers for a face become another's."""

from __future__ import annotations

import onnx

from tools.stand_ins.graph import Writer, channels

NUMBERS = 512
_LAYERS = (1024, 2048, 1024)


def crossface(width: float = 1.0, seed: int = 1) -> onnx.ModelProto:
    """``input`` (1, 512) to ``output`` (1, 512), of about the same length. 5 million parameters at full width."""
    writer = Writer("crossface", seed)
    x, before = writer.input("input", (1, NUMBERS)), NUMBERS
    for count in _LAYERS:
        after = channels(count, width)
        x = writer.op("LeakyRelu", writer.dense(x, before, after, gain=1.4), alpha=0.1)
        before = after
    writer.output(writer.dense(x, before, NUMBERS), "output", (1, NUMBERS))
    return writer.model()
