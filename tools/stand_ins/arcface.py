"""A recogniser as w600k_r50: the residual network "IResNet-50" with ArcFace's contract."""

from __future__ import annotations

import numpy as np
import onnx

from tools.stand_ins.graph import Writer, channels

SIZE = 112
_BLOCKS = ((64, 3), (128, 4), (256, 14), (512, 3))
_STRIDES = 16


def arcface(width: float = 1.0, seed: int = 600, names: tuple[str, str] = ("input.1", "683")) -> onnx.ModelProto:
    """As w600k_r50: ``input.1`` (any, 3, 112, 112) RGB -1..1 to ``683`` (any, 512), said to be (1, 512); 44 million parameters.

    Others of its build have other ``names``. No Sub and Mul among the first nodes: insightface takes them for a network that
    scales its input itself.
    """
    writer = Writer("arcface", seed)
    x = writer.input(names[0], (None, 3, SIZE, SIZE))
    before = channels(_BLOCKS[0][0], width)
    x = _prelu(writer, writer.conv(x, 3, before, 3, pad=1), before)
    for count, blocks in _BLOCKS:
        after = channels(count, width)
        for block in range(blocks):
            x = _block(writer, x, before, after, 2 if block == 0 else 1)
            before = after
    x = writer.op("Flatten", _batch_norm(writer, x, before), axis=1)
    cells = before * (SIZE // _STRIDES) ** 2
    x = _batch_norm(writer, writer.dense(x, cells, 512), 512)
    writer.output(x, names[1], (1, 512))
    return writer.model()


def _block(writer: Writer, x: str, before: int, after: int, stride: int) -> str:
    inner = _batch_norm(writer, x, before)
    inner = _prelu(writer, writer.conv(inner, before, after, 3, pad=1), after)
    inner = writer.conv(inner, after, after, 3, stride, pad=1, gain=0.5)
    if stride != 1:
        x = writer.conv(x, before, after, 1, stride, gain=1.0)
    return writer.op("Add", inner, x)


def _prelu(writer: Writer, x: str, count: int) -> str:
    return writer.op("PRelu", x, writer.constant(np.full((count, 1, 1), 0.25, np.float32)))


def _batch_norm(writer: Writer, x: str, count: int) -> str:
    scale, bias, mean, variance = (
        writer.constant(values)
        for values in (
            np.ones(count, np.float32),
            writer.noise((count,), 0.1),
            writer.noise((count,), 0.1),
            np.ones(count, np.float32),
        )
    )
    return writer.op("BatchNormalization", x, scale, bias, mean, variance, epsilon=1e-5)
