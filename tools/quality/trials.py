"""Trials: the same frames with something in front of the face, or under another light, against the frames as they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from obs_facelive.frame import Floats, Frame, Pixels
from tools.quality.areas import crop, inner_face, skin_tone
from tools.quality.footage import Footage
from tools.quality.hidden import Hidden, hidden
from tools.quality.lighting import change, follows, shared
from tools.quality.relight import LIGHTS, relit
from tools.quality.rig import Rig
from tools.quality.row import Row
from tools.quality.things import THINGS, Moment
from tools.quality.watch import Seen

_PATH = (0.2, 0.8)
"""The part of a thing's path that a trial shows: that on which it is before the face."""
_SETTLED = 10
"""Frames after which the swapper's light has followed a lamp that was switched on with the first."""


@dataclass(frozen=True)
class Trial:
    """What came out of one.

    Attributes
    ----------
    rows : the figures
    pictures : for the contact sheet: what went in, the output, and for a thing what is wrong about it
    box : rows and columns of the face
    """

    rows: list[Row]
    pictures: list[Pixels]
    box: tuple[slice, slice]


@dataclass(frozen=True)
class _Covered:
    """One frame with something in front; arrays (h, w)."""

    raw: Frame
    occluded: Frame
    points: Floats
    alpha: Floats
    shade: Floats


def behind_things(
    rig: Rig, clip: str, run: Sequence[Seen], persona: str, names: Iterable[str]
) -> Iterator[tuple[str, Trial]]:
    """Lays each thing over the frames of ``run``, one trial a thing."""
    seen = [s for s in run if s.points is not None]
    if not seen or seen[0].points is None:
        return
    start, first = seen[0].points, seen[0].frame
    light = float(np.clip(first.pixels[..., 1].mean() / 115, 0.3, 1.2))
    bare = _outputs(rig, persona, [s.frame for s in seen])
    for name in names:
        covered = []
        for number, s in enumerate(seen):
            if s.points is None:
                continue
            u = _PATH[0] + (_PATH[1] - _PATH[0]) * number / max(1, len(seen) - 1)
            skin = skin_tone(first.pixels, start)
            overlay = THINGS[name](Moment(first.width, first.height, s.points, start, skin, light, u))
            pixels = overlay.on(s.frame.pixels, seed=number)
            covered.append(_Covered(s.frame, replace(s.frame, pixels=pixels), s.points, overlay.alpha, overlay.shade))
        trial = _behind(rig, clip, persona, name, covered, bare)
        if trial:
            yield name, trial


def behind_truth(rig: Rig, footage: Footage, persona: str, every: int = 1) -> Trial | None:
    """The same for a synthetic clip that has something in front of the face; each ``every``-th frame counts."""
    if footage.clean is None or footage.truth is None:
        return None
    raw, occluded = list(footage.clean_frames()), list(footage.frames())
    bare = _outputs(rig, persona, raw)
    covered = []
    for number, (a, b) in enumerate(zip(raw, occluded, strict=True)):
        alpha = footage.truth.alpha[number].astype(np.float32) / 255
        # Its shadow is in the picture: what it takes is seen where the picture is darker without being covered.
        shade = (b.pixels[..., 1] + np.float32(1)) / (a.pixels[..., 1] + np.float32(1))
        covered.append(_Covered(a, b, footage.truth.points[number], alpha, np.clip(shade, 0.3, 1).astype(np.float32)))
    return _behind(rig, footage.name, persona, footage.name, covered, bare, every)


def _behind(
    rig: Rig,
    clip: str,
    persona: str,
    name: str,
    covered: Sequence[_Covered],
    bare: Sequence[Pixels | None],
    every: int = 1,
) -> Trial | None:
    outputs = _outputs(rig, persona, [c.occluded for c in covered])
    counts = np.zeros(4)
    live, best = [], (-1, 0)
    for number, (c, worn, output) in enumerate(zip(covered, bare, outputs, strict=True)):
        if number % every or worn is None or not _touches(c):
            continue
        live.append(output is not None)
        if output is None:
            continue
        found = _judged(c, worn, output)
        counts += [np.count_nonzero(m) for m in (found.front, found.spoiled, found.face, found.lost)]
        best = max(best, (int(np.count_nonzero(found.front)), number))
    if not live:
        return None
    rows = [Row(clip, persona, f"occlusion.{name}.live", sum(live) / len(live), len(live))]
    if counts[0] >= 100:
        rows.append(Row(clip, persona, f"occlusion.{name}.kept", float(1 - counts[1] / counts[0]), int(counts[0])))
    if counts[2] >= 100:
        rows.append(Row(clip, persona, f"occlusion.{name}.lost", float(counts[3] / counts[2]), int(counts[2])))
    return Trial(rows, *_shown(covered[best[1]], bare[best[1]], outputs[best[1]]))


def _touches(c: _Covered) -> bool:
    box = crop(c.points, c.raw.height, c.raw.width)
    return bool((inner_face(c.points, c.raw.height, c.raw.width)[box] & (c.alpha[box] > 0.9)).any())


def _judged(c: _Covered, worn: Pixels, output: Pixels) -> Hidden:
    """Rows and columns around the face only."""
    box = crop(c.points, c.raw.height, c.raw.width)
    zone = inner_face(c.points, c.raw.height, c.raw.width)[box]
    raw, occluded = c.raw.pixels[box], c.occluded.pixels[box]
    return hidden(raw, occluded, worn[box], output[box], c.alpha[box], c.shade[box], zone)


def _shown(c: _Covered, worn: Pixels | None, output: Pixels | None) -> tuple[list[Pixels], tuple[slice, slice]]:
    """What went in, what came out, and the latter with wrong pixels marked: red spoiled, blue lost."""
    box = crop(c.points, c.raw.height, c.raw.width)
    if worn is None or output is None:
        return [c.occluded.pixels, c.occluded.pixels // 3, c.occluded.pixels // 3], box
    found = _judged(c, worn, output)
    marked = output.copy()
    marked[box][found.spoiled, :3] = (40, 40, 255)
    marked[box][found.lost, :3] = (255, 120, 40)
    return [c.occluded.pixels, output, marked], box


def under_lights(rig: Rig, clip: str, run: Sequence[Seen], persona: str) -> Iterator[tuple[str, Trial]]:
    """Relights the frames of ``run``, one trial a light."""
    seen = [s for s in run if s.points is not None]
    if len(seen) <= _SETTLED:
        return
    plain = _outputs(rig, persona, [s.frame for s in seen])
    for name, light in LIGHTS.items():
        frames: list[Frame] = []
        for number, s in enumerate(seen):
            if s.points is not None:
                factors = light(s.points, s.frame.height, s.frame.width, number / (len(seen) - 1))
                frames.append(replace(s.frame, pixels=relit(s.frame.pixels, factors)))
        outputs = _outputs(rig, persona, frames)
        live, worn = [], []
        for number, (s, frame) in enumerate(zip(seen, frames, strict=True)):
            before, after = plain[number], outputs[number]
            if number < _SETTLED or before is None or after is None or s.window is None or s.face is None:
                continue
            live.append(change(frame.pixels[s.window], s.frame.pixels[s.window], s.face))
            worn.append(change(after[s.window], before[s.window], s.face))
        if not live:
            continue
        likeness, slope = _followed(name, np.concatenate(live), np.concatenate(worn))
        rows = [Row(clip, persona, f"light.{name}.slope", slope, len(live))]
        if likeness is not None:
            rows.insert(0, Row(clip, persona, f"light.{name}.likeness", likeness, len(live)))
        middle = (_SETTLED + len(seen)) // 2
        output = outputs[middle]
        pictures = [frames[middle].pixels, frames[middle].pixels // 3 if output is None else output]
        yield name, Trial(rows, pictures, seen[middle].window or (slice(None), slice(None)))


def _followed(name: str, live: Floats, worn: Floats) -> tuple[float | None, float]:
    """Likeness and slope of what the light did; a light that is the same all over has no likeness."""
    if name == "dim":
        return None, shared(live.mean(axis=1), worn.mean(axis=1))
    if name == "warm":
        return None, shared(live[:, 2] - live[:, 0], worn[:, 2] - worn[:, 0])
    return follows(live.mean(axis=1), worn.mean(axis=1))


def _outputs(rig: Rig, persona: str, frames: Sequence[Frame]) -> list[Pixels | None]:
    pipeline = rig.pipeline(persona)
    return [rig.wear(pipeline, frame) for frame in frames]
