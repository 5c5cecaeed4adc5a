"""Blending a layer into the frame."""

from typing import Protocol

from obs_facelive.frame import Face, Frame, Layer, Patch
from obs_facelive.settings import Settings


class Merger(Protocol):
    """Lays a swapper's layer into the frame so that nobody sees where it begins."""

    def merge(self, frame: Frame, face: Face, layer: Layer, settings: Settings) -> Patch:
        """The finished rectangle; its outermost pixels are the frame's own."""
        ...
