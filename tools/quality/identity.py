"""Identity: whose face the output shows, to a recogniser that the swapper does not know."""

from __future__ import annotations

import numpy as np

from obs_facelive.frame import Floats


def margins(worn: Floats, persona: Floats, live: Floats) -> Floats:
    """(n,) float32: by how much each output is more like the persona than like the live person, as cosines.

    Parameters
    ----------
    worn, live : (n, 128) float32 of length 1, see `tools.recogniser.Recogniser.embed`; the output, the same raw frame
    persona : (128,) likewise
    """
    return np.asarray(worn @ persona - (worn * live).sum(axis=1), np.float32)


def share_of_persona(worn: Floats, persona: Floats, live: Floats) -> float:
    """0..1: in how many of the frames the output is nearer to the persona."""
    return float((margins(worn, persona, live) > 0).mean())
