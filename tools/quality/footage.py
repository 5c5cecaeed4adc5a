"""Clips that are judged: synthetic ones with their truth, made once and kept, and files.

python -m tools.quality.footage [NAME ...]      makes the synthetic clips (default: all) and says where they are
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from obs_facelive.catalog import ModelError
from obs_facelive.frame import Floats, Frame, Pixels, Plane
from obs_facelive.home import Home
from obs_facelive.video import VideoError
from tools.demo_clip import Clip, encode, load_renderer
from tools.quality.scenes import FPS, HEIGHT, SCENES, WIDTH, Scene, Shot, shoot
from tools.talking_head.renderer import Renderer
from tools.wheels import FetchError

RECIPE = "1"
"""Counts up whenever the same scenes would give other pictures."""
_CRF = 10
"""Of x264: the sensor's noise outlives it."""
_NONE: Floats = np.zeros((0, 0, 3), np.float32)


@dataclass(frozen=True)
class Truth:
    """What is known of a synthetic clip of n frames.

    Attributes
    ----------
    points : (n, 478, 3) float32, pixels
    yaw : (n,) float32, degrees
    light : (n, 3) float32, direction to the lamp, of length 1
    alpha : (n, h, w) uint8, 255 where something hides the face; (n, 0, 0) where nothing ever does
    """

    points: Floats
    yaw: Floats
    light: Floats
    alpha: Plane


@dataclass(frozen=True)
class Footage:
    """A clip.

    Attributes
    ----------
    name : for people
    file : the video
    clean : the same without what gets in front of the face, pixel for pixel; none for a file
    truth : none for a file
    """

    name: str
    file: Path
    clean: Path | None = None
    truth: Truth | None = None

    def frames(self, wanted: Collection[int] | None = None) -> Iterator[Frame]:
        """Its pictures in order, all or the ``wanted`` ones. Raises `obs_facelive.video.VideoError`."""
        return _frames(self.file, wanted)

    def clean_frames(self) -> Iterator[Frame]:
        """Those of `clean`; none if there is none."""
        return _frames(self.clean, None) if self.clean else iter(())


def _frames(file: Path, wanted: Collection[int] | None) -> Iterator[Frame]:
    """OpenCV reads them: unlike `obs_facelive.video.read_frames` it need not convert the pictures in between."""
    video = cv2.VideoCapture(str(file))
    rate, number, last = video.get(cv2.CAP_PROP_FPS) or 30.0, 0, max(wanted) if wanted else None
    while (last is None or number <= last) and video.grab():
        if wanted is None or number in wanted:
            good, picture = video.retrieve()
            if not good:
                break
            yield Frame(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2BGRA), np.uint8), number, number / rate)
        number += 1
    if not number:
        raise VideoError(f"{file} is no video that OpenCV can read")


def synthetic(home: Home, name: str) -> Footage:
    """The scene ``name``, made unless it is kept in the cache of ``home``: half a minute.

    Raises as `tools.talking_head.person.load_person` does.
    """
    scene = SCENES[name]
    folder = home.root / "cache" / "quality" / f"{name}-{RECIPE}"
    if not (folder / "truth.npz").is_file():
        renderer = load_renderer(home.models, home.root / "cache" / "wheels", WIDTH, HEIGHT)
        _make(scene, renderer, folder)
    with np.load(folder / "truth.npz", allow_pickle=False) as file:
        truth = Truth(file["points"], file["yaw"], file["light"], file["alpha"])
    clean = folder / "clean.mp4"
    return Footage(name, folder / "clip.mp4", clean if clean.is_file() else None, truth)


def _make(scene: Scene, renderer: Renderer, folder: Path) -> None:
    """Writes the scene's files beside ``folder``, which then becomes theirs."""
    fresh = folder.with_name(f".{os.getpid()}-{folder.name}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    shots: list[Shot] = []
    bare: list[Pixels] = []

    def pictures() -> Iterator[Pixels]:
        for number in range(scene.frames):
            shot = shoot(scene, renderer, number)
            if scene.thing:
                bare.append(renderer.expose(shot.clean, number, scene.noise))
            shots.append(replace(shot, picture=_NONE, clean=_NONE, alpha=np.round(shot.alpha * 255).astype(np.uint8)))
            yield renderer.expose(shot.picture, number, scene.noise)

    clip = Clip(seconds=scene.frames / FPS, width=WIDTH, height=HEIGHT, fps=FPS)
    try:
        encode(clip, pictures(), fresh / "clip.mp4", crf=_CRF)
        if bare:
            encode(clip, iter(bare), fresh / "clean.mp4", crf=_CRF)
        np.savez_compressed(
            fresh / "truth.npz",
            points=np.stack([shot.points for shot in shots]),
            yaw=np.array([shot.yaw for shot in shots], np.float32),
            light=np.stack([shot.light for shot in shots]),
            alpha=np.stack([shot.alpha for shot in shots]) if bare else np.zeros((scene.frames, 0, 0), np.uint8),
        )
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def main() -> int:
    """Makes the synthetic clips."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SCENES))
    options = parser.parse_args()
    if unknown := set(options.names) - set(SCENES):
        parser.error(f"there is no scene {', '.join(sorted(unknown))}; there are {', '.join(SCENES)}")
    cv2.setNumThreads(1)
    home = Home.find()
    try:
        for name in options.names or SCENES:
            print(synthetic(home, name).file)
    except (FetchError, ModelError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
