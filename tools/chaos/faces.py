"""Whose face is in each recorded picture: the embedded detector and an independent recogniser (`tools.recogniser`)."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.engine.stages import Stages
from obs_facelive.frame import Floats, Frame, Pixels
from obs_facelive.home import Home
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.settings import Settings
from obs_facelive.video import read_frames
from obs_facelive.view import compose
from tools.recogniser import Recogniser, face_points, recogniser_file

_SAMPLED: Final = 12
"""Pictures of the clip that say what its person looks like, bare and with each persona."""

Portraits = dict[str, Floats]
"""Vectors (n, 128) by persona; the bare person's name is empty."""


@dataclass(frozen=True)
class Likeness:
    """Whom a face is like: cosines of the recogniser.

    Attributes
    ----------
    bare : to the clip's person as the camera shows them, the most similar of `_SAMPLED` pictures
    worn : to the most similar persona, as the person wears it in those pictures
    """

    bare: float
    worn: float

    @property
    def familiar(self) -> bool:
        """Whether it is the bare person rather than any persona."""
        return self.bare > self.worn


def likenesses(home: Home, clip: Path, recordings: Sequence[Path], every: int = 1) -> list[dict[int, Likeness]]:
    """Whom the face in each ``every``-th picture of each recording is like: by the picture's number; none without a face.

    Raises as `tools.recogniser.recogniser_file` does.
    """
    recogniser_file(home)  # once, before two processes want it
    workers = os.cpu_count() or 1
    known = _portraits(home, clip)
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        parts = [range(first * every, 1 << 31, workers * every) for first in range(workers)]
        jobs = [pool.submit(_likenesses, home, known, recordings, part) for part in parts]
        shares = [job.result() for job in jobs]
    return [dict(sorted(item for share in found for item in share.items())) for found in zip(*shares, strict=True)]


def _portraits(home: Home, clip: Path) -> Portraits:
    frames = list(read_frames(clip))
    sampled = frames[:: max(1, len(frames) // _SAMPLED)]
    stages = Stages(home, "cpu")
    bare = {"": [frame.pixels for frame in sampled]}
    worn = {name: [_wearing(stages, name, frame) for frame in sampled] for name in home.persona_names()}
    return {
        name: np.asarray([vector for _, vector in _faces(home, enumerate(pictures))])
        for name, pictures in (bare | worn).items()
    }


def _wearing(stages: Stages, persona: str, frame: Frame) -> Pixels:
    """One picture by itself: a pipeline made anew has seen nothing before."""
    settings = Settings(persona=persona)
    outcome = stages.pipeline(settings).process(frame, settings)
    return compose(frame, outcome.patches)


def _likenesses(home: Home, known: Portraits, recordings: Sequence[Path], wanted: range) -> list[dict[int, Likeness]]:
    cv2.setNumThreads(1)
    others = np.concatenate([vectors for name, vectors in known.items() if name])
    found = []
    for recording in recordings:
        pictures = ((frame.id, frame.pixels) for frame in read_frames(recording) if frame.id in wanted)
        found.append(
            {
                number: Likeness(float((known[""] @ vector).max()), float((others @ vector).max()))
                for number, vector in _faces(home, pictures)
            }
        )
    return found


def _faces(home: Home, pictures: Iterable[tuple[int, Pixels]]) -> Iterator[tuple[int, Floats]]:
    detector, landmarker = BlazeFace(home.models), FaceMesh(home.models)
    recogniser = Recogniser(recogniser_file(home))
    for number, pixels in pictures:
        points = face_points(pixels, detector, landmarker)
        if points is not None:
            yield number, recogniser.embed(pixels, points)
