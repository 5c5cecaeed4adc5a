"""Enhancers that are networks which the person brought: GFPGAN, CodeFormer, GPEN, RestoreFormer++."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from obs_facelive.contracts import Matched
from obs_facelive.enhance import EnhanceError
from obs_facelive.frame import Floats, Pixels
from obs_facelive.runtime.session import Session
from obs_facelive.swap.align import as_input, as_picture


class Restorer:
    """A restorer by its contract: an `Enhancer`."""

    def __init__(self, session: Session, matched: Matched) -> None:
        contract = matched.contract
        self.size, self.template = matched.size, contract.template
        self._session, self._contract = session, contract
        self._picture, self._output = matched.names["picture"], matched.names["output"]
        self._weight = matched.names.get("weight")
        # The weight is one number in some files and a row of one in others.
        shapes = {entry.name: entry.shape for entry in session.get_inputs()}
        self._weight_shape = (1,) * len(shapes.get(self._weight, ()))
        self._scale, self._shift = (
            np.asarray(x, np.float32).reshape(-1, 1, 1) for x in (contract.out_std, contract.out_mean)
        )

    def run(self, picture: Pixels, fidelity: float) -> Pixels:
        """See `Enhancer.run`."""
        contract = self._contract
        given: dict[str, npt.NDArray[Any]] = {self._picture: as_input(picture, contract.mean, contract.std)}
        if self._weight:
            kind = contract.inputs["weight"].dtype
            given[self._weight] = np.full(self._weight_shape, fidelity, np.dtype(kind))
        planes: Floats = np.asarray(self._session.run([self._output], given)[0][0], np.float32)
        if not np.isfinite(planes).all():
            raise EnhanceError("the enhancer's picture has holes (NaN): half precision may be too little for it")
        # To the nearest level: what is cut off would darken the face a little.
        return as_picture(planes * self._scale + (self._shift + np.float32(0.5 / 255)))
