"""Giving a swapped face more detail than the swapper's network has."""

from __future__ import annotations

from typing import Protocol

from obs_facelive.frame import Pixels


class EnhanceError(Exception):
    """What an enhancer made must not be seen; the text says why, for people."""


class Enhancer(Protocol):
    """A network that makes a better picture of the same face.

    Attributes
    ----------
    size : side of its picture in pixels
    template : where it wants the face, one of `obs_facelive.swap.align.TEMPLATES`
    """

    size: int
    template: str

    def run(self, picture: Pixels, fidelity: float) -> Pixels:
        """The better picture of ``picture``, both (size, size, 3) uint8 BGR.

        ``fidelity`` 0 (as beautiful as it can) to 1 (as like as it can), where the network knows both. Raises `EnhanceError`
        where it gives no picture, and whatever ONNX Runtime raises.
        """
        ...
