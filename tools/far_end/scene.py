"""What OBS shows so that the far end can be judged and timed: see `tools.far_end.clock`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from obs_facelive.frame import Pixels
from obs_facelive.video import read_frames
from tools import barcode
from tools.demo import SCRIPT
from tools.demo_clip import Clip, encode
from tools.far_end import clock
from tools.obs_config import Collection, Filter, Item, Scene, Source, media

CANVAS: Final = (1280, 720)
CAMERA, SEAT, PROGRAM, CLOCK, FILTER = "camera", "Camera", "Program", "clock", "FaceLive"
_EDGE: Final = 16
"""Where the camera's own code is, see `tools.barcode.draw`; and how far the others are from the canvas's edges."""
_BELOW: Final = CANVAS[1] - _EDGE - barcode.HEIGHT
SHOWN_AT: Final = (_EDGE, _BELOW)
CLOCK_AT: Final = (CANVAS[0] - _EDGE - barcode.WIDTH, _BELOW)


def make_clip(source: Path, out: Path) -> None:
    """``source`` (of the size of `CANVAS`, 30 pictures a second) with its pictures' numbers as bar codes."""

    def numbered() -> Iterator[Pixels]:
        for frame in read_frames(source):
            picture = np.ascontiguousarray(frame.pixels[..., :3])
            barcode.draw(picture, frame.id, _EDGE, _EDGE)
            yield picture

    encode(Clip(width=CANVAS[0], height=CANVAS[1], numbered=True), numbered(), out)


def collection(clip: Path, persona: str, folder: Path) -> Collection:
    """The camera in a scene that has the filter, as a person may do it; over it the bare camera's code, and the clock.

    ``folder`` gets the clock's sheet.
    """
    picture = folder / "clock.png"
    clock.write_sheet(picture)
    left, top = _EDGE, _EDGE
    code = (left, top, CANVAS[0] - left - barcode.WIDTH, CANVAS[1] - top - barcode.HEIGHT)
    first = (0, 0, (clock.COLUMNS - 1) * barcode.WIDTH, (clock.ROWS - 1) * barcode.HEIGHT)
    program = [
        Item(SEAT),
        Item(CAMERA, *SHOWN_AT, crop=code),
        Item(CLOCK, *CLOCK_AT, crop=first),
    ]
    scenes = [Scene(PROGRAM, program), Scene(SEAT, [Item(CAMERA)], [Filter(FILTER, {"persona": persona})])]
    sources = [media(CAMERA, clip), Source(CLOCK, "image_source", {"file": str(picture)})]
    script = Path(clock.__file__).with_name("clock_script.py")
    return Collection("FarEnd", sources, scenes, [SCRIPT, script])


def environment(log: Path) -> dict[str, str]:
    """What the clock's script must be told."""
    return {"FACELIVE_CLOCK_SCENE": PROGRAM, "FACELIVE_CLOCK_SOURCE": CLOCK, "FACELIVE_CLOCK_LOG": str(log)}


def arrived(picture: Pixels, at: float) -> clock.Arrived:
    """The codes of a picture of the size of `CANVAS` that came ``at`` that moment."""
    return clock.Arrived(at, *(barcode.read(picture, *place) for place in (CLOCK_AT, SHOWN_AT, (_EDGE, _EDGE))))
