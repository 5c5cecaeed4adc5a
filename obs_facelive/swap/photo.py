"""One-photo swappers: inswapper, hyperswap, ghost and whatever else takes 512 numbers, or a picture, for a person."""

from __future__ import annotations

import numpy as np

from obs_facelive.catalog import ModelError
from obs_facelive.contracts import Matched
from obs_facelive.frame import Floats, Pixels, Plane
from obs_facelive.runtime.session import Session
from obs_facelive.swap.align import as_input, as_picture, crop, placement

EMBEDDING = 512


def latent(embedding: Floats, identity: str, emap: Floats | None = None) -> Floats:
    """(1, 512) float32: what a swapper takes for a person, of a recogniser's ``embedding`` (512,).

    ``identity`` "emap": the unit vector through the matrix that the swapper's file carries, of unit length again
    (insightface/model_zoo/inswapper.py, 2.1); "unit": the unit vector; "raw": as it is.
    """
    if embedding.shape != (EMBEDDING,) or not np.isfinite(embedding).all() or not embedding.any():
        raise ModelError(
            f"the recogniser gives {embedding.shape} numbers that are no face's; choose another recogniser"
        )
    if identity == "raw":
        return np.asarray(embedding[None], np.float32)
    unit = np.asarray(embedding[None] / np.linalg.norm(embedding), np.float32)
    if identity != "emap":
        return unit
    if emap is None or emap.shape != (EMBEDDING, EMBEDDING):
        raise ModelError("the swapper's file lacks the matrix that turns a recogniser's numbers into its own")
    through = unit @ emap
    return np.asarray(through / np.linalg.norm(through), np.float32)


def source_picture(matched: Matched, pixels: Pixels, five: Floats) -> Floats:
    """(1, 3, s, s) float32 RGB 0..1: the face with those ``five`` points as a swapper that looks at the photo itself takes it.

    Of 0..1 also where its target is -1..1 (FaceFusion's prepare_source_frame; BlendSwap, UniFace).
    """
    contract = matched.contract
    size = contract.inputs["source"].side(matched.size)
    return as_input(crop(pixels, placement(five, contract.source_template, size), size), 0, 1)


class PhotoNetwork:
    """A swapper by its contract: a `CropNetwork`.

    Attributes
    ----------
    source : whom it makes, float32: (1, 512), see `latent`, or (1, 3, s, s), see `source_picture`
    """

    def __init__(self, session: Session, matched: Matched, source: Floats) -> None:
        contract = matched.contract
        self.size, self.template = matched.size, contract.template
        self.source = source
        self._session, self._contract = session, contract
        self._target, self._source = matched.names["target"], matched.names["source"]
        self._outputs = [matched.names[role] for role in ("output", "mask") if role in matched.names]
        scale, shift = (np.asarray(x, np.float32).reshape(-1, 1, 1) for x in (contract.out_std, contract.out_mean))
        self._back = None if (scale == 1).all() and (shift == 0).all() else (scale, shift)

    def run(self, picture: Pixels) -> tuple[Pixels, Plane | None]:
        """See `CropNetwork.run`."""
        contract = self._contract
        given = {self._target: as_input(picture, contract.mean, contract.std), self._source: self.source}
        output, *masks = self._session.run(self._outputs, given)
        planes = np.asarray(output[0], np.float32)
        if self._back:
            planes = planes * self._back[0] + self._back[1]
        mask = np.asarray(np.clip(masks[0].reshape(self.size, self.size) * 255, 0, 255), np.uint8) if masks else None
        return as_picture(planes), mask
