"""What the person of the demo clip does: one closed loop of head pose and expression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LOOP = 12.0
"""Seconds."""
_BLINKS = (1.1, 3.9, 4.35, 7.45, 9.6, 11.4)
_BLINK_HALF = 0.13
"""Seconds from fully closed to fully open."""

_COLUMNS = "at yaw pitch roll x y z smile jaw brows look_x look_y talk".split()
_SCRIPT = np.array(
    [
        [0.0, 0, 0, 0, 0, 0, 0, 0.05, 0, 0, 0, 0, 0],
        [1.0, 4, 2, 1, -6, 4, 0, 0.1, 0, 0.1, 0.1, 0, 1],
        [2.2, -10, -2, -2, 8, 2, -30, 0.15, 0, 0.5, -0.1, 0, 1],
        [3.2, -34, 1, -3, 26, 0, -20, 0.1, 0, 0.2, -0.35, 0, 0.4],
        [4.2, -16, 3, 1, 14, 4, 0, 0.7, 0, 0, -0.1, 0, 0],
        [5.2, 2, 0, 3, -4, 0, -220, 1, 0.1, 0.2, 0.1, 0, 0],
        [6.2, 14, -3, 2, -14, 0, -300, 0.6, 0, 0.4, 0.2, -0.1, 0.7],
        [7.2, 36, 2, 4, -30, 0, -60, 0.05, 0, 0.1, 0.4, 0, 1],
        [8.2, 14, 6, 0, -12, 8, 80, 0, 0, -0.2, 0.1, 0.25, 0.5],
        [9.2, -2, -7, -4, 2, -8, 180, 0, 0.9, 1, 0, -0.2, 0],
        [10.2, -7, -2, -7, 10, 0, 120, 0.5, 0.1, 0.3, 0.35, 0, 0.5],
        [11.1, -5, 4, -2, 4, 4, 40, 0.3, 0, 0, -0.3, 0, 0.6],
    ]
)


@dataclass(frozen=True)
class Motion:
    """One moment.

    Attributes
    ----------
    yaw, pitch, roll : degrees, with the signs of `obs_facelive.geometry.head_pose`
    x, y, z : the head's place in the portrait's pixels; right, down, away
    smile, jaw, brows : 0 neutral, 1 full smile, open mouth, raised brows
    round : 0..1, lips rounded
    blink : 0 open, 1 closed
    look_x, look_y : the eyes' turn in radii of the iris; the picture's right, down
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    smile: float = 0.0
    jaw: float = 0.0
    brows: float = 0.0
    round: float = 0.0
    blink: float = 0.0
    look_x: float = 0.0
    look_y: float = 0.0


def motion_at(time: float) -> Motion:
    """The moment at ``time`` seconds; repeats itself, without a jump, every `LOOP` seconds."""
    time %= LOOP
    row = dict(zip(_COLUMNS[1:], map(float, _between_keys(time)), strict=True))

    def wave(times: int, phase: float = 0.0) -> float:
        # A whole number of turns in a loop, so that the loop closes.
        return float(np.sin(2 * np.pi * times * time / LOOP + phase))

    talk = max(0.0, row.pop("talk"))
    syllable = max(0.0, 0.5 * wave(38) + 0.35 * wave(53, 1) + 0.25 * wave(23, 2) + 0.1)
    row["jaw"] = max(0.0, row["jaw"]) + 0.55 * talk * syllable
    row["round"] = talk * max(0.0, 0.5 * wave(29, 0.5) + 0.3 * wave(17))
    row["smile"] = max(0.0, row["smile"])
    row["yaw"] += 0.6 * wave(7)
    row["pitch"] += 0.6 * wave(11, 1)
    row["roll"] += 0.6 * wave(5, 2)
    return Motion(blink=max(_blink(time - at) for at in _BLINKS), **row)


def _between_keys(time: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The script's columns after the first, at ``time``: cubic Hermite through the rows, slopes of Catmull and Rom."""
    rows = np.vstack([_SCRIPT[-1:], _SCRIPT, _SCRIPT[:2]])
    at, value = rows[:, 0].copy(), rows[:, 1:]
    at[0] -= LOOP
    at[-2:] += LOOP
    k = int(np.searchsorted(at, time, "right")) - 1
    span = at[k + 1] - at[k]
    u = (time - at[k]) / span
    start = (value[k + 1] - value[k - 1]) / (at[k + 1] - at[k - 1]) * span
    end = (value[k + 2] - value[k]) / (at[k + 2] - at[k]) * span
    curve = (2 * u**3 - 3 * u**2 + 1) * value[k] + (u**3 - 2 * u**2 + u) * start
    curve += (3 * u**2 - 2 * u**3) * value[k + 1] + (u**3 - u**2) * end
    return np.asarray(curve, np.float64)


def _blink(after: float) -> float:
    """How far the lids are closed ``after`` seconds past the middle of a blink."""
    apart = abs((after + LOOP / 2) % LOOP - LOOP / 2)
    openness = min(max((apart - 0.03) / (_BLINK_HALF - 0.03), 0.0), 1.0)
    return 1 - openness * openness * (3 - 2 * openness)
