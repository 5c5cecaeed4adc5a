"""Blending a layer into the frame."""

from __future__ import annotations

from typing import Protocol

from obs_facelive.frame import Face, Frame, Layer, Patch
from obs_facelive.settings import Settings
from obs_facelive.swap.crossfade import Fade


class Merger(Protocol):
    """Lays a swapper's layer into the frame so that nobody sees where it begins."""

    def merge(self, frame: Frame, face: Face, layer: Layer, settings: Settings) -> Patch:
        """The finished rectangle; its outermost pixels are the frame's own."""
        ...

    def follow(self, before: Merger, fade: Fade) -> None:
        """Goes on with what ``before``, which is not used any more, knows of the live faces, and fades from its persona."""
        ...
