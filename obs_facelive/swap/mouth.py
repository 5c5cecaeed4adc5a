"""What is between the lips: a picture of its own, since the closed lips of the texture have no room for it."""

from __future__ import annotations

import numpy as np

from obs_facelive.frame import Floats, Pixels
from obs_facelive.topology import LIPS_INNER, MOUTH_CORNERS, CanonicalFace, Indices


def mouth_triangles(canonical: CanonicalFace) -> Indices:
    """(898,) bool: the triangles between the lips."""
    return np.asarray(np.isin(canonical.triangles, LIPS_INNER).all(axis=1))


def mouth_layout(canonical: CanonicalFace) -> tuple[Floats, Indices]:
    """Where a mouth's picture has which point: (468, 2) float32 0..1, an ellipse of the inner lips, and its triangles."""
    uv = np.zeros((len(canonical.uv), 2), np.float32)
    # The ring starts at the corner on the picture's left and goes over the upper lip.
    turn = np.pi - np.arange(len(LIPS_INNER)) * (2 * np.pi / len(LIPS_INNER))
    uv[LIPS_INNER] = np.column_stack([0.5 + 0.49 * np.cos(turn), 0.5 - 0.49 * np.sin(turn)])
    return uv, np.ascontiguousarray(canonical.triangles[mouth_triangles(canonical)])


def mouth_gap(points: Floats) -> float:
    """How far the lips of a face with ``points`` (478, 2 or more) are open: gap by width of the mouth."""
    width = float(np.linalg.norm(points[MOUTH_CORNERS[1], :2] - points[MOUTH_CORNERS[0], :2]))
    return float(np.linalg.norm(points[13, :2] - points[14, :2])) / max(width, 1e-3)


def mix_mouths(mouths: Pixels, gaps: Floats, gap: float) -> Pixels:
    """The picture for lips that are ``gap`` open, between those of ``mouths`` (m >= 1, h, w, 3) with rising ``gaps`` (m,)."""
    last = int(np.searchsorted(gaps, gap))
    if last == 0 or last == len(gaps):
        return np.asarray(mouths[max(last - 1, 0)], np.uint8)
    share = (gap - gaps[last - 1]) / (gaps[last] - gaps[last - 1])
    mixed = mouths[last - 1] + (mouths[last].astype(np.float32) - mouths[last - 1]) * np.float32(share)
    return np.asarray(mixed, np.uint8)
