"""What is wrong with a photo of a face, in words, and what would be better. Pure: numbers of `look` in, sentences out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from obs_facelive.personas.look import Look

Fault = Literal[
    "several faces",
    "small",
    "turned",
    "tilted",
    "blurred",
    "side light",
    "too dark",
    "too bright",
    "mouth open",
    "smiling",
    "eyes shut",
    "covered",
]

UPRIGHT_PITCH: Final = 5.0
"""Degrees: the pitch of a face that looks into the camera; the canonical face looks up a little."""
GOOD: Final = 75
FAIR: Final = 50
"""Scores from which on a photo is good, and fair."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that is wrong with a photo.

    Attributes
    ----------
    fault : which
    cost : points that it takes of 100
    fatal : no persona can be made of the photo
    text : what is wrong, for people
    better : what to do about it
    """

    fault: Fault
    cost: int
    fatal: bool
    text: str
    better: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """How good a photo is.

    Attributes
    ----------
    score : 0..100
    remarks : the most costly first
    """

    score: int
    remarks: tuple[Remark, ...]

    @property
    def usable(self) -> bool:
        """Whether a persona can be made of it."""
        return not any(remark.fatal for remark in self.remarks)

    @property
    def word(self) -> str:
        """The score in a word."""
        if not self.usable:
            return "unusable"
        return "good" if self.score >= GOOD else "fair" if self.score >= FAIR else "poor"


def judge(look: Look) -> Judgement:
    """What is wrong with the photo whose face looks like ``look``.

    Where each fault begins and ends was set by photos that were blurred, darkened, lit and covered on purpose.
    """
    remarks = sorted(_remarks(look), key=lambda remark: (-remark.fatal, -remark.cost))
    return Judgement(max(0, 100 - sum(remark.cost for remark in remarks)), tuple(remarks))


def _remarks(look: Look) -> Iterator[Remark]:
    if look.others:
        yield Remark(
            "several faces",
            100,
            True,
            f"there {'is another face' if look.others == 1 else f'are {look.others} more faces'} on it",
            "Use a photo of this person alone, or cut the others away.",
        )
    if cost := _cost(-look.width, -240, -90, 35):
        text = f"the face is small ({look.width:.0f} pixels across)"
        yield Remark("small", cost, False, text, "Come nearer, or use the photo in its original size: 300 or more.")
    if cost := _cost(abs(look.yaw), 12, 35, 60):
        way = "right" if look.yaw > 0 else "left"
        text = f"the head is turned to the picture's {way} ({abs(look.yaw):.0f}°)"
        yield Remark("turned", cost, abs(look.yaw) > 35, text, "Look straight into the camera.")
    pitch = look.pitch - UPRIGHT_PITCH
    if cost := _cost(abs(pitch), 12, 30, 50):
        way, better = ("down", "down") if pitch > 0 else ("up", "up")
        text = f"the head looks {way} ({abs(pitch):.0f}°)"
        yield Remark("tilted", cost, abs(pitch) > 30, text, f"Hold the camera at eye level, and do not look {better}.")
    if cost := _cost(look.blur, 0.44, 0.8, 60):
        text = "it is very blurred" if look.blur > 0.6 else "it is a little blurred"
        yield Remark(
            "blurred",
            cost,
            look.blur > 0.85,
            text,
            "Hold still, wipe the lens, and use more light; no video call's picture.",
        )
    if cost := _cost(abs(look.side), 0.8, 2.4, 45):
        way = "right" if look.side > 0 else "left"
        text = f"the light comes from the picture's {way}: the other cheek lies in shadow"
        yield Remark(
            "side light", cost, False, text, "Face a window or a lamp, so that both cheeks are equally bright."
        )
    if cost := _cost(-look.brightness, -60, -15, 60):
        fatal = look.brightness < 18
        yield Remark("too dark", cost, fatal, "it is too dark", "Use more light; daylight from the front is best.")
    if cost := _cost(look.burnt, 0.03, 0.35, 60):
        text = f"it is overexposed: {look.burnt:.0%} of the face is white"
        yield Remark("too bright", cost, look.burnt > 0.5, text, "Use softer light, or no flash.")
    if cost := _cost(look.mouth, 0.06, 0.45, 40):
        yield Remark("mouth open", cost, False, "the mouth is open", "Close the lips, loosely.")
    if cost := _cost(look.smile, 0.6, 1.0, 12):
        yield Remark("smiling", cost, False, "it smiles", "A calm face is best: your own smile comes live.")
    if cost := _cost(look.shut, 0.42, 0.7, 40):
        text = "the eyes are shut" if look.shut > 0.6 else "the eyes are half shut"
        yield Remark("eyes shut", cost, False, text, "Open the eyes, and look into the camera.")
    if cost := _cost(look.hidden, 0.03, 0.2, 70):
        text = f"something is in front of the face ({look.hidden:.0%} of it)"
        yield Remark(
            "covered",
            cost,
            look.hidden > 0.3,
            text,
            "Take away hands, hair, masks and sunglasses; nothing before the face.",
        )


def _cost(value: float, good: float, bad: float, most: int) -> int:
    """Points for ``value``: 0 up to ``good``, ``most`` from ``bad`` on, rising evenly between."""
    return round(float(np.clip((value - good) / (bad - good), 0, 1)) * most)
