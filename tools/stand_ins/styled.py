"""Swappers with one photo: a picture goes down to few, wide cells, takes on the source's style there, and comes up again.

The contracts, inswapper_128 and hyperswap_1a_256, are in their cards and in insightface/model_zoo/inswapper.py.
"""

from __future__ import annotations

import numpy as np
import onnx

from tools.stand_ins.graph import OTHER_COLOURS, Writer, channels, oval

IDENTITY = 512
_EPSILON = 1e-8


def inswapper(width: float = 1.0, size: int = 128) -> onnx.ModelProto:
    """As inswapper_128: target (1, 3, S, S) RGB 0..1 and source (1, 512) to output (1, 3, S, S) RGB 0..1.

    Its last initializer turns an embedding into the source. 138 million parameters at full width.
    """
    writer = Writer("inswapper", 128)
    target = writer.input("target", (1, 3, size, size))
    source = writer.input("source", (1, IDENTITY))
    counts = [channels(count, width) for count in (128, 256, 512, 1024)]
    inner = _down(writer, target, counts, [1, 1, 2, 2])
    for _ in range(6):
        inner = _styled_block(writer, inner, source, counts[-1])
    inner = _up(writer, inner, counts, [1, 1, 2, 2])
    network = writer.op("Sigmoid", writer.conv(writer.mirrored(inner, 3), counts[0], 3, 7, gain=0.7))
    writer.output(_over(writer, target, network), "output", (1, 3, size, size))
    writer.constant(writer.noise((IDENTITY, IDENTITY), 1 / float(np.sqrt(IDENTITY))), "emap")
    return writer.model()


def hyperswap(width: float = 1.0, size: int = 256) -> onnx.ModelProto:
    """As hyperswap_1a_256: source (1, 512) and target (1, 3, S, S) RGB -1..1 to output, the same, and mask (1, 1, S, S) 0..1.

    97 million parameters at full width.
    """
    writer = Writer("hyperswap", 256)
    source = writer.input("source", (1, IDENTITY))
    target = writer.input("target", (1, 3, size, size))
    counts = [channels(count, width) for count in (64, 128, 256, 512, 1024)]
    inner = _down(writer, target, counts, [1, 2, 2, 2, 2])
    for _ in range(4):
        inner = _styled_block(writer, inner, source, counts[-1])
    inner = _up(writer, inner, counts, [1, 2, 2, 2, 2])
    edged = writer.mirrored(inner, 3)
    network = writer.op("Tanh", writer.conv(edged, counts[0], 3, 7, gain=0.7))
    writer.output(_over(writer, target, network), "output", (1, 3, size, size))
    shape = writer.constant(oval(size)[None, None])
    mask = writer.op("Sigmoid", writer.op("Add", writer.conv(edged, counts[0], 1, 7, gain=0.5), shape))
    writer.output(mask, "mask", (1, 1, size, size))
    return writer.model()


def _over(writer: Writer, target: str, network: str) -> str:
    """What a face is with other colours and a quarter of what the network says: within the range of both."""
    kept = writer.mixed(target, OTHER_COLOURS * np.float32(0.75))
    return writer.op("Add", kept, writer.op("Mul", network, writer.constant(0.25)))


def _down(writer: Writer, x: str, counts: list[int], strides: list[int]) -> str:
    x = writer.op("LeakyRelu", writer.conv(writer.mirrored(x, 3), 3, counts[0], 7), alpha=0.2)
    for before, after, stride in zip(counts, counts[1:], strides[1:], strict=False):
        x = writer.op("LeakyRelu", writer.conv(x, before, after, 3, stride, pad=1), alpha=0.2)
    return x


def _up(writer: Writer, x: str, counts: list[int], strides: list[int]) -> str:
    for after, before, stride in reversed(list(zip(counts, counts[1:], strides[1:], strict=False))):
        x = writer.twice(x) if stride == 2 else x
        x = writer.op("LeakyRelu", writer.conv(x, before, after, 3, pad=1), alpha=0.2)
    return x


def _styled_block(writer: Writer, x: str, source: str, count: int) -> str:
    """Two convolutions, each followed by the source's mean and deviation for each channel, beside the way through."""
    inner = x
    for step in range(2):
        inner = writer.conv(writer.mirrored(inner, 1), count, count, 3)
        inner = _style(writer, _normalised(writer, inner), source, count)
        inner = writer.op("Relu", inner) if step == 0 else inner
    return writer.op("Add", x, inner)


def _normalised(writer: Writer, x: str) -> str:
    """Mean 0 and deviation 1 in each channel, in the single steps that PyTorch's exporter makes of it."""
    x = writer.op("Sub", x, writer.op("ReduceMean", x, axes=[2, 3], keepdims=1))
    variance = writer.op("ReduceMean", writer.op("Mul", x, x), axes=[2, 3], keepdims=1)
    deviation = writer.op("Sqrt", writer.op("Add", variance, writer.constant(_EPSILON)))
    return writer.op("Mul", x, writer.op("Div", writer.constant(1.0), deviation))


def _style(writer: Writer, x: str, source: str, count: int) -> str:
    around = np.concatenate([np.ones(count, np.float32), np.zeros(count, np.float32)])
    # A source has length 1, not 512 values of deviation 1.
    both = writer.dense(source, IDENTITY, 2 * count, gain=0.5 * float(np.sqrt(IDENTITY)), around=around)
    both = writer.op("Unsqueeze", writer.op("Unsqueeze", both, axes=[2]), axes=[3])
    axis = writer.constant([1])
    scale, shift = (
        writer.op("Slice", both, writer.constant([start]), writer.constant([start + count]), axis)
        for start in (0, count)
    )
    return writer.op("Add", writer.op("Mul", x, scale), shift)
