"""Whose face is in each recorded picture: the embedded detector and an independent recogniser (`tools.recogniser`)."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.frame import Floats
from obs_facelive.home import Home
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.video import read_frames
from tools.recogniser import Recogniser, face_points, recogniser_file

_SAMPLED: Final = 12
"""Pictures of the clip that say what its person looks like."""


def likenesses(home: Home, clip: Path, recordings: Sequence[Path], every: int = 1) -> list[dict[int, float]]:
    """How alike the face in each ``every``-th picture of each recording is to the clip's person: by the picture's number.

    The cosine to the clip's most similar picture, of `_SAMPLED` that are spread over it; none where no face is found.

    Raises as `tools.recogniser.recogniser_file` does.
    """
    recogniser_file(home)  # once, before two processes want it
    workers = os.cpu_count() or 1
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        parts = [range(first * every, 1 << 31, workers * every) for first in range(workers)]
        jobs = [pool.submit(_likenesses, home, clip, recordings, part) for part in parts]
        shares = [job.result() for job in jobs]
    return [dict(sorted(item for share in found for item in share.items())) for found in zip(*shares, strict=True)]


def _likenesses(home: Home, clip: Path, recordings: Sequence[Path], wanted: range) -> list[dict[int, float]]:
    cv2.setNumThreads(1)
    step = max(1, sum(1 for _ in read_frames(clip)) // _SAMPLED)
    reference = np.asarray([vector for _, vector in _faces(home, clip, range(0, 1 << 31, step))])
    return [
        {number: float((reference @ vector).max()) for number, vector in _faces(home, recording, wanted)}
        for recording in recordings
    ]


def _faces(home: Home, video: Path, wanted: range) -> Iterator[tuple[int, Floats]]:
    detector, landmarker = BlazeFace(home.models), FaceMesh(home.models)
    recogniser = Recogniser(recogniser_file(home))
    for frame in read_frames(video):
        if frame.id in wanted:
            points = face_points(frame.pixels, detector, landmarker)
            if points is not None:
                yield frame.id, recogniser.embed(frame.pixels, points)
