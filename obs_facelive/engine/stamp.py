"""For tests only: proves on the recording that a patch lies on the frame that it was made from."""

from __future__ import annotations

import os
from dataclasses import dataclass

from obs_facelive.frame import Frame, Patch


@dataclass(frozen=True)
class Stamp:
    """Copies a rectangle of the processed frame to another place of it, as a patch of its own.

    Read from the environment variable ``FACELIVE_TEST_STAMP``: ``x,y,width,height,dx,dy`` in pixels.
    """

    x: int
    y: int
    width: int
    height: int
    dx: int
    dy: int

    @classmethod
    def from_environment(cls) -> Stamp | None:
        """The stamp that is asked for, if any. Raises `ValueError` if the variable is not six numbers."""
        text = os.environ.get("FACELIVE_TEST_STAMP")
        if not text:
            return None
        x, y, width, height, dx, dy = (int(n) for n in text.split(","))
        return cls(x, y, width, height, dx, dy)

    def patches(self, frame: Frame) -> list[Patch]:
        """The copy; nothing if the frame is too small for it."""
        to_x, to_y = self.x + self.dx, self.y + self.dy
        if max(self.x, to_x) + self.width > frame.width or max(self.y, to_y) + self.height > frame.height:
            return []
        pixels = frame.pixels[self.y : self.y + self.height, self.x : self.x + self.width].copy()
        return [Patch(to_x, to_y, pixels)]
