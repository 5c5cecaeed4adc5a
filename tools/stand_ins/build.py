"""The stand-ins by the file names of what they stand in for, and writing them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import onnx

from tools.stand_ins.arcface import arcface
from tools.stand_ins.crossface import crossface
from tools.stand_ins.dfm import amp, saehd
from tools.stand_ins.gfpgan import gfpgan
from tools.stand_ins.styled import (
    blendswap,
    cscs,
    ghost,
    hififace,
    hyperswap,
    inswapper,
    simswap_256,
    simswap_512,
    uniface,
)

STAND_INS: dict[str, Callable[[float], onnx.ModelProto]] = {
    "inswapper_128.onnx": inswapper,
    "hyperswap_1a_256.onnx": hyperswap,
    "w600k_r50.onnx": arcface,
    "saehd_224.dfm": saehd,
    "amp_224.dfm": amp,
    "ghost_1_256.onnx": ghost,
    "simswap_256.onnx": simswap_256,
    "simswap_512_unoff.onnx": simswap_512,
    "hififace_unofficial_256.onnx": hififace,
    "blendswap_256.onnx": blendswap,
    "uniface_256.onnx": uniface,
    "cscs_256.onnx": cscs,
    "cscs_arcface_model.onnx": partial(arcface, seed=601, names=("input", "output")),
    "cscs_id_adapter.onnx": partial(arcface, seed=602, names=("input", "output")),
    "crossface_ghost.onnx": partial(crossface, seed=1),
    "crossface_simswap.onnx": partial(crossface, seed=2),
    "crossface_hififace.onnx": partial(crossface, seed=3),
    "GFPGANv1.4.onnx": gfpgan,
}


def build(file: str, width: float = 1.0) -> onnx.ModelProto:
    """The stand-in for a file of `STAND_INS`; ``width``: its channels' share of the original's (1/8: 1/64 of the weights)."""
    return STAND_INS[file](width)


def write(folder: Path, file: str, width: float = 1.0) -> Path:
    """Writes a stand-in into a folder, which is made where it is missing; the file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / file
    path.write_bytes(build(file, width).SerializeToString())
    return path
