"""What DeepFaceLab exports for DeepFaceLive, ``.dfm``: autoencoders whose second half knows one person.

Three outputs in this order: where the live face is, the other's face, where that is. Pictures are NHWC, BGR 0..1.
"""

from __future__ import annotations

import numpy as np
import onnx

from tools.stand_ins.graph import OTHER_COLOURS, Writer, channels, oval

SIZE = 224
_FACE, _FACE_MASK, _CELEB, _CELEB_MASK = "in_face:0", "out_face_mask:0", "out_celeb_face:0", "out_celeb_face_mask:0"


def saehd(width: float = 1.0, size: int = SIZE) -> onnx.ModelProto:
    """As a model of the kind SAEHD (df-ud), ``size`` a multiple of 32: the live face alone goes in. 57 million parameters."""
    writer = Writer("SAEHD", 224)
    face, code = _encoder(writer, width, size)
    count = channels(256, width)
    inner = _upscaled(writer, _spread(writer, code, count, width, size), count, count)
    _decoders(writer, face, (inner, inner), count, width, size)
    return writer.model()


def amp(width: float = 1.0, size: int = SIZE) -> onnx.ModelProto:
    """As a model of the kind AMP: a second input, ``morph_value:0`` (1,) 0..1, is the other's share of the channels between.

    90 million parameters at full width.
    """
    writer = Writer("AMP", 225)
    face, code = _encoder(writer, width, size)
    morph = writer.input("morph_value:0", (1,))
    count = channels(1024, width)
    own, other = (_spread(writer, code, count, width, size) for _ in range(2))
    at = writer.op("Cast", writer.op("Mul", morph, writer.constant(float(count))), to=onnx.TensorProto.INT64)
    start, end, axis = writer.constant([0]), writer.constant([count]), writer.constant([1])
    head = writer.op("Slice", other, start, at, axis)
    morphed = writer.op("Concat", head, writer.op("Slice", own, at, end, axis), axis=1)
    fewer = channels(256, width)
    _decoders(writer, face, tuple(_upscaled(writer, x, count, fewer) for x in (own, morphed)), fewer, width, size)
    return writer.model()


def _encoder(writer: Writer, width: float, size: int) -> tuple[str, str]:
    """The picture as NCHW, and its code of 256 values, their mean square 1."""
    face = writer.op("Transpose", writer.input(_FACE, (None, size, size, 3)), perm=[0, 3, 1, 2])
    x, before = face, 3
    for count in (64, 128, 256, 512):
        after = channels(count, width)
        x = writer.op("LeakyRelu", writer.conv(x, before, after, 5, stride=2, pad=2), alpha=0.1)
        before = after
    cells = before * (size // 16) ** 2
    flat = writer.op("Reshape", x, writer.constant([-1, cells]))
    return face, _pixel_norm(writer, writer.dense(flat, cells, channels(256, width)))


def _pixel_norm(writer: Writer, x: str) -> str:
    power = writer.op("ReduceMean", writer.op("Mul", x, x), axes=[1], keepdims=1)
    return writer.op("Div", x, writer.op("Sqrt", writer.op("Add", power, writer.constant(1e-6))))


def _spread(writer: Writer, code: str, count: int, width: float, size: int) -> str:
    """A code as a picture of 1/32 of the size with ``count`` channels, NCHW."""
    side = size // 32
    x = writer.dense(code, channels(256, width), side * side * count)
    return writer.op("Reshape", x, writer.constant([-1, count, side, side]))


def _upscaled(writer: Writer, x: str, before: int, after: int) -> str:
    x = writer.op("LeakyRelu", writer.conv(x, before, 4 * after, 3, pad=1), alpha=0.1)
    return writer.op("DepthToSpace", x, blocksize=2, mode="DCR")


def _residual(writer: Writer, x: str, count: int) -> str:
    inner = writer.op("LeakyRelu", writer.conv(x, count, count, 3, pad=1), alpha=0.2)
    inner = writer.op("Add", x, writer.conv(inner, count, count, 3, pad=1, gain=0.5))
    return writer.op("LeakyRelu", inner, alpha=0.2)


def _decoders(writer: Writer, face: str, codes: tuple[str, ...], channel_count: int, width: float, size: int) -> None:
    """The three outputs, of the live face's and the other's code (NCHW, 1/16 of the size)."""
    own, other = codes
    own_mask = _mask(writer, own, channel_count, width, size)
    x, before = other, channel_count
    for count in (512, 256, 128):
        after = channels(count, width)
        x = _residual(writer, _upscaled(writer, x, before, after), after)
        before = after
    quarters = writer.op("Concat", *(writer.conv(x, before, 3, 3, pad=1) for _ in range(4)), axis=1)
    network = writer.op("Sigmoid", writer.op("DepthToSpace", quarters, blocksize=2, mode="DCR"))
    other_colours = OTHER_COLOURS[::-1, ::-1] * np.float32(0.75)  # BGR
    picture = writer.op("Add", writer.mixed(face, other_colours), writer.op("Mul", network, writer.constant(0.25)))
    other_mask = _mask(writer, other, channel_count, width, size)
    for tensor, name, count in ((own_mask, _FACE_MASK, 1), (picture, _CELEB, 3), (other_mask, _CELEB_MASK, 1)):
        writer.output(writer.op("Transpose", tensor, perm=[0, 2, 3, 1]), name, (None, size, size, count))


def _mask(writer: Writer, x: str, before: int, width: float, size: int) -> str:
    for count in (176, 88, 44, 22):
        after = channels(count, width)
        x, before = _upscaled(writer, x, before, after), after
    shape = writer.constant(oval(size)[None, None])
    return writer.op("Sigmoid", writer.op("Add", writer.conv(x, before, 1, 1, gain=0.5), shape))
