"""A whole run of the judge, clip by clip."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from obs_facelive.bench import BenchError, measure, one_core
from obs_facelive.frame import Floats, Pixels
from obs_facelive.home import Home
from tools.quality.footage import Footage
from tools.quality.plan import Plan, open_clip
from tools.quality.rig import Rig
from tools.quality.row import Row
from tools.quality.sheet import cell, sheet
from tools.quality.things import THINGS
from tools.quality.trials import Trial, behind_things, behind_truth, under_lights
from tools.quality.watch import LEAD, Seen, load, shorter, watch
from tools.quality.worn import by_yaw, figures, wear

_SWEEP = "sweep"
_MOMENTS = 9
"""Columns of the sheet of a clip that is watched as a whole."""


@dataclass
class Verdict:
    """What a run found.

    Attributes
    ----------
    rows : the figures
    sheets : title, file name without its suffix, picture
    """

    rows: list[Row] = field(default_factory=list)
    sheets: list[tuple[str, str, Pixels]] = field(default_factory=list)


def judge(rig: Rig, plan: Plan, say: Callable[[str], None]) -> Iterator[Verdict]:
    """Judges ``plan``, one verdict a clip, and one for the speed; ``say`` is told of progress.

    Raises as `tools.quality.plan.open_clip` does, and `obs_facelive.personas.library.PersonaError`.
    """
    portraits = {name: rig.persona(name) for name in plan.personas}
    for number, clip in enumerate(plan.clips):
        footage = open_clip(rig.home, clip)
        say(f"{footage.name} ({number + 1} of {len(plan.clips)})")
        yield _clip(rig, plan, footage, number, portraits, say)
    if "speed" in plan.measures:
        yield speed(rig.home, say)


def _clip(
    rig: Rig, plan: Plan, footage: Footage, number: int, portraits: dict[str, Floats], say: Callable[[str], None]
) -> Verdict:
    verdict = Verdict()
    chosen, tried = plan.chosen(number), plan.tried(number, footage.name)
    watched = [watch(rig, run) for run in load(footage, plan.runs, plan.long)]
    if "worn" in plan.measures:
        short = shorter(watched, plan.runs, plan.short)
        _all_personas(rig, plan, footage, chosen, (watched, short), portraits, verdict, say)
    trials: dict[str, Trial] = {}
    if "occlusion" in plan.measures:
        for persona in chosen if footage.clean else []:
            found = behind_truth(rig, footage, persona, every=2)
            if found:
                trials[persona] = found
        for persona in tried:
            say(f"  {persona}: things in front")
            trials |= behind_things(rig, footage.name, _piece(watched, plan.trial), persona, THINGS)
        _trial_sheet(verdict, footage, "in front of the face", "front", trials)
    trials = {}
    if "light" in plan.measures:
        for persona in tried:
            say(f"  {persona}: other light")
            trials |= under_lights(rig, footage.name, _piece(watched, plan.trial), persona)
        _trial_sheet(verdict, footage, "under other light", "light", trials)
    return verdict


def _all_personas(
    rig: Rig,
    plan: Plan,
    footage: Footage,
    chosen: Sequence[str],
    watched: tuple[Sequence[Sequence[Seen]], Sequence[Sequence[Seen]]],
    portraits: dict[str, Floats],
    verdict: Verdict,
    say: Callable[[str], None],
) -> None:
    """Fills in the rows and sheets of what everyone looks like on a clip."""
    long, short = watched
    moments = [_middle(run) for run in short]
    strip = _evenly(long[0], _MOMENTS) if len(long) == 1 else []
    shown, cells, strips = {seen.frame.id for seen in moments}, {}, {}
    for persona in plan.personas:
        thorough = persona in chosen
        wanted = shown | {seen.frame.id for seen in strip} if thorough else shown
        worn = wear(rig, footage, long if thorough else short, persona, wanted, thorough)
        verdict.rows += figures(footage.name, persona, worn, portraits[persona])
        if footage.name == _SWEEP and thorough:
            verdict.rows += by_yaw(footage, persona, worn)
        cells[persona] = worn.cells
        if thorough:
            strips[persona] = worn.cells
        say(f"  {persona}: {len(worn.frames)} frames")
    everyone = _cells(moments, cells)
    labels = [f"frame\n{seen.frame.id}" for seen in moments]
    picture = sheet(list(zip(*everyone, strict=True)), ["camera", *cells], labels)
    verdict.sheets.append((footage.name, footage.name, picture))
    if strip:
        picture = sheet(_cells(strip, strips), [_described(footage, seen) for seen in strip], ["camera", *strips])
        verdict.sheets.append((f"{footage.name}, over time (dark: held)", f"{footage.name}-time", picture))


def _cells(moments: Sequence[Seen], kept: dict[str, dict[int, Pixels]]) -> list[list[Pixels]]:
    """A row for the camera, and one for each persona of ``kept``; a column a moment."""
    pictures = [{seen.frame.id: seen.frame.pixels for seen in moments}, *kept.values()]
    return [[cell(row[seen.frame.id], _box(seen)) for seen in moments] for row in pictures]


def _trial_sheet(verdict: Verdict, footage: Footage, title: str, suffix: str, trials: dict[str, Trial]) -> None:
    """Takes over the rows of ``trials``, and makes a sheet of them."""
    if not trials:
        return
    for trial in trials.values():
        verdict.rows += trial.rows
    rows = [[cell(p, trial.box) for p in trial.pictures] for trial in trials.values()]
    half = (len(rows) + 1) // 2
    blank = [np.zeros_like(rows[0][0])] * len(rows[0])
    paired = [rows[k] + (rows[k + half] if k + half < len(rows) else blank) for k in range(half)]
    names = list(trials)
    labels = [f"{names[k]}\n\n{names[k + half] if k + half < len(rows) else ''}" for k in range(half)]
    columns = ["camera", "output", "red: spoiled, blue: lost"][: len(rows[0])] * 2
    verdict.sheets.append((f"{footage.name}, {title}", f"{footage.name}-{suffix}", sheet(paired, columns, labels)))


def speed(home: Home, say: Callable[[str], None]) -> Verdict:
    """Frames a second and milliseconds a stage, on one core, with the demo's clip; nothing where that is missing."""
    clip = home.root / "demo" / "camera.mp4"
    say("speed")
    try:
        if not clip.is_file():
            raise BenchError(f"{clip} is missing")
        with one_core():
            stages, _ = measure(home, clip)
    except BenchError as problem:
        say(f"  not measured: {problem}")
        return Verdict()
    rows = [Row("camera", "", f"speed.{stage}_ms", ms, 1) for stage, ms in stages.items()]
    return Verdict([Row("camera", "", "speed.fps", 1e3 / sum(stages.values()), 1), *rows])


def _piece(watched: Sequence[Sequence[Seen]], length: int) -> Sequence[Seen]:
    """``length`` consecutive frames of the run that has most faces."""
    best = max(watched, key=lambda run: sum(seen.points is not None for seen in run))
    return best[: length + LEAD]


def _middle(run: Sequence[Seen]) -> Seen:
    return run[(LEAD + len(run)) // 2]


def _evenly(run: Sequence[Seen], count: int) -> list[Seen]:
    return [run[LEAD + round(k * (len(run) - 1 - LEAD) / (count - 1))] for k in range(count)]


def _box(seen: Seen) -> tuple[slice, slice]:
    return seen.window or (slice(None), slice(None))


def _described(footage: Footage, seen: Seen) -> str:
    yaw = f" yaw {footage.truth.yaw[seen.frame.id]:+.0f}" if footage.truth is not None else ""
    return f"frame {seen.frame.id}{yaw}"


def file_of(folder: Path, name: str) -> Path:
    """Where the sheet ``name`` is kept in ``folder``."""
    return folder / f"{name}.jpg"
