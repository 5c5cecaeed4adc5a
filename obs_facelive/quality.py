"""The ladder of quality: what is given up, step by step, so that the picture keeps moving (`engine.governor`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder.

    Attributes
    ----------
    name : for people
    look_again : seconds between detections while the chosen faces are followed: how late a newcomer is seen
    details_every : expression, and what hides the face, are looked for in every n-th frame
    swap_scale : the swapper gets the frame at this scale (1.0 or 0.5); its layer is scaled back before it is merged
    swap_every : every n-th frame is swapped, the last swap is re-warped to the landmarks of the others; 0: the swapper
        works as fast as it can and every frame shows its newest work, re-warped
    enhance_every : every n-th swap gets its detail from the enhancer, if there is one, and the others the last detail, moved;
        0: none gets any
    """

    name: str
    look_again: float
    details_every: int
    swap_scale: float
    swap_every: int
    enhance_every: int = 1


LADDER: Final = (
    Rung("full quality", 0.25, 1, 1.0, 1),
    Rung("fewer detections", 0.5, 2, 1.0, 1),
    Rung("smaller input", 0.5, 2, 0.5, 1),
    Rung("every second frame swapped", 0.5, 2, 0.5, 2),
    Rung("swaps when it can", 1.0, 3, 0.5, 0),
)
"""From the best to the cheapest."""

ENHANCING: Final = (
    *LADDER[:2],
    Rung("detail every second frame", 0.5, 2, 1.0, 1, 2),
    Rung("detail every fourth frame", 0.5, 2, 1.0, 1, 4),
    Rung("smaller input", 0.5, 2, 0.5, 1, 4),
    Rung("every second frame swapped", 0.5, 2, 0.5, 2, 2),
    Rung("swaps when it can, without detail", 1.0, 3, 0.5, 0, 0),
)
"""The same where there is an enhancer: often the slowest network, and what is missed least."""
