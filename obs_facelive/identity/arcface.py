"""ArcFace: the recogniser whose numbers one-photo swappers take for a person. J. Deng et al., arXiv 1801.07698."""

from __future__ import annotations

import numpy as np

from obs_facelive.contracts import Matched
from obs_facelive.frame import Floats, Pixels
from obs_facelive.runtime.session import Session
from obs_facelive.swap.align import as_input, crop, placement


class ArcFace:
    """A file that the person brings: w600k_r50 and its like, by its contract.

    Theirs (insightface/model_zoo/arcface_onnx.py, 2.1): a crop by "arcface_112_v2", RGB, x / 127.5 - 1; 512 numbers out.
    """

    def __init__(self, session: Session, matched: Matched) -> None:
        self._session, self._contract, self.size = session, matched.contract, matched.size
        self._picture, self._embedding = matched.names["picture"], matched.names["embedding"]

    def embed(self, pixels: Pixels, five: Floats) -> Floats:
        """(512,) float32, of any length, of the face with those ``five`` points (`obs_facelive.swap.align`) in ``pixels``."""
        return self.embed_crop(crop(pixels, placement(five, self._contract.template, self.size), self.size))

    def embed_crop(self, picture: Pixels) -> Floats:
        """The same of an aligned (size, size, 3) uint8 BGR crop."""
        given = as_input(picture, self._contract.mean, self._contract.std)
        (found,) = self._session.run([self._embedding], {self._picture: given})
        return np.asarray(found, np.float32).reshape(-1)
