"""How well only the owner of the camera is swapped: ``python -m tools.only_me_report [--scene NAME] [--out FOLDER]``.

Talking heads of people who do not exist sit together, pass before and behind one another, leave and come back
(`tools.company`). One of them is enrolled; who is where is known exactly. For each scene:

both found      pictures in which the owner and somebody else are seen (half of the face or more) and found by the detector
owner swapped   share of them in which the owner wears the persona and the picture is shown
others swapped  pictures in which somebody else does, or in which their face is not the camera's
bare owner      pictures that are shown while the owner's own face is to be seen in them
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from obs_facelive.catalog import ModelError
from obs_facelive.detect import Detector
from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.engine.stages import Stages
from obs_facelive.frame import Floats, Pixels
from obs_facelive.geometry import box_of, overlap
from obs_facelive.home import Home
from obs_facelive.identity.collector import Collector
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.pipeline import Pipeline
from obs_facelive.settings import Settings
from obs_facelive.steps import Outcome
from obs_facelive.topology import LEFT_EYE, NOSE_TIP, RIGHT_EYE, load_canonical_face
from obs_facelive.track.tracker import Tracker
from obs_facelive.view import compose
from tools.company import FPS, Place, Role, Scene, Shot, goes_out, load_cast, oval, shots, sits, walks
from tools.talking_head.renderer import Renderer
from tools.wheels import FetchError

WIDTH, HEIGHT = 960, 540
OWNER: Final = "P005"
_GUEST, _THIRD = "P008", "P002"
_HALF: Final = 0.5
_SEEN: Final = 0.25
"""Share of a face that must be seen for it to be recognised."""
_CHANGED: Final = 4.0
"""Levels by which the middle of a face differs from the camera's, on average, from which it counts as changed."""
_APART: Final = 1.6
"""Faces farther apart than so many of their sizes have no part in each other's patches."""
SCENES: Final = (
    Scene("two", 4, (Role(_GUEST, sits(0.74), 5), Role(OWNER, sits(0.28)))),
    Scene(
        "three",
        4,
        (Role(_THIRD, sits(0.82, 0.4, 0.5), 3), Role(_GUEST, sits(0.5, 0.45, 0.5), 5), Role(OWNER, sits(0.2))),
    ),
    Scene("guest passes in front", 6, (Role(OWNER, sits(0.5)), Role(_GUEST, walks(-0.2, 1.2, 0.5, 5, 0.5, 0.75), 8))),
    Scene("guest passes behind", 6, (Role(_GUEST, walks(-0.2, 1.2, 0.5, 5, 0.42, 0.6), 8), Role(OWNER, sits(0.5)))),
    Scene(
        "they change places", 6, (Role(OWNER, walks(0.25, 0.75, 1, 3.5), 0), Role(_GUEST, walks(0.75, 0.25, 1, 3.5), 8))
    ),
    Scene(
        "three, and two of them change places",
        6,
        (
            Role(_THIRD, sits(0.5, 0.3, 0.45), 3),
            Role(_GUEST, walks(0.2, 0.8, 1, 3.5, 0.55, 0.6), 8),
            Role(OWNER, walks(0.8, 0.2, 1, 3.5, 0.55, 0.7), 0),
        ),
    ),
    Scene("owner leaves and returns", 8, (Role(_GUEST, sits(0.72), 5), Role(OWNER, goes_out(0.3, 2, 5, -0.25)))),
    Scene("guest leaves and returns", 8, (Role(_GUEST, goes_out(0.72, 2, 5, 1.25), 5), Role(OWNER, sits(0.3)))),
)


@dataclass
class Tally:
    """What was counted in a scene, in pictures."""

    frames: int = 0
    both: int = 0
    owner_swapped: int = 0
    others_swapped: int = 0
    others_changed: int = 0
    bare_owner: int = 0
    looks: int = 0

    @property
    def share(self) -> float:
        """Of the pictures in which both are found, those in which the owner is swapped."""
        return self.owner_swapped / self.both if self.both else 1.0


def enrolled(home: Home, target: Home, cast: dict[str, Renderer]) -> Stages:
    """Stages with a data folder ``target`` of their own, in which the owner is enrolled by two seconds alone at the camera."""
    for folder in ("models", "personas"):
        (target.root / folder).symlink_to(getattr(home, folder), target_is_directory=True)
    stages, canonical = Stages(target, "cpu"), load_canonical_face(home.models)
    collector, tracker = Collector(stages.recogniser), Tracker()
    detector, landmarker = BlazeFace(home.models), FaceMesh(home.models)
    alone = Scene("alone", 3, (Role(OWNER, sits(0.5)),))
    for shot in shots(alone, cast):
        faces = tracker.follow(shot.frame, Settings(), detector.detect, landmarker.landmarks)
        collector.look(shot.frame, faces, canonical)
        if collector.finished:
            break
    stages.remember(collector.enrolment())
    return stages


def judge(
    pictures: Iterator[Shot], pipeline: Pipeline, detector: Detector, settings: Settings, out: Path | None
) -> Tally:
    """Runs ``pictures`` through ``pipeline`` and counts; every tenth result goes to the folder ``out``."""
    tally = Tally()
    for shot in pictures:
        outcome = pipeline.process(shot.frame, settings)
        shown = compose(shot.frame, outcome.patches) if outcome.faces and not outcome.turned else None
        _count(tally, shot, outcome, shown, detector, settings)
        if out and shot.frame.id % 10 == 0:
            picture = shown if shown is not None else np.zeros_like(shot.frame.pixels)
            both = np.hstack([shot.frame.pixels, picture])[..., :3]
            cv2.imwrite(str(out / f"{shot.frame.id:04}.jpg"), cv2.resize(both, None, fx=0.5, fy=0.5))
    return tally


def _count(
    tally: Tally, shot: Shot, outcome: Outcome, shown: Pixels | None, detector: Detector, settings: Settings
) -> None:
    tally.frames += 1
    height, width = shot.frame.height, shot.frame.width
    found = detector.detect(shot.frame.pixels).boxes
    seen = {who for who, place in shot.places.items() if place.visible >= _HALF and _is_in(place, found)}
    worn = {_nearest(box_of(face.points), shot) for face in outcome.faces} if shown is not None else set()
    both = OWNER in seen and len(seen) > 1
    tally.both += both
    tally.owner_swapped += both and OWNER in worn
    tally.others_swapped += bool(worn - {OWNER})
    if shown is None:
        return
    owner = shot.places.get(OWNER)
    for who, place in shot.places.items():
        changed = _difference(shot.frame.pixels, shown, place, width, height) > _CHANGED
        if who == OWNER:
            tally.bare_owner += place.visible >= _SEEN and not changed
        elif settings.others == "leave" and (owner is None or _distance(place, owner) > _APART):
            tally.others_changed += changed


def _is_in(place: Place, boxes: Floats) -> bool:
    return len(boxes) > 0 and float(overlap(box_of(place.points), boxes).max()) > 0.3


def _nearest(box: Floats, shot: Shot) -> str:
    """Whose face ``box`` is: of those that overlap with it, the one with the nearest nose."""
    middle = (box[:2] + box[2:]) / 2

    def away(who: str) -> float:
        place = box_of(shot.places[who].points)
        return float(np.linalg.norm((place[:2] + place[2:]) / 2 - middle))

    return min(shot.places, key=away, default="")


def _distance(one: Place, other: Place) -> float:
    a, b = one.points[NOSE_TIP, :2], other.points[NOSE_TIP, :2]
    return float(np.linalg.norm(a - b) / np.ptp(one.points[:, 1]))


def _difference(camera: Pixels, shown: Pixels, place: Place, width: int, height: int) -> float:
    """Mean difference in the face's middle, without the eyes and the mouth, which may stay the owner's."""
    middle = place.points.mean(0)
    core = oval(middle + (place.points - middle) * np.float32(0.7), width, height)
    for ring in (LEFT_EYE, RIGHT_EYE):
        cv2.fillPoly(core, [np.round(place.points[ring, :2]).astype(np.int32)], (0,))
    if not core.any():
        return 0.0
    return float(cv2.absdiff(camera[..., :3], shown[..., :3]).max(axis=2)[core > 0].mean())


def report(
    home: Home, scenes: list[Scene], settings: Settings, out: Path | None, size: tuple[int, int]
) -> dict[str, Tally]:
    """Judges each of ``scenes``. Raises `FetchError` or `ModelError`."""
    wheels, tallies = home.root / "cache" / "wheels", dict[str, Tally]()
    cast: dict[str, Renderer] = {}
    everybody = Scene("", 0, tuple({role.who: role for scene in scenes for role in scene.roles}.values()))
    cast = load_cast(everybody, home.models, wheels, *size)
    detector = BlazeFace(home.models)
    with tempfile.TemporaryDirectory() as scratch:
        stages = enrolled(home, Home(Path(scratch)), cast)
        for scene in scenes:
            folder = out / scene.name.replace(" ", "-") if out else None
            if folder:
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
            pipeline = stages.pipeline(settings)
            tally = tallies[scene.name] = judge(shots(scene, cast), pipeline, detector, settings, folder)
            tally.looks = pipeline.owner.looks if pipeline.owner else 0
    return tallies


def main() -> int:
    """Prints a table. Returns the exit status: 0 if the promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scene", action="append", choices=[scene.name for scene in SCENES], help="only this one")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="pictures to be looked at")
    parser.add_argument("--cover", action="store_true", help="cover other people's faces")
    options = parser.parse_args()
    scenes = [scene for scene in SCENES if not options.scene or scene.name in options.scene]
    settings = Settings(only_me=True, others="cover" if options.cover else "leave", persona="leila", badge="off")
    try:
        tallies = report(Home.find(), scenes, settings, options.out, (WIDTH, HEIGHT))
    except (FetchError, ModelError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(
        f"{'scene':38}{'pictures':>9}{'both found':>11}{'owner':>8}{'others':>8}{'changed':>8}{'bare':>6}{'looks':>7}"
    )
    for name, t in tallies.items():
        print(
            f"{name:38}{t.frames:9}{t.both:11}{t.share:8.1%}{t.others_swapped:8}{t.others_changed:8}{t.bare_owner:6}{t.looks:7}"
        )
    both = sum(t.both for t in tallies.values())
    share = sum(t.owner_swapped for t in tallies.values()) / max(1, both)
    clean = not any(t.others_swapped or t.bare_owner for t in tallies.values())
    print(f"all: owner swapped in {share:.2%} of {both} pictures with both, at {FPS} a second")
    return 0 if share >= 0.99 and clean else 1


if __name__ == "__main__":
    sys.exit(main())
