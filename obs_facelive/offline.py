"""Swapping faces in files: the same pipeline as in OBS, and the same rules about bare faces."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from obs_facelive import video
from obs_facelive.frame import Frame, Pixels
from obs_facelive.image import IMAGES, ImageError, read_image, write_image
from obs_facelive.link.layout import NO_FACE, NOT_ENROLLED, SWAPPED, TURNED
from obs_facelive.settings import Settings
from obs_facelive.states import (
    BYPASS,
    COVER_STEPS,
    COVERING,
    ENGINE_RUNNING,
    HOLDING,
    LIVE,
    NO_FACE_CHOICES,
    cover_size,
    decide,
)
from obs_facelive.steps import Outcome
from obs_facelive.video import Progress
from obs_facelive.view import compose

_APART = 10.0
"""Seconds between single images: longer than any stage remembers a face."""


class OfflineError(Exception):
    """Nothing was written; the text says why, for people."""


class MisuseError(OfflineError):
    """What was asked for makes no sense."""


class FaceSwap(Protocol):
    """What is needed of `obs_facelive.pipeline.Pipeline`."""

    def process(self, frame: Frame, settings: Settings) -> Outcome:
        """The swapped faces of a frame, as patches."""
        ...


@dataclass
class Counts:
    """What became of the pictures.

    Attributes
    ----------
    frames : pictures that were written
    with_face : those in which a face was found that was to be swapped
    swapped : those with a swapped face
    covered : those shown blurred, or as the last swapped one: no face was found in them, or one that looks too far aside
    seconds : how long it took
    problems : files of a folder that could not be read, and why
    written : the finished files
    """

    frames: int = 0
    with_face: int = 0
    swapped: int = 0
    covered: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)

    @property
    def fps(self) -> float:
        """Pictures a second."""
        return self.frames / self.seconds if self.seconds else 0.0


class Swapping:
    """Frames in, pictures that may be seen out, in order of time.

    Attributes
    ----------
    counts : so far
    """

    def __init__(self, pipeline: FaceSwap, settings: Settings) -> None:
        self._pipeline, self._settings = pipeline, settings
        self._held: Pixels | None = None
        self._held_raw, self._held_at = False, 0.0
        self.counts = Counts()

    def picture(self, frame: Frame) -> Pixels:
        """What is seen of ``frame``, (h, w, 4) uint8 BGRA: swapped, held, covered, or bare where the settings say so."""
        settings = self._settings
        outcome = self._pipeline.process(frame, settings) if settings.swap else Outcome([], [])
        if self._held is not None and self._held.shape != frame.pixels.shape:
            self._held = None
        worn = bool(outcome.faces) and not outcome.turned
        withheld = outcome.turned or not outcome.enrolled
        if worn or (settings.swap and settings.no_face == "camera" and not withheld):
            self._held, self._held_raw = compose(frame, outcome.patches), not worn
            self._held_at = frame.time
        state, _ = decide(
            int(settings.swap),
            int(settings.privacy),
            NO_FACE_CHOICES[settings.no_face],
            settings.hold_ms * 1_000_000,
            int(self._held is not None),
            int(self._held_raw),
            round((frame.time - self._held_at) * 1e9),
            _status(outcome),
            ENGINE_RUNNING,
            1,
        )
        self.counts.frames += 1
        self.counts.with_face += bool(outcome.faces)
        self.counts.swapped += worn and state == LIVE
        self.counts.covered += state in (HOLDING, COVERING)
        if state == BYPASS and not settings.swap:
            return frame.pixels
        if state == COVERING or self._held is None:
            return cover(frame.pixels)
        return self._held  # also in BYPASS: then it is bare, but nobody was found in it


def _status(outcome: Outcome) -> int:
    if not outcome.enrolled:
        return NOT_ENROLLED
    return TURNED if outcome.turned else SWAPPED if outcome.faces else NO_FACE


def cover(pixels: Pixels) -> Pixels:
    """``pixels`` (h, w, 4) blurred so strongly that nobody is recognised; transparent stays transparent."""
    height, width = pixels.shape[:2]
    covered = pixels
    for step in range(COVER_STEPS):
        covered = np.asarray(cv2.resize(covered, cover_size(width, height, step)), np.uint8)
    covered = np.asarray(cv2.resize(covered, (width, height)), np.uint8)
    covered[..., 3] = pixels[..., 3]
    return covered


def swap_file(source: Path, target: Path, pipeline: FaceSwap, settings: Settings, progress: Progress) -> Counts:
    """Swaps the faces in an image, a folder of images, or a video; ``target`` is whole, or not there at all.

    Raises
    ------
    MisuseError
        ``target`` is ``source``, or of another kind.
    OfflineError
        Something cannot be read or written, or there is no face in any picture.
    """
    check(source, target)
    swapping = Swapping(pipeline, settings)
    began = time.monotonic()
    with _fresh(target) as fresh:
        if source.is_dir():
            _swap_folder(source, fresh, swapping, progress)
        elif source.suffix.lower() in IMAGES:
            progress(0, 1)
            write_image(fresh, swapping.picture(Frame(read_image(source), 0, 0.0)))
            progress(1, 1)
        else:
            video.change_video(source, fresh, swapping.picture, progress)
        counts = swapping.counts
        if settings.swap and not counts.with_face:
            raise OfflineError(f"no face was found in any of {counts.frames} pictures, so nothing was written")
        if source.is_dir():
            target.mkdir(exist_ok=True)
            counts.written = [path.replace(target / path.name) for path in sorted(fresh.iterdir())]
        else:
            counts.written = [fresh.replace(target)]
    counts.seconds = time.monotonic() - began
    return counts


@contextmanager
def _fresh(target: Path) -> Iterator[Path]:
    """A name beside ``target`` that nobody has, to write to; gone afterwards. Raises `OfflineError` where writing fails."""
    fresh = target.with_name(f".{target.stem[:40]}.{secrets.token_hex(4)}{target.suffix}")
    try:
        yield fresh
    except (video.VideoError, ImageError) as error:
        raise OfflineError(str(error).replace(str(fresh), str(target))) from error
    except OSError as error:
        raise OfflineError(f"{target} cannot be written: {error.strerror}") from error
    finally:
        if fresh.is_dir():
            shutil.rmtree(fresh, ignore_errors=True)
        else:
            fresh.unlink(missing_ok=True)


def check(source: Path, target: Path) -> None:
    """Raises `MisuseError` if ``source`` cannot become ``target``, before any work is done."""
    if not source.exists():
        raise MisuseError(f"{source} does not exist")
    try:
        same = target.exists() and source.samefile(target)
    except OSError as error:
        raise MisuseError(f"{target}: {error.strerror}") from error
    if same:
        raise MisuseError(f"{target} is the input itself; it is not overwritten. Choose another name.")
    if source.is_dir():
        if target.is_file():
            raise MisuseError(f"{source} is a folder, so {target} must be one, too")
        return
    if target.is_dir():
        raise MisuseError(f"{target} is a folder; name the file")
    kinds = IMAGES if source.suffix.lower() in IMAGES else video.SUFFIXES
    if target.suffix.lower() not in kinds:
        raise MisuseError(f"{target.name}: what is made of {source.name} can be {', '.join(kinds)}")
    if not target.absolute().parent.is_dir():
        raise MisuseError(f"the folder {target.absolute().parent} does not exist")


def _swap_folder(source: Path, fresh: Path, swapping: Swapping, progress: Progress) -> None:
    files = sorted(p for p in source.iterdir() if p.suffix.lower() in IMAGES and p.is_file())
    if not files:
        raise OfflineError(f"there is no image in {source}")
    fresh.mkdir()
    progress(0, len(files))
    for number, path in enumerate(files):
        try:
            frame = Frame(read_image(path), number, number * _APART)
        except ImageError as error:
            swapping.counts.problems.append(str(error))
        else:
            write_image(fresh / path.name, swapping.picture(frame))
        progress(number + 1, len(files))
