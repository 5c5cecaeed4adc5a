"""The camera's pictures as the judge sees them: runs of consecutive frames, with what all personas are compared to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2

from obs_facelive.frame import Floats, Frame, Roi
from obs_facelive.geometry import head_pose
from tools.quality.areas import Mask, crop, inner_face
from tools.quality.footage import Footage
from tools.quality.moving import flow, unexplained
from tools.quality.rig import Rig

LEAD = 5
"""Frames that run before each measured run, so that smoothing has settled."""
_WHO_EVERY = 3
"""The recogniser looks at every n-th frame."""


@dataclass(frozen=True)
class Seen:
    """One raw frame.

    Attributes
    ----------
    points : (478, 3), looked for afresh; None where there is no face, and then all that follows is None
    roi : where the face is looked for again in the output
    yaw : degrees
    who : (128,) whose face it is; None where the recogniser was not asked
    window : rows and columns around the face
    face : (h, w) of the window: the inner face
    moved : (h, w, 2) the optical flow in the window to the frame before; None in the first frame, as is `residual`
    residual : what that flow leaves unexplained, of 255
    measured : False for the first frames of a run, in which smoothing settles
    """

    frame: Frame
    measured: bool
    points: Floats | None = None
    roi: Roi | None = None
    yaw: float | None = None
    who: Floats | None = None
    window: tuple[slice, slice] | None = None
    face: Mask | None = None
    moved: Floats | None = None
    residual: float | None = None


def runs(total: int, count: int, length: int) -> list[range]:
    """``count`` runs of `LEAD` + ``length`` frames, evenly over ``total``; one of all frames where that is hardly more."""
    whole = LEAD + length
    if total <= 1.3 * count * whole:
        return [range(total)]
    return [
        range(first, first + whole) for first in (round(k * (total - whole) / max(1, count - 1)) for k in range(count))
    ]


def shorter(watched: Sequence[Sequence[Seen]], count: int, length: int) -> list[list[Seen]]:
    """``count`` runs of `LEAD` + ``length`` frames out of longer ones, evenly."""
    if len(watched) > 1:
        pieces = [run[: LEAD + length] for run in watched]
    else:
        pieces = [[watched[0][k] for k in part] for part in runs(len(watched[0]), count, length)]
    return [[replace(seen, measured=number >= LEAD) for number, seen in enumerate(run)] for run in pieces]


def load(footage: Footage, count: int, length: int) -> list[list[Frame]]:
    """The frames of `runs`. Raises `obs_facelive.video.VideoError`."""
    chosen = runs(frame_count(footage), count, length)
    wanted = {frame.id: frame for frame in footage.frames({k for run in chosen for k in run})}
    return [[wanted[k] for k in run if k in wanted] for run in chosen]


def frame_count(footage: Footage) -> int:
    """How many frames the file has, counted if it does not say."""
    promised = int(cv2.VideoCapture(str(footage.file)).get(cv2.CAP_PROP_FRAME_COUNT))
    return promised if promised > 0 else sum(1 for _ in footage.frames())


def watch(rig: Rig, run: Sequence[Frame]) -> list[Seen]:
    """What there is to see in the frames of one ``run``."""
    seen: list[Seen] = []
    for number, frame in enumerate(run):
        measured = number >= LEAD
        found = rig.find(frame.pixels)
        if found is None:
            seen.append(Seen(frame, measured))
            continue
        points, roi = found
        window = crop(points, frame.height, frame.width)
        face = inner_face(points, frame.height, frame.width)[window]
        moved, residual = None, None
        if seen:
            now, before = frame.pixels[window], seen[-1].frame.pixels[window]
            moved = flow(now, before)
            residual = unexplained(now, before, moved, face)
        who = rig.who(frame.pixels, points) if number % _WHO_EVERY == 0 else None
        yaw = head_pose(points, rig.canonical)[0]
        seen.append(Seen(frame, measured, points, roi, yaw, who, window, face, moved, residual))
    return seen
