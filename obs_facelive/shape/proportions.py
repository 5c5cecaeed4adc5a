"""What a face's proportions are, whatever its pose and size, and how far another's are from them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from obs_facelive.frame import Floats
from obs_facelive.landmark import BLENDSHAPES
from obs_facelive.topology import (
    LEFT_BROW,
    LEFT_EYE,
    LIPS_INNER,
    LIPS_OUTER,
    RIGHT_BROW,
    RIGHT_EYE,
    CanonicalFace,
    Indices,
)

LIMIT = 1.1
"""Centimetres that a point is moved by at the most: about what two adults' jaws differ by."""
SLOW = 20.0
"""Seconds of good pictures that the live face's proportions are averaged over."""
DOUBT = 0.6
"""Seconds of good pictures after which half of the difference is believed."""
BEST_TURN = 20.0
"""Degrees of yaw or pitch at which a picture counts for 1 / e: the far side of a turned face is guessed."""
STRETCHING = (
    "jawOpen",
    "mouthSmile",
    "mouthPucker",
    "mouthFunnel",
    "mouthStretch",
    "mouthFrown",
    "cheekPuff",
    "jawLeft",
    "jawRight",
)
"""Blendshapes that change jaw, cheeks or mouth, by the beginnings of their names."""
_STRETCHING = np.array([i for i, name in enumerate(BLENDSHAPES) if name.startswith(STRETCHING)])
FLIP = np.array([1, -1, -1], np.float32)
"""From the picture's axes (y down, z away) to the head's (y up, z to the camera), and back."""
SURFACE = 468
"""Points of the face's surface: all but those of the irises."""


def proportions(points: Floats, fit: npt.NDArray[np.float64]) -> Floats:
    """(468, 3) float32 centimetres: ``points`` (478, 3) of a face in the head's frame, without pose and size.

    ``fit`` is their `obs_facelive.geometry.head_fit`; the head's frame is that of the canonical face.
    """
    back = np.linalg.inv(fit[:, :3])
    return np.asarray((points[:SURFACE] - fit[:, 3]) @ back.T * FLIP, np.float32)


def stretched(blendshapes: Floats) -> float:
    """0 for a resting face; 1 and more where ``blendshapes`` (52,) move jaw, cheeks or mouth."""
    return float(np.clip(blendshapes[_STRETCHING] - 0.08, 0, None).sum())


@dataclass(frozen=True, slots=True)
class Resting:
    """What is known of one live face's proportions at rest.

    Attributes
    ----------
    shape : (468, 3) float32 centimetres, the mean of what was seen
    seconds : of good pictures that are in it, at the most `SLOW`
    """

    shape: Floats
    seconds: float

    def seen(self, shape: Floats, seconds: float) -> Resting:
        """With one more picture's ``shape``, which counts for ``seconds``."""
        total = self.seconds + seconds
        share = seconds / total if total > 0 else 0.0
        return replace(self, shape=self.shape + (shape - self.shape) * np.float32(share), seconds=min(total, SLOW))

    @property
    def belief(self) -> float:
        """0..1: how far `shape` can be relied upon. Rises smoothly from 0, so that nothing jumps when a face appears."""
        return self.seconds / (self.seconds + DOUBT)


def worth(yaw: float, pitch: float, blendshapes: Floats) -> float:
    """0..1: how much a picture says about the proportions at rest; ``yaw`` and ``pitch`` in degrees, blendshapes (52,)."""
    turn = (yaw / BEST_TURN) ** 2 + (pitch / BEST_TURN) ** 2
    return float(np.exp(-turn - (stretched(blendshapes) / 0.35) ** 2)) + 0.02


class Difference:
    """How one face's points have to move to become another's: smooth, symmetric, and no farther than `LIMIT`.

    Parameters
    ----------
    points : (n,) indices of those that are asked for
    """

    def __init__(self, canonical: CanonicalFace, points: Indices) -> None:
        xyz = canonical.xyz
        other = np.linalg.norm(xyz[:, None] - xyz[None] * [-1, 1, 1], axis=2).argmin(1)
        self._mirror = other
        apart = ((xyz[:, None] - xyz[None]) ** 2).sum(2)
        near = np.exp(-apart / (2 * 0.9**2))
        eyes = np.concatenate([RIGHT_EYE, LEFT_EYE, RIGHT_BROW, LEFT_BROW])
        # Expression lives in eyes, brows and mouth: who a face is, is seen in its outline and nose as well.
        held = np.maximum(
            0.75 * np.exp(-apart[:, eyes].min(1) / (2 * 1.3**2)),
            0.6 * np.exp(-apart[:, np.concatenate([LIPS_OUTER, LIPS_INNER])].min(1) / (2 * 1.2**2)),
        )
        smooth = (1 - held)[:, None] * near / near.sum(1, keepdims=True)
        self._smooth = np.ascontiguousarray(smooth[points], np.float32)

    def between(self, live: Floats, persona: Floats) -> Floats:
        """(n, 3) float32 centimetres in the head's frame, from the shape ``live`` to the shape ``persona`` (468, 3)."""
        rest = persona - live
        rest = (rest + rest[self._mirror] * np.array([-1, 1, 1], np.float32)) / 2
        moved = self._smooth @ rest
        length = np.linalg.norm(moved, axis=1, keepdims=True)
        return np.asarray(moved * (np.tanh(length / LIMIT) * LIMIT / (length + 1e-9)), np.float32)
