"""How high the score of pictures without the mark is: real clips, as they are and treated, and swapped ones left unmarked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from obs_facelive.frame import Frame, Pixels
from obs_facelive.home import Home
from obs_facelive.provenance.verify import Verifier
from tools.mark import ways
from tools.mark.material import FPS, clip_frames, swapped


def treated(pictures: Iterable[Pixels], number: int) -> Iterator[Pixels]:
    """``pictures`` changed in the ``number``-th way, so that the same clip gives other pictures."""
    for picture in pictures:
        height, width = picture.shape[:2]
        if number % 4 == 1:  # a small screenshot
            picture = ways.as_jpeg(
                [np.asarray(cv2.resize(picture, (854, 480), interpolation=cv2.INTER_AREA), np.uint8)]
            )[0]
        elif number % 4 == 2:  # held askew, darker
            turn = cv2.getRotationMatrix2D((width / 2, height / 2), 7, 1.1)
            picture = np.asarray(
                cv2.convertScaleAbs(cv2.warpAffine(picture, turn, (width, height)), alpha=0.8), np.uint8
            )
        elif number % 4 == 3:  # noise, contrast
            noise = np.random.default_rng(number).normal(0, 4, picture.shape)
            picture = np.clip(picture * 1.15 + noise - 10, 0, 255).astype(np.uint8)
        yield picture


def scores(home: Home, pictures: Iterable[Pixels]) -> Iterator[tuple[float, float]]:
    """Of each picture with a face: alone, and with those before it."""
    frames = (Frame(_bgra(picture), number, number / FPS * 3.3) for number, picture in enumerate(pictures))
    for look in Verifier(home.models).looks(frames):  # so far apart that each is looked at
        if look.faces:
            yield look.alone.value, look.score.value


def all_scores(home: Home, clips: list[Path], rounds: int, personas: list[str]) -> Iterator[tuple[str, float, float]]:
    """Kind of picture and its two scores, of everything there is."""
    for number in range(rounds):
        for clip in clips:
            for alone, together in scores(home, treated(clip_frames(clip), number)):
                yield "unmarked", alone, together
        if number < len(personas):
            for clip in clips:
                plain = [picture.plain for picture in swapped(home, clip, personas[number], 60, 20 * number)]
                for alone, together in scores(home, plain):
                    yield "swapped, unmarked", alone, together


def _bgra(picture: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2BGRA), np.uint8)
