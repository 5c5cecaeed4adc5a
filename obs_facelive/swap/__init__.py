"""Making the persona's face."""

from typing import Protocol

from obs_facelive.frame import Face, Frame, Layer
from obs_facelive.settings import Settings


class Swapper(Protocol):
    """Makes a picture of the persona with the live face's pose, expression and place."""

    def swap(self, frame: Frame, face: Face, settings: Settings) -> Layer:
        """The persona in place of ``face``. A swapper is made for one persona."""
        ...
