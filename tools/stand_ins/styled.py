"""Swappers with one photo: a picture goes down to few, wide cells, takes on the source's style there, and comes up again.

The contracts are in the models' cards, in insightface/model_zoo/inswapper.py, and in FaceFusion's face_swapper and VisoMaster's
face_swappers.py. Only inswapper and hyperswap have the originals' size, too.
"""

from __future__ import annotations

import numpy as np
import onnx

from tools.stand_ins.graph import OTHER_COLOURS, Writer, channels, oval

IDENTITY = 512
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
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


def ghost(width: float = 1.0) -> onnx.ModelProto:
    """As ghost_1_256: target (1, 3, 256, 256) RGB -1..1 and source (1, 512), of any length, to output, and one more tensor."""
    return _plain("ghost", 257, width, 256, signed=True, more=True)


def simswap_256(width: float = 1.0) -> onnx.ModelProto:
    """As simswap_256: target (1, 3, 256, 256) RGB less ImageNet's mean, and source (1, 512), to output, RGB 0..1."""
    return _plain("simswap", 258, width, 256, imagenet=True)


def simswap_512(width: float = 1.0) -> onnx.ModelProto:
    """As VisoMaster's simswap_512_unoff: input (1, 3, 512, 512) RGB 0..1 and onnx::Gemm_1 (1, 512) to output, RGB 0..1."""
    return _plain("simswap", 512, width, 512, names=("input", "onnx::Gemm_1"))


def hififace(width: float = 1.0) -> onnx.ModelProto:
    """As hififace_unofficial_256: target (1, 3, 256, 256) RGB -1..1 and source (1, 512) to output, RGB -1..1."""
    return _plain("hififace", 259, width, 256, signed=True)


def cscs(width: float = 1.0) -> onnx.ModelProto:
    """As cscs_256: input_1 (1, 3, 256, 256) RGB -1..1 and input_2 (1, 512) to output, RGB -1..1."""
    return _plain("cscs", 260, width, 256, signed=True, names=("input_1", "input_2"))


def blendswap(width: float = 1.0) -> onnx.ModelProto:
    """As blendswap_256: target (1, 3, 256, 256) and source, a picture (1, 3, 112, 112), to output, all RGB 0..1."""
    return _plain("blendswap", 261, width, 256, photo=112)


def uniface(width: float = 1.0) -> onnx.ModelProto:
    """As uniface_256: target RGB -1..1 and source, a picture RGB 0..1, to output RGB -1..1, all (1, 3, 256, 256)."""
    return _plain("uniface", 262, width, 256, signed=True, photo=256)


def _plain(
    title: str,
    seed: int,
    width: float,
    size: int,
    signed: bool = False,
    imagenet: bool = False,
    names: tuple[str, str] = ("target", "source"),
    photo: int = 0,
    more: bool = False,
) -> onnx.ModelProto:
    """A swapper without a matrix and a mask.

    ``signed``: pictures are -1..1; ``imagenet``: ImageNet's mean and deviation are taken out of the target; ``photo``: the
    source is a picture with that side; ``more``: gives its code, too.
    """
    writer = Writer(title, seed)
    target = writer.input(names[0], (1, 3, size, size))
    source = writer.input(names[1], (1, 3, photo, photo) if photo else (1, IDENTITY))
    counts = [channels(count, width) for count in (64, 128, 256, 512, 512)]
    person = _looked_at(writer, source, photo, counts) if photo else _unit(writer, source)
    code = _down(writer, target, counts, [1, 2, 2, 2, 2])
    inner = code
    for _ in range(2):
        inner = _styled_block(writer, inner, person, counts[-1])
    inner = _up(writer, inner, counts, [1, 2, 2, 2, 2])
    network = writer.conv(writer.mirrored(inner, 3), counts[0], 3, 7, gain=0.7)
    if imagenet:
        mean, deviation = (np.asarray(each, np.float32)[:, None, None] for each in (IMAGENET_MEAN, IMAGENET_DEVIATION))
        target = writer.op("Mul", target, writer.constant(deviation))
        target = writer.op("Add", target, writer.constant(mean))
    out = _over(writer, target, writer.op("Tanh" if signed else "Sigmoid", network))
    writer.output(out, "output", (1, 3, size, size))
    if more:
        writer.output(code, "onnx::ConvTranspose_239", (1, counts[-1], size // 16, size // 16))
    return writer.model()


def _unit(writer: Writer, source: str) -> str:
    """The source of length 1: a style is not stronger where a recogniser's numbers are larger."""
    power = writer.op("ReduceSum", writer.op("Mul", source, source), axes=[1], keepdims=1)
    return writer.op("Div", source, writer.op("Sqrt", writer.op("Add", power, writer.constant(_EPSILON))))


def _looked_at(writer: Writer, photo: str, size: int, counts: list[int]) -> str:
    """A photo with that side as (1, 512) of length 1."""
    x = _down(writer, photo, counts, [1, 2, 2, 2, 2])
    # A few cells, so that the place of things counts as well as their colour.
    step = max(size // 64, 1)
    cells = counts[-1] * (size // 16 // step) ** 2
    flat = writer.op("Flatten", writer.op("AveragePool", x, kernel_shape=[step] * 2, strides=[step] * 2), axis=1)
    return _unit(writer, writer.dense(flat, cells, IDENTITY))


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
