"""What each rung of the ladder costs: measured on the present one, predicted for all others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from obs_facelive.quality import Rung

SMALLER: Final = 0.6
"""What a swap of the smaller picture is thought to cost before it was measured, as a share of a full one."""
REWARP: Final = 3.0
"""What a re-warp, of a layer or of a detail, is thought to cost before it was measured, milliseconds."""


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds that each of the engine's three threads spends.

    Attributes
    ----------
    look, merge : on each frame; ``look`` is everything before the swap
    swap : on each swap
    enhance : on each swap, for its detail; spread over the swaps that get none anew
    every : as `Rung.swap_every`
    """

    look: float
    swap: float
    merge: float
    every: int
    enhance: float = 0.0

    @property
    def way(self) -> float:
        """Of a frame from one end to the other, milliseconds. Where the swapper goes its own pace no frame waits for it."""
        return self.look + self.merge + (self.swap + self.enhance if self.every else 0.0)

    @property
    def by_thread(self) -> dict[str, float]:
        """Milliseconds a frame; the swapper that goes its own pace never has too much to do."""
        swap = (self.swap + self.enhance) / self.every if self.every else 0.0
        return {"look": self.look, "swap": swap, "merge": self.merge}


class Costs:
    """Learns from measurements (`obs_facelive.engine.governor.Load.stages_ms`). Pure."""

    def __init__(self) -> None:
        self._stages: dict[str, float] = {"rewarp": REWARP}
        self._rung: Rung | None = None
        self._share = SMALLER

    def learn(self, rung: Rung, stages: Mapping[str, float]) -> None:
        """Takes in what was measured on ``rung``."""
        old, now = self._stages.get("swap"), stages.get("swap")
        if old and now and self._rung and rung.swap_scale != self._rung.swap_scale:
            small, full = (now, old) if rung.swap_scale < self._rung.swap_scale else (old, now)
            self._share = min(max(small / full, 0.2), 1.0)
        self._stages |= stages
        self._rung = rung

    def at(self, rung: Rung) -> Times:
        """What ``rung`` would cost now; zeros before anything was measured."""
        here, stages = self._rung or rung, self._stages
        detect = stages.get("detect", 0.0) * here.look_again / rung.look_again
        details = stages.get("blendshapes", 0.0) + stages.get("occlusion", 0.0)
        details *= here.details_every / rung.details_every
        share = self._saved(rung) / self._saved(here)
        return Times(
            look=detect + stages.get("landmarks", 0.0) + stages.get("track", 0.0) + stages.get("shape", 0.0) + details,
            swap=stages.get("swap", 0.0) * share,
            merge=stages.get("merge", 0.0) + (stages["rewarp"] if rung.swap_every != 1 else 0.0),
            every=rung.swap_every,
            enhance=self._enhance(rung.enhance_every),
        )

    def _enhance(self, every: int) -> float:
        once = self._stages.get("enhance", 0.0)
        if not every or not once:
            return 0.0
        return once / every + (self._stages["rewarp"] if every > 1 else 0.0)

    def _saved(self, rung: Rung) -> float:
        return self._share if rung.swap_scale < 1 else 1.0
