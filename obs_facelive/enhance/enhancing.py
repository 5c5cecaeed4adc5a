"""One camera's swapped faces, enhanced: anew as often as there is time for it, between that with what was added last."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from obs_facelive.enhance import Enhancer
from obs_facelive.enhance.detail import detail_of, with_detail
from obs_facelive.frame import Face, Floats, Frame, Layer
from obs_facelive.settings import Settings
from obs_facelive.stopwatch import Stopwatch
from obs_facelive.swap.rewarp import rewarp

OLDEST: Final = 0.5
"""Seconds after which a detail is not moved on any more: light and expression have gone on."""
REST: Final = 2.0
"""Seconds without the network after it failed: a failure can be slow."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Known:
    """The last detail of a face, for its ``points`` (478, 3) in the frame at ``time``."""

    detail: Layer
    points: Floats
    time: float


class Enhancing:
    """An enhancer on one camera. A failure costs the detail, never the face: the swapper's own layer goes on.

    Attributes
    ----------
    problem : why there is no detail, for people; empty while there is
    watch : of one run of the network with all around it
    """

    def __init__(self, enhancer: Enhancer) -> None:
        self._enhancer = enhancer
        self._known: dict[int, _Known] = {}
        self._turn = 0
        self._rests_until = float("-inf")
        self.problem = ""
        self.watch = Stopwatch()

    def __call__(
        self, frame: Frame, faces: Sequence[Face], layers: Sequence[Layer], settings: Settings, every: int
    ) -> list[Layer]:
        """``layers``, one for each of ``faces``, with detail; the network runs at every ``every``-th call, 0: never."""
        if not settings.enhancer_blend or not every or frame.time < self._rests_until:
            return list(layers)
        again = self._turn % every == 0
        self._turn += 1
        known, self._known = self._known, {}
        enhanced = []
        for face, layer in zip(faces, layers, strict=True):
            last = known.get(face.track)
            if again or last is None or frame.time - last.time > OLDEST:
                last = self._anew(frame, face, layer, settings)
            if last is None:
                enhanced.append(layer)
                continue
            self._known[face.track] = last
            detail = last.detail
            if last.points is not face.points:
                detail = rewarp(detail, last.points, face.points, frame.width, frame.height)
            enhanced.append(with_detail(layer, detail, settings.enhancer_blend / 100))
        return enhanced

    def _anew(self, frame: Frame, face: Face, layer: Layer, settings: Settings) -> _Known | None:
        try:
            with self.watch("enhance"):
                detail = detail_of(self._enhancer, frame, face, layer, settings.fidelity / 100)
        except Exception as error:  # whatever it is, the swapped face is there without it
            words = str(error) or type(error).__name__
            if words != self.problem:
                log.info(
                    "no detail: %s", words, exc_info=error
                )  # told where it matters: in the panel, at the end of a file
            self.problem, self._rests_until = words, frame.time + REST
            return None
        finally:
            self.watch.end_frame()
        self.problem = ""
        return _Known(detail, face.points, frame.time)
