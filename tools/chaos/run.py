"""One run: OBS records, faults come and go, and how long each took to be got over is written down."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from obs_facelive.home import Home
from tools.chaos.engine_faults import (
    Killed,
    LogFull,
    ModelBroken,
    OutOfMemory,
    Paused,
    PersonaBroken,
    PersonaGone,
    Slow,
    Starved,
    Stopped,
)
from tools.chaos.fault import Fault
from tools.chaos.machine_faults import Burned, Eaten
from tools.chaos.obs_faults import Collections, Eye, Reloaded, Removed, Resized, Scaled, Scenes, Shuffled, Spam
from tools.chaos.schedule import Planned
from tools.chaos.studio import CANVAS, Studio, collections, make_clips, make_home
from tools.obs_config import Video
from tools.obs_session import ObsError, ObsSession
from tools.procfs import Usage, runs, shared_blocks, usage

FAULTS: Final[Mapping[str, type[Fault]]] = {
    "engine killed": Killed,
    "engine hangs": Stopped,
    "engine pauses": Paused,
    "engine starved": Starved,
    "swapper slow": Slow,
    "out of memory": OutOfMemory,
    "log full": LogFull,
    "model broken": ModelBroken,
    "persona broken": PersonaBroken,
    "persona gone": PersonaGone,
    "camera resized": Resized,
    "camera scaled": Scaled,
    "filters shuffled": Shuffled,
    "filter's eye": Eye,
    "filter removed": Removed,
    "scenes switched": Scenes,
    "collection switched": Collections,
    "settings spammed": Spam,
    "script reloaded": Reloaded,
    "cores burned": Burned,
    "memory eaten": Eaten,
}
_PATIENCE: Final = 30.0
"""Seconds after which nobody waits for a recovery any more."""


@dataclass(frozen=True)
class Struck:
    """A fault that was.

    Attributes
    ----------
    at, healed : seconds of the recording
    recovery : seconds from its end until new swapped pictures were on air; None: not within `_PATIENCE`
    """

    name: str
    at: float
    healed: float
    recovery: float | None


@dataclass
class Watch:
    """Looks at the filters' statuses all the time: a filter's counter goes with the filter.

    Attributes
    ----------
    raw : the most `raw_frames_shown` that any filter or camera ever said
    states : how often each state was seen, of whatever is on air
    engines : process ids of all engines that were seen
    """

    obs: ObsSession
    worn: Callable[[], str]
    raw: int = 0
    states: dict[str, int] = field(default_factory=dict)
    engines: set[int] = field(default_factory=set)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """While the context lasts."""
        over = threading.Event()
        thread = threading.Thread(target=self._look, args=(over,), name="watch")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _look(self, over: threading.Event) -> None:
        while not over.wait(0.05):
            with suppress(ValueError):
                statuses = self.obs.statuses()
                self.raw = max([self.raw, *(int(s["raw_frames_shown"]) for s in statuses.values())])
                self.engines |= {int(s["engine_pid"]) for s in statuses.values() if s["engine_pid"]}
                state = str(statuses.get(self.worn(), {}).get("state", "none"))
                self.states[state] = self.states.get(state, 0) + 1


@dataclass(frozen=True)
class Outcome:
    """What a run left behind.

    Attributes
    ----------
    control : sizes of the camera and recordings of it, bare
    before, after : OBS's process, quiet, before the first fault and after the last
    leaks : what is left after OBS has quit, in words; empty if nothing is
    """

    recording: Path
    control: Sequence[tuple[tuple[int, int], Path]]
    struck: Sequence[Struck]
    seconds: float
    raw_frames_shown: int
    states: Mapping[str, int]
    before: Usage
    after: Usage
    leaks: Sequence[str]
    engines: int


def run(
    real: Home,
    clip: Path,
    folder: Path,
    planned: Iterator[Planned],
    seconds: float,
    *,
    fps: int,
    greed: int,
    say: Callable[[str], None],
) -> Outcome:
    """Breaks things for ``seconds`` (or until nothing more is ``planned``).

    Raises
    ------
    ObsError
        OBS ended, or ended badly: nothing that is broken here may do that.
    """
    home = make_home(real, folder / "facelive")
    clips = make_clips(clip, folder / "clips")
    slow, persona = folder / "slow", home.persona_names()[0]
    slow.write_text("0")
    env = {"FACELIVE_HOME": str(home.root), "FACELIVE_TEST_SLOW_SWAP": str(slow), "PYTHONFAULTHANDLER": "1"}
    with ObsSession(folder / "obs", collections(clips, persona), video=Video(*CANVAS, fps=fps), env=env) as obs:
        studio = Studio(obs, home, clips, slow, persona, greed)
        if studio.recovered(90) is None:
            raise ObsError(f"nothing is swapped even before the first fault\n{obs.log()[-3000:]}")
        control = studio.control(1.0)
        if studio.recovered(_PATIENCE) is None:
            raise ObsError(f"nothing is swapped after the bare recordings\n{obs.log()[-3000:]}")
        pid = obs.process.pid
        before = usage(pid)
        watch = Watch(obs, lambda: studio.worn)
        obs.start_recording()
        with watch.looking():
            struck = _strike(studio, planned, seconds, say)
        recording = obs.stop_recording()
        after = usage(pid)
        obs.quit()
        leaks = _leaks(obs, pid, home)
    return Outcome(
        recording,
        control,
        struck,
        seconds,
        watch.raw,
        watch.states,
        before,
        after,
        leaks,
        len(watch.engines),
    )


def _strike(studio: Studio, planned: Iterator[Planned], seconds: float, say: Callable[[str], None]) -> list[Struck]:
    began, struck = time.monotonic(), list[Struck]()
    for plan in planned:
        studio.rest(plan.quiet)
        at = time.monotonic() - began
        if at >= seconds:
            break
        fault, rng = FAULTS[plan.name](), random.Random(plan.seed)
        fault.strike(studio, rng)
        try:
            fault.last(studio, rng, plan.seconds)
        finally:
            fault.heal(studio)
        healed = time.monotonic() - began
        recovery = studio.recovered(_PATIENCE)
        struck.append(Struck(plan.name, round(at, 2), round(healed, 2), recovery and round(recovery, 2)))
        say(f"{at:6.1f} s  {plan.name}: {healed - at:.1f} s, got over in {struck[-1].recovery} s")
    studio.rest(1.0)
    return struck


def _leaks(obs: ObsSession, pid: int, home: Home) -> list[str]:
    """What OBS left behind; it has quit."""
    left = [f"shared block {name}" for name in shared_blocks(pid)]
    left += [f"engine process {engine}" for engine in engines(home)]
    left += [f"{obs.leaks()} blocks of OBS's memory"] if obs.leaks() else []
    return left


def engines(home: Home) -> list[int]:
    """The processes that serve this home's filters."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        with suppress(OSError):
            command = (process / "cmdline").read_bytes().split(b"\0")
            if b"obs_facelive.engine" in command and str(home.python).encode() in command and runs(int(process.name)):
                found.append(int(process.name))
    return found


def recoveries(struck: Sequence[Struck]) -> dict[str, list[float | None]]:
    """Recovery times by the fault's name."""
    found: dict[str, list[float | None]] = {}
    for each in struck:
        found.setdefault(each.name, []).append(each.recovery)
    return found


def describe(outcome: Outcome) -> dict[str, Any]:
    """The figures that need no look at the pictures."""
    times = [s.recovery for s in outcome.struck]
    good = sorted(t for t in times if t is not None)
    return {
        "seconds": outcome.seconds,
        "faults": len(times),
        "not_recovered": times.count(None),
        "recovery_s": {q: _percentile(good, q) for q in (50, 95, 100)},
        "raw_frames_shown": outcome.raw_frames_shown,
        "engines": outcome.engines,
        "leaks": list(outcome.leaks),
        "states": dict(outcome.states),
    }


def _percentile(values: Sequence[float], q: int) -> float:
    """The least value that ``q`` percent are not above; 0.0 of none."""
    return values[max(0, -(-len(values) * q // 100) - 1)] if values else 0.0
