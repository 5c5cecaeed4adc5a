"""Boots the guest with FaceLive in it and brings home what its readers saw."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from obs_facelive.frame import Pixels
from obs_facelive.home import Home
from obs_facelive.video import read_frames
from tools import barcode
from tools.demo_clip import Clip, encode
from tools.vcam.guest import Guest, GuestError
from tools.vcam.inside import BARE, FPS, SIZE

_CHECKOUT: Final = Path(__file__).parents[2]
SMALLER: Final = 2
_LARGE: Final = (SIZE[0] * SMALLER, SIZE[1] * SMALLER)
_SECONDS: Final = 1200.0
"""A boot's limit."""


@dataclass(frozen=True)
class Film:
    """What came out of the guest, in a folder.

    Attributes
    ----------
    persona : who was worn
    pictures : that each reader took of it
    facts : see `tools.vcam.inside.watch`
    """

    folder: Path
    persona: str
    pictures: int
    facts: dict[str, Any]

    @property
    def clip(self) -> Path:
        """What the camera showed, numbered: `SMALLER` times smaller than `tools.barcode` draws."""
        return self.folder / "camera.mp4"

    def ffmpeg(self) -> Iterator[Pixels]:
        """What ffmpeg read, in order: (h, w, 3) uint8 BGR."""
        return _video(self.folder / "ffmpeg.mkv")

    def meeting(self) -> Iterator[Pixels]:
        """What arrived at the meeting's far end, in order: (h, w, 3) uint8 BGR."""
        return _stills(sorted((self.folder / "far").glob("*.png"))[: self.pictures])

    def bare(self) -> Iterator[Pixels]:
        """What both saw last, of the person who had asked to be seen, once the meeting's coding had let go of the persona."""
        yield from _video(self.folder / "bare.mkv")
        yield from _stills(sorted((self.folder / "far").glob("*.png"))[self.pictures + BARE // 2 :])


def film(guest: Guest, home: Home, out: Path, pictures: int) -> Film:
    """Reads OBS's virtual camera in ``guest`` with the installation ``home``, whose mesh persona is worn.

    Parameters
    ----------
    out : an empty folder
    pictures : how many each reader takes

    Raises
    ------
    GuestError
        The guest, or what should happen in it, failed.
    """
    out = out.absolute()
    clip, persona = out / "camera.mp4", home.persona_names()[0]
    _numbered(home.root / "demo" / "camera.mp4", clip)
    guest.cache.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="facelive-") as place:
        copied = _copy(home, Path(place), guest)
        env = {"FACELIVE_HOME": str(copied.root), "NUMBA_CACHE_DIR": str(guest.cache / "engine")}
        # Here it is quicker than on the guest's one processor.
        warm = [str(home.python), "-m", "tools.warm"]
        subprocess.run(warm, cwd=_CHECKOUT, env={**os.environ, **env}, stdout=2, check=True)
        status = guest.run(
            [str(home.python), "-m", "tools.vcam.inside", str(out), str(clip), persona, f"--pictures={pictures}"],
            seconds=_SECONDS,
            writable=[out, copied.root, guest.cache],
            readable=_python_folders(home),
            env=env,
            cwd=_CHECKOUT,
        )
        shutil.copytree(copied.logs, out / "logs", dirs_exist_ok=True)
    if status:
        raise GuestError(f"the command in the guest ended with {status} (above)")
    return Film(out, persona, pictures, json.loads((out / "facts.json").read_text()))


def _numbered(source: Path, out: Path) -> None:
    """``source``, each picture with its number (`tools.barcode`), then `SMALLER` times smaller; at `FPS`, so it is slower."""

    def pictures() -> Iterator[Pixels]:
        for frame in read_frames(source):
            large = cv2.resize(frame.pixels[..., :3], _LARGE, interpolation=cv2.INTER_AREA)
            picture = np.ascontiguousarray(large, np.uint8)
            barcode.draw(picture, frame.id)
            yield np.asarray(cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA), np.uint8)

    encode(Clip(width=SIZE[0], height=SIZE[1], fps=FPS), pictures(), out)


def _video(path: Path) -> Iterator[Pixels]:
    return (read_as_rec709(frame.pixels) for frame in read_frames(path))


def _stills(paths: Iterable[Path]) -> Iterator[Pixels]:
    for path in paths:
        picture = cv2.imread(str(path))
        if picture is None:
            raise GuestError(f"{path} is not a picture")
        yield read_as_rec709(np.asarray(picture, np.uint8))


def read_as_rec709(pixels: Pixels) -> Pixels:
    """The picture that OBS meant, of one that a reader took for BT.601: (h, w, 3) uint8 BGR of (h, w, 3 or 4).

    OBS's virtual camera is BT.709, and v4l2 carries no word of it. Limited range on both sides; coefficients of ITU-R BT.601-7
    and BT.709-6.
    """
    return np.asarray(np.clip(pixels[..., :3] @ _MEANT.T + 0.5, 0, 255), np.uint8)


def _from_ycbcr(red: float, blue: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    """(3, 3): B, G, R of Y, Cb, Cr, by the weights of red and blue in Y."""
    green = 1 - red - blue
    cb, cr = 2 * (1 - blue), 2 * (1 - red)
    return np.array([[1, cb, 0], [1, -cb * blue / green, -cr * red / green], [1, 0, cr]], np.float32)


_MEANT: Final = _from_ycbcr(0.2126, 0.0722) @ np.linalg.inv(_from_ycbcr(0.299, 0.114))


def _copy(home: Home, folder: Path, guest: Guest) -> Home:
    """A home for the guest, beside the real environment: nothing that happens there touches the real one."""
    copied = Home(folder)
    copied.python.parent.mkdir(parents=True)
    (copied.env / "lib").symlink_to(home.env / "lib")
    # The environment may have been made for another checkout; the engine is to run this one.
    copied.python.write_text(f'#!/bin/sh\nPYTHONPATH="{_CHECKOUT}" exec "{home.python}" "$@"\n')
    copied.python.chmod(0o755)
    copied.logs.mkdir()
    shutil.copytree(home.models, copied.models)
    shutil.copytree(home.personas, copied.personas)
    (folder / "cache").symlink_to(guest.cache)
    return copied


def _python_folders(home: Home) -> list[Path]:
    """Where this Python, its packages and this code lie, but for what Debian (so the guest, too) has under ``/usr``."""
    named = {
        home.env,
        _CHECKOUT,
        *(Path(each) for each in (sys.prefix, sys.base_prefix, *sys.path) if os.path.isdir(each)),
    }
    real = {path.resolve() for path in named} - {Path("/usr")}
    outer = {path for path in real if Path("/usr") not in path.parents and not real & {*path.parents}}
    return sorted(outer)
