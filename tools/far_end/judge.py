"""Judges pictures that arrived somewhere else: is it the persona, is the badge there, in which order, and is nobody bare?

The camera was a clip whose pictures carry their numbers as bar codes (`tools.barcode`). The far end's pictures may have
another size (a meeting scales them), the same shape provided; each is brought to the clip's size first. Whose face it is,
an independent recogniser says (`tools.recogniser`). The bare face is looked for in two ways: beside the clip
(`tools.bare_face`), and by the recogniser. What a bare face looks like after the worst of coding is measured on the clip
itself: at a quarter of its width, as a JPEG of quality 10, which is worse than any far end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.frame import Floats, Pixels
from obs_facelive.home import Home
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.settings import Settings
from obs_facelive.video import read_frames
from tools import barcode
from tools.bare_face import BareFace, Limits, grey, small
from tools.far_end.badge_seen import BadgeSeen
from tools.far_end.report import Report, order
from tools.far_end.sheet import Sheet
from tools.quality.portrait import persona_portrait
from tools.recogniser import Recogniser, face_points, recogniser_file

SAMPLED: Final = 8
"""Each so many-th picture of the clip says what its person looks like, and what a bare one does."""
BARER: Final = 0.04
"""By so much a bare face is nearer to the live person than to the persona, at the least, as cosines. Measured over the
personas and the demo's clip, at 1280x720 and at 640x360: bare ones .06 and more, worn ones -.02 (the persona most like the
clip's person) and less."""
_SHAPE: Final = 0.02
"""A picture whose width to height differs by more than this part from the clip's is refused."""
_WORST: Final = (4, 10)
"""How many times smaller, and the JPEG's quality, of the pictures that measure what a bare face looks like."""


@dataclass(frozen=True)
class _Look:
    distance: float
    alikeness: float
    detail: float


class Judge:
    """Judges what arrives of one clip with one persona.

    Parameters
    ----------
    clip : numbered from 0, 16:9, with one person
    persona : its id in ``home``
    settings : the badge's looks
    smaller : how many times smaller than 1280x720, and than `tools.barcode` draws it the code, the clip is: 1, 2 or 4

    Raises
    ------
    `tools.wheels.FetchError` where the recogniser cannot be had, `ValueError` where there is no picture of the persona.
    """

    def __init__(
        self, home: Home, clip: Path, persona: str, settings: Settings | None = None, *, smaller: int = 1
    ) -> None:
        self._smaller = smaller
        self._detector, self._landmarker = BlazeFace(home.models), FaceMesh(home.models)
        self._recogniser = Recogniser(recogniser_file(home))
        portrait = self._who(persona_portrait(home, persona))
        if portrait is None:
            raise ValueError(f"there is no face in the picture of the persona {persona}")
        self._persona = portrait
        sampled: list[Pixels] = []
        for frame in read_frames(clip):
            self._length, self._width, self._height = frame.id + 1, frame.width, frame.height
            if frame.id % SAMPLED == 0:
                sampled.append(np.ascontiguousarray(frame.pixels[..., :3]))
        self._live = np.asarray([who for picture in sampled if (who := self._who(picture)) is not None])
        if not len(self._live):
            raise ValueError(f"there is no face in {clip}")
        self._bare = BareFace(home, clip)
        self._limits = Limits.of([self._look(_spoiled(picture, smaller)) for picture in sampled])
        self._badge = BadgeSeen(clip, settings or Settings())

    def judge(self, pictures: Iterable[Pixels]) -> Report:
        """Looks at every one of ``pictures``, (h, w, 3 or 4) uint8 BGR(A), in the order in which they arrived.

        Raises `ValueError` where one is not of the clip's shape.
        """
        sheet, numbers = Sheet(), list[int | None]()
        size, with_face, as_persona, with_badge, raw, covered = (0, 0), 0, 0, 0, 0, 0
        for index, picture in enumerate(pictures):
            size = (picture.shape[1], picture.shape[0])
            picture = self._whole(picture)
            number = self._number(picture)
            numbers.append(number)
            face = self._who(picture)
            nearer = 0.0 if face is None else float(self._persona @ face - (self._live @ face).max())
            bare = self._limits.beside_clip(self._look(picture)) or nearer < -BARER
            cover = face is None and number is None and not bare
            badge = not cover and self._badge.there(picture, number)
            with_face += face is not None
            as_persona += nearer > 0
            with_badge += badge
            raw += bare
            covered += cover
            wrong = not cover and (number is None or bare or not badge or (face is not None and nearer <= 0))
            sheet.add(picture, _words(index, number, face is not None, nearer, bare, badge), wrong)
        in_order, repeated, skipped = order(numbers, self._length)
        return Report(
            size=size,
            pictures=len(numbers),
            with_face=with_face,
            as_persona=as_persona,
            numbers=tuple(numbers),
            in_order=in_order,
            repeated=repeated,
            skipped=skipped,
            with_badge=with_badge,
            raw=raw,
            covered=covered,
            sheet=sheet.pixels(),
        )

    def _whole(self, picture: Pixels) -> Pixels:
        """At the clip's size."""
        height, width = picture.shape[:2]
        if abs(width * self._height / (height * self._width) - 1) > _SHAPE:
            raise ValueError(
                f"pictures of {width}x{height} have not the shape of the clip, {self._width}x{self._height}"
            )
        return _resized(picture, self._width, self._height)

    def _number(self, picture: Pixels) -> int | None:
        height, width = picture.shape[:2]
        number = barcode.read(_resized(picture, width * self._smaller, height * self._smaller))
        return number if number is not None and number < self._length else None

    def _who(self, picture: Pixels) -> Floats | None:
        points = face_points(picture, self._detector, self._landmarker)
        return None if points is None else self._recogniser.embed(picture, points)

    def _look(self, picture: Pixels) -> _Look:
        (found,) = self._bare.compare(grey(small(picture))[None])
        return _Look(*map(float, found))


def _words(index: int, number: int | None, face: bool, nearer: float, bare: bool, badge: bool) -> str:
    who = f"persona {nearer:+.3f}" if face else "no face"
    return f"{index} code {number} {who}{' BARE' if bare else ''}{'' if badge else ' no badge'}"


def _spoiled(picture: Pixels, smaller: int) -> Pixels:
    times, quality = _WORST[0] // smaller, _WORST[1]
    height, width = picture.shape[:2]
    little = cv2.resize(picture, (width // times, height // times), interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", little, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)


def _resized(picture: Pixels, width: int, height: int) -> Pixels:
    if picture.shape[1::-1] == (width, height):
        return picture
    how = cv2.INTER_AREA if picture.shape[1] > width else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), np.uint8)
