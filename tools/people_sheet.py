"""All people who do not exist side by side: no twins, and how they look when they are worn.

    python -m tools.people_sheet --out DIR [--clips ../shared/data/clips/*.mp4] [--personas amina bruno ...]

Writes ``people.jpg`` (everybody's picture, whom they resemble most), ``alike.csv`` (each against every other by the independent
recogniser), and ``best.jpg`` and ``worst.jpg`` (the six best and worst of persona x clip, with the camera's picture beside).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np

from obs_facelive.catalog import ModelError
from obs_facelive.frame import Floats, Frame, Pixels
from obs_facelive.home import Home
from obs_facelive.personas.library import THUMBNAIL_FILE, PersonaError, load_info, load_persona
from obs_facelive.personas.likeness import likeness
from obs_facelive.settings import Settings
from tools.contact_sheet import moments
from tools.quality.expression import landmark_error
from tools.quality.rig import Rig
from tools.quality.seam import seam
from tools.quality.sheet import cell, save, sheet
from tools.recogniser import SAME_PERSON
from tools.wheels import FetchError

_SIDE = 512
_COLUMNS = 5
_SHOWN = 6


@dataclass(frozen=True)
class Someone:
    """One of the people.

    Attributes
    ----------
    picture : (256, 256, 3), the thumbnail
    drawn : (s, s, 3), see `obs_facelive.personas.likeness`
    seen, alone : (128,) whose face the recogniser sees in the picture and in what is drawn
    """

    id: str
    name: str
    picture: Pixels
    drawn: Pixels
    seen: Floats
    alone: Floats


@dataclass(frozen=True)
class Cell:
    """Somebody worn in one moment of a clip.

    Attributes
    ----------
    who : (128,) whose face the output shows
    margin : by how much it is more like the persona than like the live person, as cosines
    step : see `tools.quality.seam.Seam`
    error : see `tools.quality.expression.landmark_error`
    """

    id: str
    moment: str
    output: Pixels
    camera: Pixels
    who: Floats
    margin: float
    step: float
    error: float


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the sheets")
    parser.add_argument("--clips", type=Path, nargs="*", default=[], help="videos or pictures to be worn on")
    parser.add_argument("--personas", nargs="*", help="ids (default: all who do not exist)")
    parser.add_argument("--moments", type=int, default=2, help="of each clip")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    home = Home.find()
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        rig = Rig(home, Settings())
        ids = options.personas or [name for name in home.persona_names() if not load_info(home.personas / name).real]
        people = [someone(rig, name) for name in ids]
        save(who_is_who(people), options.out / "people.jpg")
        cells = [found for clip in options.clips for found in worn(rig, people, clip, options.moments)]
        save_pairs(people, cells, options.out / "alike.csv")
        if cells:
            ranked = rank(cells)
            save(beside(ranked[:_SHOWN]), options.out / "best.jpg")
            save(beside(ranked[-_SHOWN:]), options.out / "worst.jpg")
    except (FetchError, ModelError, PersonaError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for line in report(people, cells):
        print(line)
    return 0


def someone(rig: Rig, name: str) -> Someone:
    """The persona ``name``, looked at. Raises `PersonaError`, or `ValueError` where its picture shows no face."""
    persona = load_persona(rig.home.personas / name)
    picture = cv2.imread(str(rig.home.personas / name / THUMBNAIL_FILE))
    if picture is None:
        raise ValueError(f"there is no picture of {name}")
    large = np.asarray(cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC), np.uint8)
    found = rig.find(large)
    if found is None:
        raise ValueError(f"there is no face in the picture of {name}")
    drawn, points = likeness(persona, rig.canonical)
    seen, alone = rig.who(large, found[0]), rig.who(drawn, points)
    return Someone(name, persona.info.name, np.asarray(picture, np.uint8), drawn, seen, alone)


def worn(rig: Rig, people: Sequence[Someone], clip: Path, count: int) -> list[Cell]:
    """Everybody in ``count`` moments of ``clip`` in which a face is found; who is not swapped there is left out."""
    cells: list[Cell] = []
    for number, run in enumerate(moments(clip, count)):
        live = rig.find(run[-1].pixels)
        if live is None:
            continue
        raw = rig.who(run[-1].pixels, live[0])
        for person in people:
            output = _output(rig, person.id, run)
            again = None if output is None else rig.again(output, live[1])
            edge = None if output is None else seam(output, run[-1].pixels, live[0], rig.canonical)
            if output is None or again is None or edge is None:
                continue
            who = rig.who(output, again)
            box = _box(live[0], run[-1])
            cells.append(
                Cell(
                    person.id,
                    f"{clip.stem} {number + 1}",
                    cell(output, box),
                    cell(run[-1].pixels, box),
                    who,
                    float(who @ person.seen - who @ raw),
                    edge.step,
                    landmark_error(live[0], again),
                )
            )
    return cells


def _output(rig: Rig, persona: str, run: Sequence[Frame]) -> Pixels | None:
    pipeline = rig.pipeline(persona)
    return [rig.wear(pipeline, frame) for frame in run][-1]


def _box(points: Floats, frame: Frame) -> tuple[slice, slice]:
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    centre, half = (low + high) / 2, float((high - low).max()) * 0.75
    left, top = np.clip(centre - half, 0, None).astype(int)
    right, bottom = np.clip(centre + half, 0, [frame.width, frame.height]).astype(int)
    return slice(int(top), int(bottom)), slice(int(left), int(right))


def pairs(people: Sequence[Someone], cells: Sequence[Cell]) -> list[tuple[str, str, float, float, float]]:
    """Each against every other: their ids, and cosines of their pictures, drawn alone, and worn (mean; nan: never both)."""
    by = {(found.id, found.moment): found.who for found in cells}
    when = sorted({found.moment for found in cells})
    out = []
    for one, two in combinations(people, 2):
        both = [by[one.id, t] @ by[two.id, t] for t in when if (one.id, t) in by and (two.id, t) in by]
        mean = float(np.mean(both)) if both else float("nan")
        out.append((one.id, two.id, float(one.seen @ two.seen), float(one.alone @ two.alone), mean))
    return sorted(out, key=lambda pair: -pair[2])


def rank(cells: Sequence[Cell]) -> list[Cell]:
    """The best first: like the persona, without a seam, with the live face's features where they were; each counts the same."""
    figures = np.array([[found.margin, -found.step, -found.error] for found in cells])
    score = ((figures - figures.mean(0)) / (figures.std(0) + 1e-9)).sum(1)
    return [cells[int(i)] for i in np.argsort(-score)]


def save_pairs(people: Sequence[Someone], cells: Sequence[Cell], file: Path) -> None:
    """Writes `pairs` as CSV."""
    lines = [
        "one,two,pictures,drawn,worn",
        *(f"{a},{b},{p:.3f},{d:.3f},{w:.3f}" for a, b, p, d, w in pairs(people, cells)),
    ]
    file.write_text("\n".join(lines) + "\n")


def who_is_who(people: Sequence[Someone]) -> Pixels:
    """Everybody's picture and what is drawn of them, under each other; with the nearest other person."""
    rows, labels = [], []
    for first in range(0, len(people), _COLUMNS):
        row = people[first : first + _COLUMNS]
        rows.append([image for person in row for image in (_named(person, people), cell(person.drawn, _ALL))])
        labels.append("")
    return sheet(rows, [], labels)


_ALL = (slice(56, 488), slice(40, 472))


def _named(person: Someone, people: Sequence[Someone]) -> Pixels:
    near = max((other for other in people if other is not person), key=lambda other: float(other.seen @ person.seen))
    picture = cell(person.picture, (slice(None), slice(None)))
    words = f"{person.name}: {near.name} {float(near.seen @ person.seen):.3f}"
    for colour, width in ((0, 3), (255, 1)):
        cv2.putText(picture, words, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (colour,) * 3, width, cv2.LINE_AA)
    return picture


def beside(cells: Sequence[Cell]) -> Pixels:
    """The camera's pictures above, who is worn below."""
    columns = [f"{found.id} {found.moment}" for found in cells]
    return sheet([[found.camera for found in cells], [found.output for found in cells]], columns, ["camera", "worn"])


def report(people: Sequence[Someone], cells: Sequence[Cell]) -> list[str]:
    """What is to be known, in lines."""
    all_pairs = pairs(people, cells)
    lines = [f"{len(people)} people, {len(all_pairs)} pairs"]
    for number, name in ((2, "pictures"), (3, "drawn alone"), (4, "worn on the same frame")):
        values = np.array([pair[number] for pair in all_pairs])
        if len(values) and np.isfinite(values).all():
            twins = int((values >= SAME_PERSON).sum())
            lines.append(
                f"{name}: median {np.median(values):.3f}, most {values.max():.3f}; {twins} at {SAME_PERSON} and above"
            )
    lines += [f"  {a:12} {b:12} pictures {p:.3f}  drawn {d:.3f}  worn {w:.3f}" for a, b, p, d, w in all_pairs[:12]]
    for title, part in (("best", rank(cells)[:_SHOWN]), ("worst", rank(cells)[-_SHOWN:])) if cells else ():
        lines += [
            f"{title}: {c.id} on {c.moment}: margin {c.margin:+.3f}, seam {c.step:.2f}, landmarks {100 * c.error:.1f} %"
            for c in part
        ]
    return lines


if __name__ == "__main__":
    sys.exit(main())
