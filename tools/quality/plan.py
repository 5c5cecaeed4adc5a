"""What is judged: which clips, which personas, how long."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from obs_facelive.home import Home
from obs_facelive.video import SUFFIXES
from tools.quality.footage import Footage, synthetic
from tools.quality.scenes import SCENES

MEASURES = ("worn", "occlusion", "light", "speed")
"""Groups that ``--measures`` chooses from; "worn" is expression, identity, steadiness, seam and the yaw bins."""
_TRIED = ("camera", "s18", "d3", "d10")
"""Clips that things are laid over, and that are relit: faces of a webcam's size, bright and dim, hair loose and tied."""


@dataclass(frozen=True)
class Plan:
    """The extent of a run.

    Attributes
    ----------
    clips : names of scenes, or files
    personas : all of them
    thorough : how many personas a clip are watched in long runs; the others in short ones
    runs, long, short : runs a clip, and how many frames each has
    measures : of `MEASURES`
    trial : frames of a trial of occlusion or light
    """

    clips: Sequence[str]
    personas: Sequence[str]
    thorough: int = 2
    runs: int = 3
    long: int = 24
    short: int = 8
    measures: Sequence[str] = MEASURES
    trial: int = 18

    def chosen(self, number: int) -> list[str]:
        """The personas that the ``number``-th clip is watched with in long runs: over the clips, every one has its turn."""
        count = len(self.personas)
        step = max(1, count // max(1, self.thorough))
        return list(dict.fromkeys(self.personas[(number + k * step) % count] for k in range(min(self.thorough, count))))

    def tried(self, number: int, name: str) -> list[str]:
        """The personas of the ``number``-th clip for trials: one, on `_TRIED` or, without any of them, on every clip."""
        usual = any(Path(clip).stem in _TRIED for clip in self.clips)
        return self.chosen(number)[:1] if name in _TRIED or not usual else []


def all_clips(home: Home) -> list[str]:
    """Every scene, the demo's camera, and the footage of the tests where it is there (``FACELIVE_TEST_DATA``)."""
    beside = Path(__file__).absolute().parents[3] / "shared" / "data"
    folder = Path(os.environ.get("FACELIVE_TEST_DATA") or beside) / "clips"
    files = sorted(file for file in folder.glob("*") if file.suffix in SUFFIXES) if folder.is_dir() else []
    camera = home.root / "demo" / "camera.mp4"
    return [*SCENES, *([str(camera)] if camera.is_file() else []), *map(str, files)]


def open_clip(home: Home, clip: str) -> Footage:
    """A scene by its name, or a file. Raises `FileNotFoundError`, and as `tools.quality.footage.synthetic` does."""
    if clip in SCENES:
        return synthetic(home, clip)
    file = Path(clip)
    if not file.is_file():
        raise FileNotFoundError(f"{clip} is neither a scene ({', '.join(SCENES)}) nor a file")
    return Footage(file.stem, file)
