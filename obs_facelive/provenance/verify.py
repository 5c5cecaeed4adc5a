"""Looking for the invisible mark in pictures: is it there, how sure is that, and where in time."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
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

SURE = 6.2
"""Score from which on a face is said to be marked; docs/mark.md has the measurements."""
EVERY = 0.1
"""Seconds between two pictures that are looked at: a mark stays for longer."""
TOGETHER = 10
"""Pictures of one face that are looked at together, for what compression has left of the mark in each is little."""
_TRIES = 10_000.0
"""Independent places, sizes and turns at which a mark is looked for in a picture: docs/mark.md, fitted to unmarked pictures."""
NOTHING = Score(0.0, False, (0, 0, 0))
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
    def confidence(self) -> float | None:
        """0..1, how sure a yes is: the share of unmarked files of this length that are not taken for marked. None for a no."""
        return 1.0 - self.chance if self.is_marked else None

    @property
    def bits_right(self) -> int:
        """How many of the 32 bits are right; none where no mark was found."""
        return 0 if self.word is None else BITS - (self.word ^ payload().word).bit_count()


def chance_of(score: float, pictures: int = 1) -> float:
    """How likely the best score of ``pictures`` unmarked pictures is to be as high as ``score``: 0..1."""
    one = 0.5 * math.erfc(score / math.sqrt(2))
    return -math.expm1(_TRIES * max(1, pictures) * math.log1p(-min(one, 0.5)))


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen in one picture.

    Attributes
    ----------
    time : of the picture
    faces : how many were found
    alone, score : of the picture alone; of it or of the last few together, whichever is higher
    bits : (32,) as in `MarkReader.bits`; zeros where the score is not sure
    """

    time: float
    faces: int
    alone: Score
    score: Score
    bits: Floats


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
        looks = list(self.looks(pictures))
        marked = [look for look in looks if look.score.value >= SURE]
        soft = np.sum([look.bits for look in marked], axis=0) if marked else np.zeros(BITS, np.float32)
        score = max((look.score.value for look in looks), default=0.0)
        with_face = sum(look.faces > 0 for look in looks)
        return Found(
            len(looks),
            with_face,
            len(marked),
            round(score, 2),
            chance_of(score, with_face),
            nearest(soft).word if marked else None,
            sum(1 if look.score.mirrored else -1 for look in marked) > 0,
            _spans([look.time - looks[0].time for look in marked]),
        )

    def looks(self, pictures: Iterable[Frame]) -> Iterator[Look]:
        """What is seen in each picture that is looked at, of the face that is likest to be marked."""
        tracker, settings = Tracker(), Settings(face="all", steadiness=0)
        tracks: dict[int, _Track] = {}
        due = -math.inf
        for frame in pictures:
            if frame.time < due:
                continue
            due = frame.time + EVERY * 0.95
            faces = tracker.follow(frame, settings, self._detector.detect, self._landmarker.landmarks)
            best = Look(frame.time, len(faces), NOTHING, NOTHING, np.zeros(BITS, np.float32))
            for face in faces:
                alone, score = self._scores(tracks.setdefault(face.track, _Track()), frame, face.points)
                if score >= best.score:
                    bits = self._reader.bits(frame.pixels, face.points, score) if score.value >= SURE else best.bits
                    best = replace(best, alone=alone, score=score, bits=bits)
            yield best

    def _scores(self, track: _Track, frame: Frame, points: Floats) -> tuple[Score, Score]:
        """Of this picture alone, and of it or of the last few together, whichever is surer."""
        if frame.time - track.last > 1.0:
            track.seen.clear()
        likeness = self._reader.likeness(frame.pixels, points)
        track.seen.append(likeness)
        track.last = frame.time
        alone = self._reader.score(likeness)
        if len(track.seen) == 1:
            return alone, alone
        together = track.seen[0]
        for other in list(track.seen)[1:]:
            together = together + other
        return alone, max(alone, self._reader.score(together))


def _spans(times: list[float]) -> list[Span]:
    spans: list[Span] = []
    for time in times:
        if spans and time - spans[-1].end <= _GAP:
            spans[-1] = Span(spans[-1].start, time)
        else:
            spans.append(Span(time, time))
    return spans
