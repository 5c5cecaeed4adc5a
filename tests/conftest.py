"""What all tests share: the models that set-up built, and real footage."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import cv2
import hypothesis
import numpy as np
import pytest

from obs_facelive.frame import Floats, Pixels
from obs_facelive.geometry import for_warp
from obs_facelive.home import Home

# How long an example takes says nothing on two busy cores.
hypothesis.settings.register_profile(
    "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True
)
hypothesis.settings.load_profile("busy")

ReadFrames: TypeAlias = Callable[..., list[Pixels]]

CLIPS = ("d3.mp4", "d9.mp4", "d10.mp4", "s18.mp4", "asl_eat.mkv", "asl_hungry.mkv", "asl_learn.mkv", "asl_thanks.mkv")


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder of the embedded models; tests fail where set-up has not built them."""
    return Home.find().models


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real footage and portraits."""
    beside = Path(__file__).absolute().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("FACELIVE_TEST_DATA") or beside)
    if not (folder / "clips").is_dir():
        pytest.skip(f"no footage in {folder} (FACELIVE_TEST_DATA)")
    return folder


@pytest.fixture(scope="session")
def frames(data: Path) -> ReadFrames:
    """``frames(clip, count, start=0, step=1)``: frames of a clip in the footage, (h, w, 4) uint8 BGRA."""

    def read(clip: str, count: int, start: int = 0, step: int = 1) -> list[Pixels]:
        video = cv2.VideoCapture(str(data / "clips" / clip))
        pictures: list[Pixels] = []
        for number in range(start + (count - 1) * step + 1):
            good, picture = video.read()
            assert good, f"{clip} ends before frame {number}"
            if number >= start and (number - start) % step == 0:
                pictures.append(bgra(np.asarray(picture, np.uint8)))
        return pictures

    return read


@pytest.fixture(scope="session")
def portraits(data: Path) -> dict[str, Pixels]:
    """The portraits in the footage by name, (512, 512, 3) uint8 BGR."""
    return {path.stem: _portrait(path) for path in sorted((data / "portraits").glob("*.jpg"))}


def _portrait(path: Path) -> Pixels:
    picture = cv2.imread(str(path))
    assert picture is not None, path
    return resized(np.asarray(picture, np.uint8), 512, 512)


def resized(picture: Pixels, width: int, height: int) -> Pixels:
    """``picture`` at another size."""
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def warped(picture: Pixels, matrix: Floats, width: int, height: int) -> Pixels:
    """``picture`` through a 2x3 matrix between continuous coordinates, the edge's pixels repeated around it."""
    moved = cv2.warpAffine(picture, for_warp(matrix), (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def bgra(picture: Pixels) -> Pixels:
    """(h, w, 4) of (h, w, 3)."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2BGRA), np.uint8)
