"""Which of the tracked faces is the camera's owner: looks at them, spread over the frames, and adds the looks up."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np

from obs_facelive.frame import Face, Floats, Frame, Pixels
from obs_facelive.geometry import box_of, head_pose
from obs_facelive.identity.belief import Belief
from obs_facelive.identity.enrolment import Enrolment
from obs_facelive.topology import CanonicalFace

LOOK_AGAIN: Final = 1.0
"""Seconds after which a face is looked at again, whatever is thought of it."""
_WAVERING: Final = 0.1
_STUBBORN: Final = 0.2
"""Seconds between looks at a face that says now this, now that, and at one that stays unknown."""
_EAGER: Final = 6
"""Looks at an unknown face, one a frame, before it is a stubborn one."""
_LOOKS_FOR_OWNER: Final = 2
"""Looks in a frame, at most; where the owner needs no confirmation, one."""
_LOOKS_AT_FIRST: Final = 8
"""The same in a frame with which everything begins: a single picture has no other one."""
_DOUBT: Final = 0.5
"""Seconds for which doubt about a face lasts: the points may slide from one face to another after the two have parted."""
_APART: Final = 1.0
"""Seconds between frames that have nothing to do with each other."""
_STRAIGHT, _ASIDE = 30.0, 45.0
"""Degrees of yaw up to which a look counts in full, and from which it says nothing against the owner."""
_LARGE, _SMALL = 48.0, 24.0
"""The same in pixels of the face's height."""


class Embedder(Protocol):
    """What is needed of `obs_facelive.identity.recogniser.Recogniser`."""

    def embed(self, pixels: Pixels, points: Floats) -> Floats:
        """Whose face it is, (128,)."""
        ...


class Remembered(Protocol):
    """What is needed of `obs_facelive.identity.enrolment.Enrolled`."""

    def current(self) -> Enrolment | None:
        """Who the owner is, if anybody."""
        ...


@dataclass(frozen=True, slots=True)
class Sorted:
    """The faces of one frame.

    Attributes
    ----------
    owner : the owner's: usually one, but there are mirrors
    others : other people's
    unknown : those of which it is not known yet
    missed : the owner was there within the last second, and is not seen now
    """

    owner: list[Face]
    others: list[Face]
    unknown: list[Face]
    missed: bool

    @property
    def company(self) -> bool:
        """Whether anybody is there who is not the owner, as far as is known."""
        return bool(self.others or self.unknown)

    @property
    def unsure(self) -> bool:
        """Whether the owner may be in the frame, and bare."""
        return self.missed or bool(self.unknown and not self.owner)


@dataclass(slots=True)
class _Seen:
    belief: Belief = field(default_factory=Belief)
    looked: float = -np.inf
    looks: int = 0
    doubted: float = -np.inf


class Owner:
    """Sorts the faces of one camera's frames. Frames come in order.

    Parameters
    ----------
    recogniser : opened when it is needed first
    """

    def __init__(self, recogniser: Callable[[], Embedder], enrolled: Remembered, canonical: CanonicalFace) -> None:
        self._recogniser, self._enrolled, self._canonical = recogniser, enrolled, canonical
        self._enrolment: Enrolment | None = None
        self._seen: dict[int, _Seen] = {}
        self._last = self._last_owner = -np.inf
        self.looks = 0

    @property
    def others(self) -> set[int]:
        """Numbers of the faces that are known to be other people's."""
        return {number for number, seen in self._seen.items() if seen.belief.who == "other"}

    @property
    def present(self) -> bool:
        """Whether the owner was seen in the last frame, and nobody unknown or in doubt."""
        settled = all(
            seen.belief.who != "unknown" and self._last - seen.doubted > _DOUBT for seen in self._seen.values()
        )
        return self._last_owner == self._last and settled

    def sort(
        self, frame: Frame, faces: list[Face], doubtful: Collection[int], missed: Collection[int]
    ) -> Sorted | None:
        """Whose ``faces`` of ``frame`` are whose; None where nobody is enrolled.

        Parameters
        ----------
        doubtful, missed : numbers of faces, see `obs_facelive.track.tracker.Tracker`
        """
        enrolment = self._enrolled.current()
        if enrolment is not self._enrolment:
            self._enrolment, self._seen, self._last_owner = enrolment, {}, -np.inf
        if enrolment is None:
            return None
        first = abs(frame.time - self._last) > _APART
        self._last = frame.time
        present = {face.track: self._seen.get(face.track) or _Seen() for face in faces}
        self._seen = {n: seen for n, seen in self._seen.items() if n in missed and n not in present} | present
        for number in doubtful:
            if number in self._seen:
                self._seen[number].doubted = frame.time
        left = self._confirm(frame, faces, doubtful, enrolment, _LOOKS_AT_FIRST if first else _LOOKS_FOR_OWNER)
        for count, face in enumerate(self._due(frame.time, faces)):
            if left <= 0 or (count and not first and self._who(faces, "owner")):
                break
            self._look(frame, face, enrolment)
            left -= 1
        owner = self._who(faces, "owner")
        if owner:
            self._last_owner = frame.time
        lately = frame.time - self._last_owner <= _APART
        return Sorted(owner, self._who(faces, "other"), self._who(faces, "unknown"), lately and not owner)

    def _confirm(
        self, frame: Frame, faces: list[Face], doubtful: Collection[int], enrolment: Enrolment, left: int
    ) -> int:
        """Who may be somebody else than before is looked at now, the owner first; returns how many looks are left.

        Where the owner is recognised, the others have not become the owner.
        """
        for face in self._who(faces, "owner"):
            if abs(frame.time - self._seen[face.track].doubted) > _DOUBT:
                continue
            self._seen[face.track].belief = self._seen[face.track].belief.in_doubt()
            self._look(frame, face, enrolment)
            left -= 1
        if not self._who(faces, "owner"):
            for face in faces:
                if face.track in doubtful:
                    self._seen[face.track].belief = self._seen[face.track].belief.in_doubt()
        return left

    def _due(self, time: float, faces: list[Face]) -> list[Face]:
        """The faces that are to be looked at, most urgent first."""

        def urgency(face: Face) -> tuple[int, float]:
            seen = self._seen[face.track]
            if seen.belief.who == "unknown":
                wait, rank = 0.0 if seen.looks < _EAGER else _STUBBORN, 0
            elif seen.belief.wavering:
                wait, rank = _WAVERING, 1
            else:
                wait, rank = LOOK_AGAIN, 2
            if abs(time - seen.looked) < max(wait, 1e-6):
                rank = 3
            # Of the unknown, the likelier one first: then nobody else has to be looked at for the picture to go on.
            return rank, -seen.belief.evidence if rank == 0 else seen.looked

        ranked = sorted((urgency(face), face.track, face) for face in faces)
        return [face for (rank, _), _, face in ranked if rank < 3]

    def _look(self, frame: Frame, face: Face, enrolment: Enrolment) -> None:
        seen = self._seen[face.track]
        likeness = enrolment.likeness(self._recogniser().embed(frame.pixels, face.points))
        seen.belief = seen.belief.after(likeness, self._weight(face))
        seen.looked = frame.time
        seen.looks = 0 if seen.belief.who != "unknown" else seen.looks + 1
        self.looks += 1

    def _weight(self, face: Face) -> float:
        """How much a look at ``face`` can say against the owner, 0 to 1."""
        box = box_of(face.points)
        turn = abs(head_pose(face.points, self._canonical)[0])
        straight = np.clip((_ASIDE - turn) / (_ASIDE - _STRAIGHT), 0, 1)
        large = np.clip((float(box[3] - box[1]) - _SMALL) / (_LARGE - _SMALL), 0, 1)
        return float(straight * large)

    def _who(self, faces: list[Face], who: str) -> list[Face]:
        return [face for face in faces if self._seen[face.track].belief.who == who]
