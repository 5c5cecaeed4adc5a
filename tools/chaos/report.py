"""A run's report: figures for machines, a table for people, pictures of whatever is wrong."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import cv2

from obs_facelive.home import Home
from obs_facelive.video import read_frames
from tools.bare_face import BareFace, Limits
from tools.chaos.faces import Likeness, likenesses
from tools.chaos.judge import Seen, look
from tools.chaos.run import Outcome, describe, recoveries

RECOVERY: Final = 5.0
"""Seconds within which 95 of 100 faults must be got over."""
_SHOWN: Final = 8


@dataclass(frozen=True)
class Judged:
    """All recorded pictures.

    Attributes
    ----------
    faces : whom the face in a picture is like, by the picture's number, where one was found
    bare, other : the numbers of the pictures in which the bare face was found, by either judge; that are nothing known
    """

    seen: Sequence[Seen]
    faces: Mapping[int, Likeness]
    bare: Sequence[int]
    other: Sequence[int]
    figures: Mapping[str, Any]


def judge(home: Home, clip: Path, outcome: Outcome, every: int) -> Judged:
    """Looks at every picture, and at every ``every``-th one with the recogniser; ``clip``: see `tools.bare_face.BareFace`.

    Each second bare picture measures, each other must be found out by what was measured.

    Raises
    ------
    ValueError
        The judges do not find the bare face in pictures that show it: they are good for nothing.
    """
    source = BareFace(home, clip)
    bare_ones = [path for _, path in outcome.control]
    faces, *known = likenesses(home, clip, [outcome.recording, *bare_ones], every)
    familiar = [value for found in known for value in found.values()]
    control = [seen for path in bare_ones for seen in look(source, path) if seen.code is not None]
    limits = Limits.of(control[::2])
    missed = sum(not limits.beside_clip(seen) for seen in control) + sum(not face.familiar for face in familiar)
    if missed or not familiar:
        raise ValueError(f"{missed} of {len(control)} + {len(familiar)} bare pictures are not found out")
    seen = list(look(source, outcome.recording))
    bare = {s.number for s in seen if limits.beside_clip(s)} | {n for n, face in faces.items() if face.familiar}
    other = [s.number for s in seen if s.kind == "other"]
    swapped = [s for s in seen if s.kind in ("live", "held")]
    covered = [s for s in seen if s.kind == "covered"]
    looked = len(range(0, len(seen), every))
    figures = {
        "pictures": len(seen),
        "kinds": dict(Counter(s.kind for s in seen)),
        "bare": len(bare),
        "other": len(other),
        "control": {"pictures": len(control), "faces": len(familiar)},
        "distance": {
            "bare_at_most": max(s.distance for s in control),
            "limit": round(limits.distance, 2),
            "swapped_at_least": min((s.distance for s in swapped), default=None),
            "covered_at_least": min((s.distance for s in covered), default=None),
        },
        "alikeness": {
            "bare_at_least": min(s.alikeness for s in control),
            "limit": round(limits.alikeness, 3),
            "swapped_at_most": max((s.alikeness for s in swapped), default=None),
            "covered_at_most": max((s.alikeness for s in covered), default=None),
        },
        "detail": {"covered_at_most": max((s.detail for s in covered), default=None)},
        "recogniser": {
            "pictures": looked,
            "faces": len(faces),
            "control_margin": round(min(face.bare - face.worn for face in familiar), 3),
            "margin": round(min((face.worn - face.bare for face in faces.values()), default=1.0), 3),
            "bare_at_least": round(min(face.bare for face in familiar), 3),
            "bare_at_most": round(max((face.bare for face in faces.values()), default=0.0), 3),
            "faces_in_covered": sum(1 for s in covered if s.number in faces),
        },
    }
    return Judged(seen, faces, sorted(bare), other, figures)


def wrong(outcome: Outcome, judged: Judged) -> list[str]:
    """What broke a promise, in words; empty if nothing did."""
    figures, found = describe(outcome), []
    if outcome.raw_frames_shown:
        found.append(f"{outcome.raw_frames_shown} bare frames by the filter's own counter")
    if judged.bare:
        found.append(f"{len(judged.bare)} recorded pictures show the bare face; the first: {judged.bare[0]}")
    if judged.other:
        found.append(f"{len(judged.other)} recorded pictures are nothing known; the first: {judged.other[0]}")
    if figures["not_recovered"]:
        names = sorted({each.name for each in outcome.struck if each.recovery is None})
        found.append(f"not got over: {', '.join(names)}")
    if figures["recovery_s"][95] > RECOVERY:
        found.append(f"got over in {figures['recovery_s'][95]} s (p95)")
    return found + [f"left behind: {leak}" for leak in outcome.leaks]


def markdown(outcome: Outcome, judged: Judged, title: str) -> str:
    """The report for people."""
    figures, pictures = describe(outcome), judged.figures
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(pictures["kinds"].items()))
    recovery, control = figures["recovery_s"], pictures["control"]
    distance, alike, who = pictures["distance"], pictures["alikeness"], pictures["recogniser"]
    lines = [
        f"## {title}",
        "",
        f"- {figures['faults']} faults in {outcome.seconds:.0f} s, {figures['not_recovered']} not got over; "
        f"recovery p50 {recovery[50]} s, p95 {recovery[95]} s, most {recovery[100]} s; {figures['engines']} engines",
        f"- recorded pictures: {pictures['pictures']} ({kinds}); **bare: {pictures['bare']}**; "
        f"`raw_frames_shown` {figures['raw_frames_shown']}",
        f"- distance to the bare face: bare at most {distance['bare_at_most']}, limit {distance['limit']}, "
        f"swapped at least {distance['swapped_at_least']}, covered at least {distance['covered_at_least']}",
        f"- likeness of fine detail: bare at least {alike['bare_at_least']}, limit {alike['limit']}, "
        f"swapped at most {alike['swapped_at_most']}; covered {alike['covered_at_most']}",
        f"- recogniser: {who['faces']} faces in {who['pictures']} pictures, each more like a persona than like the "
        f"bare person, by {who['margin']} at least (bare ones less, by {who['control_margin']} at least); "
        f"{who['faces_in_covered']} faces in covered pictures",
        f"- control: {control['pictures']} bare pictures and {control['faces']} bare faces, each found out",
        f"- left behind: {', '.join(outcome.leaks) or 'nothing'}; OBS's threads {outcome.before.threads} → "
        f"{outcome.after.threads}, file descriptors {outcome.before.fds} → {outcome.after.fds}",
        "",
        "| fault | times | p50, s | most, s |",
        "|---|---|---|---|",
    ]
    for name, times in sorted(recoveries(outcome.struck).items()):
        good = sorted(t for t in times if t is not None)
        lost = f" ({times.count(None)} not got over)" if None in times else ""
        middle, most = (good[(len(good) - 1) // 2], good[-1]) if good else ("", "")
        lines.append(f"| {name} | {len(times)} | {middle} | {most}{lost} |")
    return "\n".join(lines) + "\n"


def write(folder: Path, outcome: Outcome, judged: Judged, title: str) -> None:
    """Writes ``report.json``, ``report.md`` and pictures of what is wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    data = {
        "figures": describe(outcome) | {"pictures": judged.figures},
        "wrong": wrong(outcome, judged),
        "struck": [asdict(each) for each in outcome.struck],
        "seen": [asdict(each) for each in judged.seen],
        "faces": {number: asdict(face) for number, face in judged.faces.items()},
    }
    (folder / "report.json").write_text(json.dumps(data))
    (folder / "report.md").write_text(markdown(outcome, judged, title))
    chosen = {*judged.bare[:_SHOWN], *judged.other[:_SHOWN]}
    for frame in read_frames(outcome.recording):
        if frame.id in chosen:
            cv2.imwrite(str(folder / f"wrong-{frame.id}.png"), frame.pixels)
