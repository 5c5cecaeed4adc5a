"""Figures: one row a clip, persona and measure; what each measure is, and what it should be."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Better = Literal["lower", "higher", "one"]


@dataclass(frozen=True)
class Measure:
    """What is measured.

    Attributes
    ----------
    title : for people
    better : which values are: "one" means the nearer to 1
    aim : at the most, at the least, or at the most away from 1; None: nothing is aimed at
    """

    title: str
    better: Better
    aim: float | None = None

    def meets(self, value: float) -> bool | None:
        """Whether ``value`` is as it should be; None without an aim."""
        return None if self.aim is None else self.badness(value) <= self._limit(self.aim)

    def badness(self, value: float) -> float:
        """Falls as ``value`` gets better."""
        return {"lower": value, "higher": -value, "one": abs(value - 1)}[self.better]

    def _limit(self, aim: float) -> float:
        return -aim if self.better == "higher" else aim


_FIXED: Final = {
    "live": Measure("frames that are swapped, share", "higher"),
    "bare": Measure("inner face that is the camera's own picture, share of pixels", "lower"),
    "expression.landmarks": Measure("landmarks: median error, % of the distance of the eyes", "lower", 2.0),
    "expression.landmarks_p90": Measure("landmarks: the same in the worst tenth of frames, %", "lower"),
    "expression.mouth": Measure("mouth's opening follows, correlation", "higher", 0.9),
    "expression.right_eye": Measure("right eye's opening follows, correlation", "higher", 0.9),
    "expression.left_eye": Measure("left eye's opening follows, correlation", "higher", 0.9),
    "expression.brows": Measure("brows follow, correlation", "higher", 0.9),
    "identity.share": Measure("frames nearer to the persona than to the live face, share", "higher", 0.95),
    "identity.margin": Measure("by how much nearer, cosine, median", "higher"),
    "steadiness.ratio": Measure("change that the camera's motion does not explain, output / raw", "lower", 1.25),
    "sticking.px": Measure("slide of the texture on the skin, px a frame at 720p (raw's flow)", "lower", 0.5),
    "sticking.true_px": Measure("slide of the texture, px a frame (the mesh's true motion)", "lower", 0.5),
    "sticking.floor_px": Measure("the raw picture's own flow against the true motion: the judge's error, px", "lower"),
    "seam.step": Measure("change of colour across the edge, output / raw", "lower", 1.15),
    "seam.bend": Measure("its second derivative, output / raw", "lower", 1.15),
    "seam.worst": Measure("change of colour, the worst tenth of the outline, output / raw", "lower"),
    "speed.fps": Measure("frames a second on one core, 1280x720", "higher"),
}
_FAMILIES: Final = (
    ("occlusion.", ".kept", "{}: kept in front of the face, share of pixels", "higher", 0.9),
    ("occlusion.", ".lost", "{}: face beside it that is not swapped, share of pixels", "lower", 0.05),
    ("occlusion.", ".live", "{}: frames that are swapped with it in front, share", "higher", None),
    ("light.", ".likeness", "{}: change of light follows, correlation", "higher", 0.9),
    ("light.", ".slope", "{}: how much of the change goes over, slope", "one", 0.3),
    ("speed.", "_ms", "{}: ms a frame on one core", "lower", None),
    ("yaw.", ".live", "yaw {} degrees: frames that are swapped, share", "higher", None),
    ("yaw.", ".landmarks", "yaw {} degrees: landmarks, % of the distance of the eyes", "lower", 2.0),
    ("yaw.", ".bare", "yaw {} degrees: inner face that is the camera's own picture, share", "lower", None),
    ("yaw.", ".truth", "yaw {} degrees: landmarks of the raw picture against the truth, %", "lower", None),
    ("yaw.", ".seam", "yaw {} degrees: change of colour across the edge", "lower", 1.15),
)


def measure(name: str) -> Measure:
    """The measure that is called ``name``. Raises `KeyError`."""
    if name in _FIXED:
        return _FIXED[name]
    for start, end, title, better, aim in _FAMILIES:
        if name.startswith(start) and name.endswith(end):
            return Measure(title.format(name[len(start) : -len(end)].replace("_", " ")), better, aim)  # type: ignore[arg-type]
    raise KeyError(name)


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes
    ----------
    clip, persona : names
    measure : see `measure`
    value : in the measure's unit
    count : frames (or pixels, for occlusion) that it is made of
    """

    clip: str
    persona: str
    measure: str
    value: float
    count: int

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is a figure of."""
        return self.clip, self.persona, self.measure


def write_csv(rows: Iterable[Row], file: Path) -> None:
    """Writes ``rows``, replacing ``file`` in one step."""
    fresh = file.with_name(f".{os.getpid()}-{file.name}")
    with fresh.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(("clip", "persona", "measure", "value", "better", "aim", "meets", "count"))
        for row in rows:
            what = measure(row.measure)
            meets = what.meets(row.value)
            said = "" if meets is None else "yes" if meets else "no"
            aim = "" if what.aim is None else what.aim
            table.writerow((*row.key, f"{row.value:.5g}", what.better, aim, said, row.count))
    fresh.replace(file)


def read_csv(file: Path) -> list[Row]:
    """The rows of an earlier run; ``file`` may be its folder. Raises `OSError`, or `ValueError` where it is no such file."""
    path = file / "quality.csv" if file.is_dir() else file
    with path.open(newline="") as stream:
        try:
            return [
                Row(line["clip"], line["persona"], line["measure"], float(line["value"]), int(line["count"]))
                for line in csv.DictReader(stream)
            ]
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path} is not a quality.csv") from error


@dataclass(frozen=True)
class Change:
    """One measure before and after, over the clips and personas that both runs have.

    Attributes
    ----------
    before, after : medians
    better, worse : how many became better or worse by more than a fiftieth
    count : how many there are
    """

    measure: str
    before: float
    after: float
    better: int
    worse: int
    count: int


def compare(before: Sequence[Row], after: Sequence[Row]) -> list[Change]:
    """What changed, a line a measure, in the order of ``after``."""
    old = {row.key: row.value for row in before}
    pairs: dict[str, list[tuple[float, float]]] = {}
    for row in after:
        if row.key in old:
            pairs.setdefault(row.measure, []).append((old[row.key], row.value))
    changes = []
    for name, values in pairs.items():
        what = measure(name)
        steps = [what.badness(b) - what.badness(a) for b, a in values]
        slack = [0.02 * max(abs(b), 0.05) for b, _ in values]
        better = sum(s > limit for s, limit in zip(steps, slack, strict=True))
        worse = sum(-s > limit for s, limit in zip(steps, slack, strict=True))
        middle = [_median([pair[k] for pair in values]) for k in range(2)]
        changes.append(Change(name, middle[0], middle[1], better, worse, len(values)))
    return changes


@dataclass(frozen=True)
class Summary:
    """One measure over all clips and personas.

    Attributes
    ----------
    median : of the values
    meet : share of them that meet the aim; None without one
    worst : the row that is farthest from good
    count : how many rows there are
    """

    measure: str
    median: float
    meet: float | None
    worst: Row
    count: int


def summaries(rows: Sequence[Row]) -> list[Summary]:
    """A line a measure, in the order in which they first come."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.measure, []).append(row)
    lines = []
    for name, group in found.items():
        what = measure(name)
        meets = [what.meets(row.value) for row in group]
        share = None if what.aim is None else sum(bool(m) for m in meets) / len(meets)
        worst = max(group, key=lambda row: what.badness(row.value))
        lines.append(Summary(name, _median([row.value for row in group]), share, worst, len(group)))
    return lines


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
