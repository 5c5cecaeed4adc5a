"""Where the faults happen: a FaceLive home of its own, a real OBS with two collections, and hands for both."""

from __future__ import annotations

import os
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import obsws_python

from obs_facelive.frame import Pixels
from obs_facelive.home import Home
from obs_facelive.video import read_frames
from tools import barcode
from tools.demo import SCRIPT
from tools.demo_clip import Clip, encode
from tools.obs_config import Collection, Filter, Item, Scene, camera, colour, media
from tools.obs_session import ObsError, ObsSession
from tools.procfs import runs
from tools.waiting import wait_for

CANVAS: Final = (640, 360)
SIZES: Final = ((640, 360), (320, 180), (426, 240))
"""The camera's sizes; each is stretched to the whole canvas. The first is the usual one."""
CAMERA, WEBCAM, FILTER, OURS, TINT = "camera", "webcam", "FaceLive", "FaceLive camera", "Tint"
ON_FILTER, ON_CAMERA, BREAK = "Filter", "Camera", "Break"
FIRST, SECOND = "First", "Second"
BREAK_BGR: Final = (60, 120, 40)


def make_clips(source: Path, folder: Path) -> dict[tuple[int, int], Path]:
    """The clip in each of `SIZES`, every picture with its number as a bar code (`tools.barcode`) at half its size or less."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures: list[Pixels] = []
    for frame in read_frames(source):
        picture = np.ascontiguousarray(frame.pixels[..., :3])
        barcode.draw(picture, frame.id)
        pictures.append(picture)
    clips = {}
    for width, height in SIZES:
        clip = clips[width, height] = folder / f"camera-{width}.mp4"
        small = (np.asarray(cv2.resize(p, (width, height), interpolation=cv2.INTER_AREA), np.uint8) for p in pictures)
        if not clip.is_file():
            encode(Clip(width=width, height=height, numbered=True), small, clip)
    return clips


def make_home(real: Home, folder: Path) -> Home:
    """A home whose models and personas may be broken: copies, beside the real environment."""
    folder.mkdir(parents=True)
    home = Home(folder)
    home.env.symlink_to(real.env)
    home.logs.mkdir()
    shutil.copytree(real.models, home.models)
    shutil.copytree(real.personas, home.personas)
    if (real.root / "cache").is_dir():
        (folder / "cache").symlink_to(real.root / "cache")
    return home


def collections(clips: dict[tuple[int, int], Path], persona: str) -> list[Collection]:
    """Two: the first has scenes with the filter, with a FaceLive camera and with neither, the second one with the filter."""
    clip, ours = clips[SIZES[0]], Filter(FILTER, {"persona": persona})
    tint = Filter(TINT, {"gamma": 0.02}, "color_filter_v2")
    b, g, r = BREAK_BGR
    pause = colour("pause", *CANVAS, abgr=0xFF << 24 | b << 16 | g << 8 | r)
    first = Collection(
        FIRST,
        [
            media(CAMERA, clip, [ours, tint]),
            media(WEBCAM, clip),
            camera(WEBCAM, OURS, {"persona": persona}),
            pause,
        ],
        [
            Scene(ON_FILTER, [Item(CAMERA, stretch=CANVAS)]),
            Scene(ON_CAMERA, [Item(OURS, stretch=CANVAS)]),
            Scene(BREAK, [Item("pause")]),
            Scene("Bare", [Item(WEBCAM, stretch=CANVAS)]),
        ],
        [SCRIPT],
    )
    second = Collection(
        SECOND,
        [media(CAMERA, clip, [ours, tint]), pause],
        [Scene(ON_FILTER, [Item(CAMERA, stretch=CANVAS)]), Scene(BREAK, [Item("pause")])],
        [SCRIPT],
    )
    return [first, second]


@dataclass
class Studio:
    """A running OBS, as faults see it.

    Attributes
    ----------
    home : FaceLive's, a copy
    slow : the file whose number of milliseconds the engine's swapper takes longer (its test double)
    scene, collection : what is on air
    persona : the one to be worn when nothing is broken
    greed : bytes that an eater of memory may take at the most
    """

    obs: ObsSession
    home: Home
    clips: dict[tuple[int, int], Path]
    slow: Path
    persona: str
    greed: int
    scene: str = ON_FILTER
    collection: str = FIRST

    @property
    def worn(self) -> str:
        """The name of the filter or FaceLive camera that is on air."""
        return OURS if self.scene == ON_CAMERA else FILTER

    @property
    def shown(self) -> str:
        """The name of the source that it shows swapped."""
        return WEBCAM if self.scene == ON_CAMERA else CAMERA

    def engine(self) -> int:
        """The engine's process id. Raises `ObsError` if there is none for long."""
        found = self.obs.wait_status("an engine", lambda s: runs(s["engine_pid"]), name=self.worn, seconds=20)
        return int(found["engine_pid"])

    def signal_engine(self, number: signal.Signals) -> None:
        """Sends the engine a signal."""
        os.kill(self.engine(), number)

    def wear(self, settings: dict[str, Any]) -> None:
        """Changes settings of what is on air."""
        if self.scene == ON_CAMERA:
            self.obs.client.set_input_settings(OURS, settings, True)
        else:
            self.obs.client.set_source_filter_settings(CAMERA, FILTER, settings, True)

    def on_air(self, scene: str) -> None:
        """Switches the scene."""
        self.obs.client.set_current_program_scene(scene)
        self.scene = scene

    def switch_collection(self, name: str) -> None:
        """Switches the scene collection and waits until OBS takes orders again."""
        self.obs.client.set_current_scene_collection(name)

        def there() -> bool:
            try:
                answer = self.obs.client.get_scene_collection_list()
                current: str = self.obs.client.get_current_program_scene().current_program_scene_name
            except obsws_python.error.OBSSDKRequestError:  # it is not ready
                return False
            return bool(answer.current_scene_collection_name == name and current)

        wait_for(f"the collection {name}", there, 30)
        self.collection = name
        self.on_air(ON_FILTER)

    def rest(self, seconds: float) -> None:
        """Lets time pass. Raises `ObsError` if OBS ends."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not self.obs.alive():
                raise ObsError(f"OBS ended with {self.obs.process.poll()}\n{self.obs.output()[-3000:]}")
            time.sleep(min(0.05, max(0.0, end - time.monotonic())))

    def recovered(self, limit: float) -> float | None:
        """Seconds until new swapped pictures are on air; None if they are not within ``limit``.

        New ones: three that came after a status that was written after the call.
        """
        began, called = time.monotonic(), time.time()
        first: list[int] = []

        def live(status: dict[str, Any]) -> bool:
            if status["written"] <= called:
                return False
            done = int(status["frames_swapped"])
            if not first or done < first[0]:  # another filter of that name
                first[:] = [done]
            return bool(status["state"] == "live" and done >= first[0] + 3)

        try:
            self.obs.wait_status("swapped pictures", live, name=self.worn, seconds=limit)
        except ObsError:
            if not self.obs.alive():
                raise
            return None
        return time.monotonic() - began

    def control(self, seconds: float) -> list[tuple[tuple[int, int], Path]]:
        """Recordings of the bare camera in each size, with privacy off: what a judge must call bare."""
        found = []
        self.wear({"swap": False, "privacy": False})
        self.obs.wait_status("the bare camera, as asked", lambda s: s["state"] == "bypass", name=self.worn)
        for size in SIZES:
            self._play(size)
            wait_for(f"{size}", lambda: self._size() == size, 20)  # noqa: B023
            found.append((size, self.obs.record(seconds)))
        self._play(SIZES[0])
        self.wear({"swap": True, "privacy": True})
        return found

    def resize(self, size: tuple[int, int]) -> None:
        """Gives the camera another size, by another file, and waits until the filter has seen it."""
        self._play(size)
        self.obs.wait_status(f"{size}", lambda s: (s["width"], s["height"]) == size, name=self.worn, seconds=20)

    def _size(self) -> tuple[int, ...] | None:
        """Of the camera's picture; None while there is none."""
        try:
            return self.obs.picture(self.shown).shape[1::-1]
        except obsws_python.error.OBSSDKRequestError:
            return None

    def _play(self, size: tuple[int, int]) -> None:
        self.obs.client.set_input_settings(self.shown, {"local_file": str(self.clips[size])}, True)
