"""One persona on one clip: every frame is swapped and measured, then the frames are taken together."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from obs_facelive.frame import Floats, Pixels
from tools.quality.areas import eye_distance
from tools.quality.expression import followed, landmark_error, signals
from tools.quality.footage import Footage
from tools.quality.hidden import bare_share
from tools.quality.identity import margins, share_of_persona
from tools.quality.lighting import balance, follows
from tools.quality.moving import flow, mesh_flow, slide, unexplained
from tools.quality.rig import Rig
from tools.quality.row import Row
from tools.quality.seam import Seam, seam
from tools.quality.watch import Seen

YAWS = (0, 15, 30, 45, 60, 71)
"""Edges in degrees of the bins of a sweep."""
_LIGHT_MOVES = 0.08
"""Standard deviation of the balance of light between the face's halves, from which on it is the light that moves."""


@dataclass
class Judged:
    """One measured frame; what could not be measured is None.

    Attributes
    ----------
    live : it was swapped
    error : see `tools.quality.expression.landmark_error`
    before, after : (4,) signals of the live face and of the output
    who, live_who : (128,) whose face the output and the raw frame show
    residual, live_residual : what optical flow leaves unexplained
    balance : how much brighter the left half of the face is, in the raw frame and in the output
    bare : see `tools.quality.hidden.bare_share`
    slide, true_slide, floor : pixels at 720p; against the raw picture's flow; against the truth; the raw flow's own
    """

    seen: Seen
    live: bool
    error: float | None = None
    before: Floats | None = None
    after: Floats | None = None
    who: Floats | None = None
    live_who: Floats | None = None
    residual: float | None = None
    live_residual: float | None = None
    slide: float | None = None
    true_slide: float | None = None
    floor: float | None = None
    balance: tuple[float, float] | None = None
    seam: Seam | None = None
    bare: float | None = None


@dataclass(frozen=True)
class Worn:
    """A persona on a clip.

    Attributes
    ----------
    frames : the measured ones
    cells : frame number → output, of the frames that were asked for; the frame itself, darkened, where it was not swapped
    """

    frames: Sequence[Judged]
    cells: dict[int, Pixels]


def wear(
    rig: Rig, footage: Footage, watched: Sequence[Sequence[Seen]], persona: str, cells: set[int], slides: bool
) -> Worn:
    """Runs ``persona`` over the ``watched`` runs of ``footage``; pictures of the frames ``cells`` are kept.

    ``slides``: how far the texture slides on the skin is measured, too; it takes as long as all the rest.
    """
    judged: list[Judged] = []
    kept: dict[int, Pixels] = {}
    for run in watched:
        pipeline = rig.pipeline(persona)
        before: Pixels | None = None
        for seen in run:
            output = rig.wear(pipeline, seen.frame)
            if seen.frame.id in cells:
                kept[seen.frame.id] = seen.frame.pixels // 3 if output is None else output
            if seen.measured:
                judged.append(_judge(rig, footage, seen, output, before, slides))
            before = output
    return Worn(judged, kept)


def _judge(
    rig: Rig, footage: Footage, seen: Seen, output: Pixels | None, before: Pixels | None, slides: bool
) -> Judged:
    judged = Judged(seen, live=output is not None)
    if output is None or seen.points is None or seen.roi is None or seen.window is None or seen.face is None:
        return judged
    found = rig.again(output, seen.roi)
    if found is not None:
        judged.error = landmark_error(seen.points, found)
        judged.before, judged.after = signals(seen.points), signals(found)
        if seen.who is not None:
            judged.who, judged.live_who = rig.who(output, found), seen.who
    judged.seam = seam(output, seen.frame.pixels, seen.points, rig.canonical)
    judged.bare = bare_share(seen.frame.pixels[seen.window], output[seen.window], seen.face)
    judged.balance = balance(seen.frame.pixels[seen.window], seen.face), balance(output[seen.window], seen.face)
    if before is not None and seen.moved is not None:
        now, earlier = output[seen.window], before[seen.window]
        judged.live_residual = seen.residual
        judged.residual = unexplained(now, earlier, seen.moved, seen.face)
        if slides:
            _stick(rig, footage, seen, judged, now, earlier)
    return judged


def _stick(rig: Rig, footage: Footage, seen: Seen, judged: Judged, now: Pixels, earlier: Pixels) -> None:
    """Fills in how far the texture slides."""
    if seen.moved is None or seen.window is None or seen.face is None:
        return
    own, unit = flow(now, earlier), 720 / seen.frame.height
    judged.slide = _times(slide(own, seen.moved, seen.face, now), unit)
    if footage.truth is not None and seen.frame.id > 0:
        rows, columns = seen.window
        corner = np.array([columns.start, rows.start, 0], np.float32)
        places = [footage.truth.points[k] - corner for k in (seen.frame.id, seen.frame.id - 1)]
        true, there = mesh_flow(places[0], places[1], rig.canonical.triangles, *seen.face.shape)
        judged.true_slide = _times(slide(own, true, seen.face & there, now), unit)
        raw = seen.frame.pixels[seen.window]
        judged.floor = _times(slide(seen.moved, true, seen.face & there, raw), unit)


def _times(value: float | None, unit: float) -> float | None:
    return None if value is None else value * unit


def figures(clip: str, persona: str, worn: Worn, portrait: Floats) -> list[Row]:
    """The rows of one persona on one clip; ``portrait`` (128,): whose face the persona's own is."""
    rows: list[Row] = []

    def add(measure: str, values: Sequence[float | None], part: float = 50, unit: float = 1.0) -> None:
        good = [v * unit for v in values if v is not None]
        if good:
            rows.append(Row(clip, persona, measure, float(np.percentile(good, part)), len(good)))

    frames = worn.frames
    live = [f for f in frames if f.live]
    if frames:
        rows.append(Row(clip, persona, "live", len(live) / len(frames), len(frames)))
    add("bare", [f.bare for f in live])
    add("expression.landmarks", [f.error for f in live], unit=100)
    add("expression.landmarks_p90", [f.error for f in live], part=90, unit=100)
    both = [(f.before, f.after) for f in live if f.before is not None and f.after is not None]
    if both:
        kept = followed(np.stack([b for b, _ in both]), np.stack([a for _, a in both]))
        rows += [Row(clip, persona, f"expression.{name}", value, len(both)) for name, value in kept.items()]
    known = [(f.who, f.live_who) for f in live if f.who is not None and f.live_who is not None]
    if known:
        vectors = np.stack([w for w, _ in known]), portrait, np.stack([v for _, v in known])
        rows.append(Row(clip, persona, "identity.share", share_of_persona(*vectors), len(known)))
        rows.append(Row(clip, persona, "identity.margin", float(np.median(margins(*vectors))), len(known)))
    moving = [(f.residual, f.live_residual) for f in live if f.residual is not None and f.live_residual is not None]
    if moving:
        ratio = statistics.median(m for m, _ in moving) / max(statistics.median(r for _, r in moving), 1e-3)
        rows.append(Row(clip, persona, "steadiness.ratio", ratio, len(moving)))
    sides = np.array([f.balance for f in live if f.balance is not None], np.float32).reshape(-1, 2)
    if len(sides) > 2 and float(sides[:, 0].std()) > _LIGHT_MOVES:
        likeness, slope = follows(sides[:, 0], sides[:, 1])
        rows.append(Row(clip, persona, "light.balance.likeness", likeness, len(sides)))
        rows.append(Row(clip, persona, "light.balance.slope", slope, len(sides)))
    add("sticking.px", [f.slide for f in live])
    add("sticking.true_px", [f.true_slide for f in live])
    add("sticking.floor_px", [f.floor for f in live])
    for name in ("step", "bend", "worst"):
        add(f"seam.{name}", [getattr(f.seam, name) if f.seam else None for f in live])
    return rows


def by_yaw(footage: Footage, persona: str, worn: Worn) -> Iterator[Row]:
    """The rows of a sweep, by how far the head is truly turned. Raises `ValueError` for a clip without truth."""
    if footage.truth is None:
        raise ValueError(f"nothing is known of the yaw in {footage.name}")
    yaw = np.abs(footage.truth.yaw)
    for low, high in pairwise(YAWS):
        group = [f for f in worn.frames if low <= yaw[f.seen.frame.id] < high]
        live = [f for f in group if f.live]
        name = f"yaw.{low}-{min(high, 70)}"
        if not group:
            continue
        yield Row(footage.name, persona, f"{name}.live", len(live) / len(group), len(group))
        truth = [
            _against_truth(footage.truth.points[f.seen.frame.id], f.seen.points)
            for f in group
            if f.seen.points is not None
        ]
        values = {
            "landmarks": [100 * f.error for f in live if f.error is not None],
            "seam": [f.seam.step for f in live if f.seam is not None],
            "bare": [f.bare for f in live if f.bare is not None],
            "truth": truth,
        }
        for part, found in values.items():
            if found:
                yield Row(footage.name, persona, f"{name}.{part}", statistics.median(found), len(found))


def _against_truth(true: Floats, found: Floats) -> float:
    """Percent of the distance of the eyes."""
    return 100 * float(np.median(np.linalg.norm(true[:, :2] - found[:, :2], axis=1))) / eye_distance(true)
