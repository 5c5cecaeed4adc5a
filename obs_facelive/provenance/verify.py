"""Looking for the invisible mark in pictures: is it there, how sure is that, and where in time."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.frame import Floats, Frame
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.provenance.payload import BITS, nearest, payload
from obs_facelive.provenance.reader import Likeness, MarkReader, Score
from obs_facelive.settings import Settings
from obs_facelive.topology import load_canonical_face
from obs_facelive.track.tracker import Tracker

SURE = 6.0
"""Score from which on a face is said to be marked; docs/mark.md has the measurements."""
EVERY = 0.1
"""Seconds between two pictures that are looked at: a mark stays for longer."""
TOGETHER = 10
"""Pictures of one face that are looked at together, for what compression has left of the mark in each is little."""
_TRIES = 700.0
"""Independent places, sizes and turns at which a mark is looked for in a picture: docs/mark.md, fitted to unmarked pictures."""
_GAP = 3 * EVERY
"""Seconds without a mark that still are one piece of the time line."""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the time line that is marked, in seconds from the first picture; a single picture has no length."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Found:
    """What was found.

    Attributes
    ----------
    pictures, with_face, marked : how many were looked at, showed a face, carry the mark
    score : the highest, see `obs_facelive.provenance.reader.Score`
    chance : that as high a score comes about by chance, in so many pictures: 0..1
    word : the 32 bits that were read, where there is a mark; they are read at the place that fits best, so they are likely
        to be right whenever ``score`` is high, and prove little where it is not
    mirrored : the pictures are mirror images
    spans : where in time
    """

    pictures: int
    with_face: int
    marked: int
    score: float
    chance: float
    word: int | None
    mirrored: bool
    spans: list[Span]

    @property
    def is_marked(self) -> bool:
        """Yes or no."""
        return self.marked > 0

    @property
    def confidence(self) -> float:
        """0..1, how sure a yes is: the share of unmarked files of this length that are not taken for marked."""
        return 1.0 - self.chance

    @property
    def whole(self) -> bool:
        """Whether all 32 bits are right."""
        return self.word == payload().word


def chance_of(score: float, pictures: int = 1) -> float:
    """How likely the best score of ``pictures`` unmarked pictures is to be as high as ``score``: 0..1."""
    one = 0.5 * math.erfc(score / math.sqrt(2))
    return -math.expm1(_TRIES * max(1, pictures) * math.log1p(-min(one, 0.5)))


@dataclass(slots=True)
class _Track:
    """One face over the last pictures."""

    seen: deque[Likeness] = field(default_factory=lambda: deque(maxlen=TOGETHER))
    last: float = -math.inf


class Verifier:
    """Looks at pictures. Raises `obs_facelive.catalog.ModelError` where a model is missing."""

    def __init__(self, models: Path) -> None:
        canonical = load_canonical_face(models)
        self._detector, self._landmarker = BlazeFace(models, "cpu"), FaceMesh(models, "cpu")
        self._reader = MarkReader(canonical)

    def __call__(self, pictures: Iterable[Frame]) -> Found:
        """Looks at ``pictures``, in order of time: at one in every `EVERY` seconds."""
        tracker, settings = Tracker(), Settings(face="all", steadiness=0)
        tracks: dict[int, _Track] = {}
        soft = np.zeros(BITS, np.float32)
        best = Score(0.0, False, (0, 0, 0))
        count = with_face = 0
        times: list[float] = []
        due, first, mirrored = -math.inf, 0.0, 0
        for frame in pictures:
            if frame.time < due:
                continue
            first = first if count else frame.time
            due = frame.time + EVERY * 0.95
            count += 1
            faces = tracker.follow(frame, settings, self._detector.detect, self._landmarker.landmarks)
            with_face += bool(faces)
            marked = False
            for face in faces:
                track = tracks.setdefault(face.track, _Track())
                score = self._score(track, frame, face.points)
                best = max(best, score)
                if score.value >= SURE:
                    marked = True
                    mirrored += 1 if score.mirrored else -1
                    soft += self._reader.bits(frame.pixels, face.points, score)
            if marked:
                times.append(frame.time - first)
        return Found(
            count,
            with_face,
            len(times),
            round(best.value, 2),
            chance_of(best.value, with_face),
            nearest(soft).word if times else None,
            mirrored > 0,
            _spans(times),
        )

    def _score(self, track: _Track, frame: Frame, points: Floats) -> Score:
        """Of this picture, or of the last few together, whichever is surer."""
        if frame.time - track.last > 1.0:
            track.seen.clear()
        likeness = self._reader.likeness(frame.pixels, points)
        track.seen.append(likeness)
        track.last = frame.time
        alone = self._reader.score(likeness)
        if len(track.seen) == 1:
            return alone
        together = track.seen[0]
        for other in list(track.seen)[1:]:
            together = together + other
        return max(alone, self._reader.score(together))


def _spans(times: list[float]) -> list[Span]:
    spans: list[Span] = []
    for time in times:
        if spans and time - spans[-1].end <= _GAP:
            spans[-1] = Span(spans[-1].start, time)
        else:
            spans.append(Span(time, time))
    return spans
