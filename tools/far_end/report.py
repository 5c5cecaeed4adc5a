"""What was seen at the far end: figures, words, a contact sheet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import cv2

from obs_facelive.frame import Pixels

LEAST: Final = 0.95
"""Share of the pictures with a face that must show the persona."""


@dataclass(frozen=True)
class Report:
    """All pictures of one far end.

    Attributes
    ----------
    size : width and height of the pictures as they came
    pictures, with_face : how many there are; how many have a face
    as_persona : of those, how many are nearer to the persona's portrait than to the live person in any picture of the clip
    numbers : the bar code in each picture, None where it cannot be read
    in_order : the numbers never go back, but for the clip's loop
    repeated, skipped : pictures with the number of the one before; numbers of the clip that were left out, or not read
    with_badge : pictures with the badge
    raw : pictures in which the bare face was found
    sheet : some of the pictures and whatever is wrong, (h, w, 3) uint8 BGR
    """

    size: tuple[int, int]
    pictures: int
    with_face: int
    as_persona: int
    numbers: tuple[int | None, ...]
    in_order: bool
    repeated: int
    skipped: int
    with_badge: int
    raw: int
    sheet: Pixels = field(compare=False, repr=False)

    @property
    def unread(self) -> int:
        """Pictures whose number cannot be read."""
        return self.numbers.count(None)

    @property
    def share(self) -> float:
        """0..1: of the pictures with a face, those that show the persona; 0 where there is none."""
        return self.as_persona / self.with_face if self.with_face else 0.0

    def wrong(self) -> list[str]:
        """What breaks a promise, in words; empty if nothing does."""
        found = []
        if not self.with_face:
            found.append("no picture has a face")
        elif self.share < LEAST:
            found.append(f"only {self.share:.1%} of the faces are the persona")
        if self.raw:
            found.append(f"{self.raw} pictures show the bare face")
        if self.with_badge < self.pictures:
            found.append(f"{self.pictures - self.with_badge} pictures have no badge")
        if self.unread:
            found.append(f"{self.unread} pictures have no number that can be read")
        if not self.in_order:
            found.append("the numbers go back")
        return found

    def words(self) -> str:
        """One line for people."""
        order = "in order" if self.in_order else "NOT in order"
        return (
            f"{self.pictures} pictures of {self.size[0]}x{self.size[1]}: {self.with_face} with a face, {self.as_persona} of"
            f" them the persona ({self.share:.1%}), {self.with_badge} with the badge, {self.raw} bare; numbers {order},"
            f" {self.repeated} repeated, {self.skipped} skipped, {self.unread} unread"
        )

    def data(self) -> dict[str, Any]:
        """The figures for JSON."""
        names = ("size", "pictures", "with_face", "as_persona", "share", "in_order", "repeated", "skipped", "unread")
        values = {name: getattr(self, name) for name in (*names, "with_badge", "raw", "numbers")}
        return values | {"share": round(self.share, 4), "wrong": self.wrong()}

    def write(self, folder: Path, name: str) -> None:
        """``name.json`` and ``name.jpg`` in ``folder``, which is made if missing."""
        folder.mkdir(parents=True, exist_ok=True)
        _, jpeg = cv2.imencode(".jpg", self.sheet, [cv2.IMWRITE_JPEG_QUALITY, 88])
        for end, content in ((".json", json.dumps(self.data()).encode()), (".jpg", jpeg.tobytes())):
            fresh = folder / f".{name}{end}"
            fresh.write_bytes(content)
            fresh.replace(folder / f"{name}{end}")


def order(numbers: Sequence[int | None], length: int) -> tuple[bool, int, int]:
    """(in order, repeated, skipped) of the numbers of a clip with ``length`` pictures that plays in a loop.

    A step of up to half the clip is one forwards; numbers that could not be read say nothing.
    """
    read = [number for number in numbers if number is not None]
    steps = [(after - before) % length for before, after in pairwise(read)]
    forwards = [step for step in steps if step <= length // 2]
    skipped = sum(step - 1 for step in forwards if step)
    return len(forwards) == len(steps), steps.count(0), skipped
