"""An enhancer as GFPGAN 1.4: a U-Net whose features steer the decoder of a StyleGAN2 that knows faces.

The structure is that of ``gfpgan/archs/gfpganv1_clean_arch.py`` (512 pixels, 512 style features, channel multiplier 2, SFT on
half of the channels, a style for each layer), whose exports make the modulated convolutions out of single steps.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import onnx

from tools.stand_ins.graph import Writer, channels

SIZE = 512
_STYLE = 512
_COUNTS = {4: 512, 8: 512, 16: 512, 32: 512, 64: 512, 128: 256, 256: 128, 512: 64}
"""Channels of the decoder by the side of its picture; the U-Net has half as many."""
_KEPT = 0.85


def gfpgan(width: float = 1.0, size: int = SIZE) -> onnx.ModelProto:
    """As GFPGAN 1.4: ``input`` (1, 3, S, S) RGB -1..1 to ``output``, the same; ``size`` a power of two from 32 to 512.

    85 million parameters at full width.
    """
    writer = Writer("gfpgan", 14)
    sides = [side for side in _COUNTS if side <= size]
    wide = {side: 2 * channels(_COUNTS[side] // 2, width) for side in sides}
    face = writer.input("input", (1, 3, size, size))
    styles, conditions = _u_net(writer, face, {side: wide[side] // 2 for side in sides}, channels(_STYLE, width))
    network = writer.op("Tanh", _decoder(writer, styles, conditions, wide, channels(_STYLE, width)))
    kept = writer.op("Mul", face, writer.constant(_KEPT))
    writer.output(
        writer.op("Add", kept, writer.op("Mul", network, writer.constant(1 - _KEPT))), "output", (1, 3, size, size)
    )
    return writer.model()


def _u_net(
    writer: Writer, face: str, counts: dict[int, int], style: int
) -> tuple[list[str], dict[int, tuple[str, str]]]:
    """A style for each layer of the decoder, and by side of the picture the scale and shift of half of its channels."""
    sides = list(counts)
    x = _lrelu(writer, writer.conv(face, 3, counts[sides[-1]], 1))
    skips: dict[int, str] = {}
    for side, half in zip(sides[:0:-1], sides[-2::-1], strict=True):
        x = _residual(writer, x, counts[side], counts[half], 0.5)
        skips[half] = x
    x = _lrelu(writer, writer.conv(x, counts[4], counts[4], 3, pad=1))
    flat = writer.op("Flatten", x, axis=1)
    layers = 2 * len(sides)
    all_styles = writer.dense(flat, counts[4] * 16, layers * style)
    axis = writer.constant([1])
    styles = [
        writer.op("Slice", all_styles, writer.constant([n * style]), writer.constant([(n + 1) * style]), axis)
        for n in range(layers)
    ]
    conditions = {}
    for half, side in pairwise(sides):
        x = writer.op("Add", x, skips[half])
        x = _residual(writer, x, counts[half], counts[side], 2.0)
        conditions[side] = _condition(writer, x, counts[side], 1.0), _condition(writer, x, counts[side], 0.0)
    return styles, conditions


def _decoder(
    writer: Writer, styles: list[str], conditions: dict[int, tuple[str, str]], counts: dict[int, int], style: int
) -> str:
    """The picture (1, 3, S, S), unbounded."""
    x = writer.constant(writer.noise((1, counts[4], 4, 4), 1.0))
    x = _styled(writer, x, styles[0], counts[4], counts[4], style, 4)
    picture = _to_rgb(writer, x, styles[1], counts[4], style)
    for n, (before, side) in enumerate(pairwise(counts)):
        x = _styled(writer, writer.twice(x), styles[2 * n + 1], counts[before], counts[side], style, side)
        half, axis = counts[side] // 2, writer.constant([1])
        same = writer.op("Slice", x, writer.constant([0]), writer.constant([half]), axis)
        steered = writer.op("Slice", x, writer.constant([half]), writer.constant([2 * half]), axis)
        scale, shift = conditions[side]
        steered = writer.op("Add", writer.op("Mul", steered, scale), shift)
        x = writer.op("Concat", same, steered, axis=1)
        x = _styled(writer, x, styles[2 * n + 2], counts[side], counts[side], style, side)
        last = styles[2 * n + 3]
        picture = writer.op("Add", writer.twice(picture), _to_rgb(writer, x, last, counts[side], style))
    return picture


def _lrelu(writer: Writer, x: str) -> str:
    return writer.op("LeakyRelu", x, alpha=0.2)


def _scaled(writer: Writer, x: str, times: float) -> str:
    no_region = writer.constant(np.zeros(0, np.float32))
    scales = writer.constant(np.asarray([1, 1, times, times], np.float32))
    return writer.op("Resize", x, no_region, scales, mode="linear", coordinate_transformation_mode="half_pixel")


def _residual(writer: Writer, x: str, before: int, after: int, times: float) -> str:
    """Two convolutions at ``times`` the size beside the way through."""
    inner = _lrelu(writer, writer.conv(x, before, before, 3, pad=1))
    inner = _lrelu(writer, writer.conv(_scaled(writer, inner, times), before, after, 3, pad=1, gain=0.7))
    return writer.op("Add", inner, writer.conv(_scaled(writer, x, times), before, after, 1, gain=0.7))


def _condition(writer: Writer, x: str, count: int, around: float) -> str:
    inner = _lrelu(writer, writer.conv(x, count, count, 3, pad=1))
    inner = writer.conv(inner, count, count, 3, pad=1, gain=0.1)
    return writer.op("Add", inner, writer.constant(around))


def _modulated(
    writer: Writer, x: str, style: str, before: int, after: int, kernel: int, styles: int, demodulate: bool = True
) -> str:
    """A convolution whose weights the style scales channel by channel."""
    scales = writer.dense(style, styles, before, around=np.ones(before, np.float32))
    scales = writer.op("Reshape", scales, writer.constant([1, before, 1, 1]))
    deviation = 1 / float(np.sqrt(before * kernel * kernel))
    weight = writer.constant(writer.noise((after, before, kernel, kernel), deviation))
    weight = writer.op("Mul", weight, scales)
    if demodulate:
        power = writer.op("ReduceSum", writer.op("Mul", weight, weight), axes=[1, 2, 3], keepdims=1)
        length = writer.op("Sqrt", writer.op("Add", power, writer.constant(1e-8)))
        weight = writer.op("Div", weight, length)
    return writer.op("Conv", x, weight, kernel_shape=[kernel] * 2, pads=[kernel // 2] * 4)


def _styled(writer: Writer, x: str, style: str, before: int, after: int, styles: int, side: int) -> str:
    x = _modulated(writer, x, style, before, after, 3, styles)
    noise = writer.op("Mul", writer.constant(writer.noise((1, 1, side, side), 1.0)), writer.constant(0.1))
    x = writer.op("Add", x, noise)
    x = writer.op("Add", x, writer.constant(writer.noise((1, after, 1, 1), 0.02)))
    return writer.op("Mul", _lrelu(writer, x), writer.constant(float(np.sqrt(2))))


def _to_rgb(writer: Writer, x: str, style: str, before: int, styles: int) -> str:
    picture = _modulated(writer, x, style, before, 3, 1, styles, demodulate=False)
    return writer.op("Add", picture, writer.constant(writer.noise((1, 3, 1, 1), 0.02)))
