"""Which face is meant when there are several."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from obs_facelive.frame import Floats

FaceChoice: TypeAlias = Literal["largest", "centre", "left", "right", "all"]

FAVOUR = 0.15
"""How much of a face's size another face must be ahead to take its place, so that the choice does not flicker."""


def rank(boxes: Floats, how: FaceChoice, width: int, height: int, favoured: int = 0) -> list[int]:
    """Indices of ``boxes`` (n, 4: x0 y0 x1 y1) in a picture of ``width`` x ``height`` pixels, the one meant by ``how`` first.

    "all" ranks by size. The first ``favoured`` boxes are faces chosen before: they stay unless another is clearly ahead.
    """
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    sizes = np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))
    if how == "centre":
        merit = -np.linalg.norm(centres - [width / 2, height / 2], axis=1)
    elif how == "left":
        merit = -centres[:, 0]
    elif how == "right":
        merit = centres[:, 0].copy()
    else:
        merit = sizes.copy()
    merit[:favoured] += FAVOUR * sizes[:favoured]
    return [int(i) for i in np.argsort(-merit, kind="stable")]
