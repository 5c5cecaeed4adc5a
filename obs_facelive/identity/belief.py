"""How looks at a face become a decision about whose it is. Pure.

Each look says how alike the face and the owner are (`obs_facelive.identity.enrolment.Enrolment.likeness`). Looks add up, as in
A. Wald's sequential test: clear ones decide at once, unclear ones need company, and a decision is not overturned by one look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Who: TypeAlias = Literal["owner", "other", "unknown"]

MIDDLE: Final = 0.48
"""Likeness that says nothing. Over twelve clips of nine people a later look at the same person was never below .64, and one at
another person never above .42."""
SPAN: Final = 0.12
"""How far from `MIDDLE` one look is enough."""
ENOUGH: Final = 1.0
"""Evidence, in clear looks, that decides."""
MOST: Final = 2.0
"""Evidence that is kept: so many clear looks overturn a decision, and half as many put it in doubt."""
REMAINS: Final = 0.5
"""Evidence that remains where a face was lost from sight and one is seen in its place."""


@dataclass(frozen=True, slots=True)
class Belief:
    """What is thought of one face.

    Attributes
    ----------
    evidence : - `MOST` (another person) to `MOST` (the owner)
    """

    evidence: float = 0.0
    who: Who = "unknown"

    def after(self, likeness: float, weight: float = 1.0) -> Belief:
        """The belief after one more look.

        ``weight``, 0 to 1, is what the look counts where it speaks against the owner: a face that is turned or small is like
        nobody, but whoever is like the owner even so is the owner.
        """
        step = max(-1.0, min(1.0, (likeness - MIDDLE) / SPAN))
        evidence = max(-MOST, min(MOST, self.evidence + (step if step > 0 else step * weight)))
        return Belief(evidence, _decided(evidence, self.who))

    def in_doubt(self) -> Belief:
        """The belief where it is not sure that the face is still the same one: undecided, with an inclination."""
        return Belief(max(-REMAINS, min(REMAINS, self.evidence)))

    @property
    def wavering(self) -> bool:
        """Decided, but the last looks said something else."""
        return self.who != "unknown" and abs(self.evidence) < ENOUGH


def _decided(evidence: float, before: Who) -> Who:
    if evidence >= ENOUGH or (before == "owner" and evidence > 0):
        return "owner"
    if evidence <= -ENOUGH or (before == "other" and evidence < 0):
        return "other"
    return "unknown"
