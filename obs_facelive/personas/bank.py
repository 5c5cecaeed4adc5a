"""The expressions of several people as one bank."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from obs_facelive.frame import Floats

ALIKE = 0.5
"""Cosine of two expressions' blendshapes from which on they count as one expression."""


@dataclass(frozen=True, slots=True)
class Bank:
    """One person's expressions, as `obs_facelive.personas.library.Persona` has them.

    Attributes
    ----------
    expressions : (k, 52) float32
    neutral : (52,) float32
    lines : (k, e, e) int8
    """

    expressions: Floats
    neutral: Floats
    lines: npt.NDArray[np.int8]

    @property
    def changes(self) -> Floats:
        """(k, 52) float32: what each expression does to the resting face."""
        return np.asarray(self.expressions - self.neutral, np.float32)


def mix_banks(banks: Sequence[Bank], weights: Sequence[float], collage: Callable[[list[Floats]], Floats]) -> Bank:
    """One bank of ``banks`` that count for ``weights``.

    It has the expressions of the first of those that count for most and have any; each is matched with the others' expressions
    that are most alike. ``collage`` makes one picture of lines (e, e) out of one of each bank, `side` texels wide.
    """
    neutral = np.asarray(np.tensordot(weights, np.stack([bank.neutral for bank in banks]), 1), np.float32)
    lead = max(range(len(banks)), key=lambda n: (len(banks[n].lines) > 0, weights[n], -n))
    if not len(banks[lead].lines):
        return Bank(np.zeros((0, len(neutral)), np.float32), neutral, banks[lead].lines.copy())
    wanted = banks[lead].changes
    matches = [matched(wanted, bank.changes) for bank in banks]
    size = side(banks)
    changes, lines = np.zeros_like(wanted), np.zeros((len(wanted), size, size), np.int8)
    for slot in range(len(wanted)):
        known = [n for n in range(len(banks)) if matches[n][slot] >= 0]
        own = {n: banks[n].changes[matches[n][slot]] for n in known}
        shares = np.array([weights[n] for n in known])
        changes[slot] = np.tensordot(shares / shares.sum(), np.stack(list(own.values())), 1)
        # Who shows it stronger or weaker than all together has as much deeper or shallower lines.
        strong = {n: float(np.clip(changes[slot] @ own[n] / (own[n] @ own[n] + 1e-6), 0.5, 1.5)) for n in known}
        pictures = {n: _resized(banks[n].lines[matches[n][slot]], size) * np.float32(strong[n]) for n in known}
        picture = collage([pictures.get(n, pictures[lead]) for n in range(len(banks))])
        lines[slot] = np.clip(np.round(picture), -127, 127)
    expressions = np.clip(neutral + changes, 0, 1)
    return Bank(np.asarray(expressions, np.float32), neutral, lines)


def side(banks: Sequence[Bank]) -> int:
    """Texels of the mixed lines' side: the finest that there are."""
    return max((bank.lines.shape[1] for bank in banks if len(bank.lines)), default=0)


def matched(wanted: Floats, changes: Floats) -> list[int]:
    """For each of ``wanted`` (k, 52) which of ``changes`` (m, 52) is most like it, -1 for none; each is taken once at most."""
    out = [-1] * len(wanted)
    if len(changes):
        lengths = np.linalg.norm(wanted, axis=1)[:, None] * np.linalg.norm(changes, axis=1) + 1e-6
        alike = wanted @ changes.T / lengths
        for flat in np.argsort(-alike, axis=None, kind="stable"):
            slot, other = divmod(int(flat), len(changes))
            if alike[slot, other] >= ALIKE and out[slot] < 0 and other not in out:
                out[slot] = other
    return out


def _resized(lines: npt.NDArray[np.int8], size: int) -> Floats:
    picture = lines.astype(np.float32)
    if len(picture) == size:
        return picture
    return np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)
