"""Chooses the rung of the ladder of quality. Pure: the engine's load goes in, with its time; decisions come out.

Overload is answered within about a second; a climb needs seconds of room, and one that had to be taken back makes the next
wait twice as long. So the picture never swings between two qualities.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal

from obs_facelive.engine.caution import Caution
from obs_facelive.engine.costs import Costs
from obs_facelive.quality import LADDER, Rung

WINDOW: Final = 1.0
"""Seconds that a decision looks back."""
ENOUGH: Final = 0.7
"""Seconds of measurements on the present rung that a decision needs."""
SETTLE: Final = 0.5
"""Seconds after a change that are not looked at: frames of the old rung are still under way."""
KEEP_UP: Final = 0.93
"""Share of the camera's frames that must come out."""
LAG: Final = 0.05
"""Share of OBS's frames that may lag; a climb wants a quarter of it."""
LAG_PATIENCE: Final = 3.0
"""Seconds between two steps because of OBS's lag: it is measured over a second, and need not be our doing."""
FITS: Final = 0.9
"""A rung is stepped down to when it is predicted to use no more than this share of what there is."""
ROOM: Final = 0.75
"""The same for a climb. The gap between the two is what a small change of load does not cross."""

Trouble = Literal["rate", "delay", "lag"]


@dataclass(frozen=True, slots=True)
class Load:
    """What the engine measured since it asked last.

    Attributes
    ----------
    time : seconds, rising
    camera_fps : frames a second that came from OBS
    result_fps : results a second that went to OBS
    delay_ms : newest added delay that OBS showed, milliseconds; 0 if unknown
    stages_ms : stage → milliseconds. "swap", "enhance" and "rewarp": of one, not spread over the frames that have none; all
        others ("detect", "landmarks", "track", "blendshapes", "merge") spread over all frames. Absent: did not run.
    lagged : 0..1, share of OBS's own frames that lagged lately
    """

    time: float
    camera_fps: float
    result_fps: float
    delay_ms: float
    stages_ms: Mapping[str, float]
    lagged: float


@dataclass(frozen=True, slots=True)
class _Window:
    """The loads of the last second as one.

    Attributes
    ----------
    kept : share of the camera's frames that came out
    """

    camera_fps: float
    kept: float
    delay: float
    lagged: float
    stages: Mapping[str, float]

    @classmethod
    def over(cls, loads: Sequence[Load]) -> _Window:
        """Medians, so that one hiccup is none."""
        camera = sum(load.camera_fps for load in loads)
        kept = sum(load.result_fps for load in loads) / camera
        usually = median(load.result_fps / load.camera_fps for load in loads)
        names = {name for load in loads for name in load.stages_ms}
        return cls(
            camera_fps=camera / len(loads),
            kept=max(kept, usually),
            delay=median(load.delay_ms for load in loads),
            lagged=median(load.lagged for load in loads),
            stages={name: median([d.stages_ms[name] for d in loads if name in d.stages_ms][-3:]) for name in names},
        )


class Governor:
    """Observes one session.

    Ask only while a face is followed: an empty chair is looked at rarely, and that is no overload. After a pause of more than
    a second it begins to measure anew, on the same rung.

    Parameters
    ----------
    most_delay_ms : the budget of added delay; it may be set anew at any time
    ladder : the rungs that may be chosen, from the best to the cheapest

    Attributes
    ----------
    why : for people, why the rung is not the best one ("swap takes 240 ms"); empty if it is
    """

    def __init__(self, most_delay_ms: float, ladder: Sequence[Rung] = LADDER) -> None:
        self.most_delay_ms = most_delay_ms
        self.why = ""
        self._ladder = tuple(ladder)
        self._at = 0
        self._loads: deque[Load] = deque()
        self._costs = Costs()
        self._caution = Caution()
        self._settled = self._lag_step = float("-inf")
        self._room_since: float | None = None

    @property
    def rung(self) -> Rung:
        """The one that the engine shall obey."""
        return self._ladder[self._at]

    def observe(self, load: Load) -> Rung:
        """Takes ``load`` in; a few times a second. Returns the rung from now on."""
        if self._loads and load.time - self._loads[-1].time > WINDOW:
            self._loads.clear()
            self._room_since = None
        if load.time < self._settled or load.camera_fps <= 0:
            return self.rung
        self._loads.append(load)
        while load.time - self._loads[0].time > WINDOW:
            self._loads.popleft()
        if load.time - self._loads[0].time >= ENOUGH:
            window = _Window.over(self._loads)
            self._costs.learn(self.rung, window.stages)
            if trouble := self._trouble(window, load.time):
                self._step_down(trouble, window, load.time)
            elif self._at > 0:
                self._consider_climb(window, load.time)
        return self.rung

    def _trouble(self, window: _Window, now: float) -> Trouble | None:
        """What the present rung does not hold and a lower one might."""
        lower = self._ladder[self._at + 1 :]
        if not lower:
            return None
        if window.kept < KEEP_UP:
            return "rate"
        if window.delay > self.most_delay_ms and self._delay(window, lower[-1]) < 0.95 * window.delay:
            return "delay"
        # A swapper at its own pace takes what it can get: that is no help for OBS.
        if window.lagged > LAG and lower[0].swap_every and now - self._lag_step >= LAG_PATIENCE:
            return "lag"
        return None

    def _step_down(self, trouble: Trouble, window: _Window, now: float) -> None:
        self._caution.stepped_down(now)
        self.why = self._words(trouble, window)
        if trouble == "lag":
            self._lag_step = now
            self._go(self._at + 1, now)
            return
        # Where others want the processor too, the stages' own times do not say all.
        unseen = max(1.0, 1 / max(window.kept, 0.01) / max(self._use(window, self.rung), 0.01))
        for index in range(self._at + 1, len(self._ladder)):
            rung = self._ladder[index]
            fits = self._delay(window, rung) <= self.most_delay_ms
            if trouble == "rate":
                fits &= unseen * self._use(window, rung) <= FITS
            if fits:
                break
        self._go(index, now)

    def _consider_climb(self, window: _Window, now: float) -> None:
        better = self._ladder[self._at - 1]
        use, delay = self._use(window, better), self._delay(window, better)
        fits = use <= ROOM and delay <= 0.95 * self.most_delay_ms
        if not fits or window.kept < KEEP_UP or window.lagged > LAG / 4:
            self._room_since = None
            return
        if self._room_since is None:
            self._room_since = now
        if now - self._room_since >= self._caution.wait(now, use):
            self._caution.climbed(now, use)
            self._go(self._at - 1, now)
            if self._at == 0:
                self.why = ""

    def _go(self, index: int, now: float) -> None:
        self._at = index
        self._loads.clear()
        self._settled = now + SETTLE
        self._room_since = None

    def _use(self, window: _Window, rung: Rung) -> float:
        """The share that ``rung``'s busiest thread is predicted to use of the time between two frames of the camera."""
        return max(self._costs.at(rung).by_thread.values()) * window.camera_fps / 1000

    def _delay(self, window: _Window, rung: Rung) -> float:
        """Milliseconds that are predicted for ``rung``."""
        return window.delay + self._costs.at(rung).way - self._costs.at(self.rung).way

    def _words(self, trouble: Trouble, window: _Window) -> str:
        if trouble == "lag":
            return "OBS lags"
        times = self._costs.at(self.rung)
        slow = {
            "swap takes {:.0f} ms": (times.swap, max(1, times.every)),
            "enhancing takes {:.0f} ms": (times.enhance, max(1, times.every)),
            "finding the face takes {:.0f} ms": (times.look, 1),
            "blending takes {:.0f} ms": (times.merge, 1),
        }
        words, (ms, every) = max(slow.items(), key=lambda item: item[1][0] / item[1][1])
        if ms / every * window.camera_fps / 1000 > FITS or (trouble == "delay" and ms > window.delay / 2):
            return words.format(ms)
        if trouble == "delay":
            return f"the delay is {window.delay:.0f} ms"
        return f"only {window.kept * window.camera_fps:.0f} of {window.camera_fps:.0f} frames a second come through"
