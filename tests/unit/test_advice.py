"""What is said about photos: the shipped people's own, and the same ones spoiled on purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from obs_facelive.frame import Pixels
from obs_facelive.home import Home
from obs_facelive.personas.advice import Judgement, judge
from obs_facelive.personas.look import Look, Studio, blur
from obs_facelive.personas.photos import open_photo
from tools.openpeople import PEOPLE

FINE = Look(
    others=0,
    width=500,
    yaw=0,
    pitch=5,
    roll=0,
    blur=0.35,
    side=0.1,
    brightness=130,
    burnt=0,
    mouth=0,
    smile=0.1,
    shut=0.15,
    hidden=0,
)


@pytest.fixture(scope="module")
def studio(models: Path) -> Studio:
    return Studio(models)


@pytest.fixture(scope="module")
def photo() -> Pixels:
    """A studio portrait of somebody who does not exist, (1024, 1024, 3)."""
    full = open_photo(Home.find().personas / "clara" / "photos" / "0.jpg")
    return np.asarray(cv2.resize(full, (1024, 1024), interpolation=cv2.INTER_AREA), np.uint8)


def judged(studio: Studio, photo: Pixels) -> Judgement:
    return judge(studio.look(studio.portrait(photo)))


def test_good_photos_are_good(studio: Studio) -> None:
    for name in PEOPLE.values():
        judgement = judged(studio, open_photo(Home.find().personas / name.lower() / "photos" / "0.jpg"))
        assert (judgement.score, judgement.word) == (100, "good"), (name, judgement.remarks)


def side_lit(photo: Pixels, strength: float) -> Pixels:
    odds = photo.clip(3, 252) / 255.0
    odds = np.log(odds / (1 - odds)) + strength * np.linspace(-1, 1, photo.shape[1])[None, :, None] - strength / 3
    return np.asarray(255 / (1 + np.exp(-odds)), np.uint8)


def bar(photo: Pixels) -> Pixels:
    """Something blue before mouth and nose."""
    spoiled = photo.copy()
    height, width = photo.shape[:2]
    spoiled[height // 2 : height // 2 + 60, width // 2 - 80 : width // 2 + 80] = (200, 40, 40)
    return spoiled


def beside(photo: Pixels) -> Pixels:
    other = open_photo(Home.find().personas / "leila" / "photos" / "0.jpg")
    return np.hstack([photo, np.asarray(cv2.resize(other, photo.shape[1::-1]), np.uint8)])


@pytest.mark.parametrize(
    "fault, spoil",
    [
        ("blurred", lambda p: cv2.GaussianBlur(p, (0, 0), 3)),
        ("blurred", lambda p: cv2.blur(p, (25, 1))),
        ("blurred", lambda p: cv2.resize(cv2.resize(p, (200, 200), interpolation=cv2.INTER_AREA), (1024, 1024))),
        ("small", lambda p: cv2.resize(p, (340, 340), interpolation=cv2.INTER_AREA)),
        ("side light", lambda p: side_lit(p, 2.5)),
        ("side light", lambda p: side_lit(p, -2.5)),
        ("too dark", lambda p: (p * 0.25).astype(np.uint8)),
        ("too bright", lambda p: (p * 1.55).clip(0, 255).astype(np.uint8)),
        ("covered", bar),
        ("several faces", beside),
    ],
)
def test_a_spoiled_photo_is_told_what_is_wrong(
    studio: Studio, photo: Pixels, fault: str, spoil: Callable[[Pixels], Any]
) -> None:
    judgement = judged(studio, np.asarray(spoil(photo), np.uint8))
    assert judgement.remarks and judgement.remarks[0].fault == fault, judgement
    assert judgement.score < 90
    assert judgement.usable is (fault != "several faces")


def test_worse_costs_more(studio: Studio, photo: Pixels) -> None:
    scores = [judged(studio, np.asarray(cv2.GaussianBlur(photo, (0, 0), s), np.uint8)).score for s in (0.1, 2, 4)]
    assert scores == sorted(scores, reverse=True) and scores[0] - scores[2] > 40


@pytest.mark.parametrize(
    "change, fault, fatal, word",
    [
        ({"yaw": 25}, "turned", False, "picture's right"),
        ({"yaw": -25}, "turned", False, "picture's left"),
        ({"yaw": 50}, "turned", True, "turned"),
        ({"pitch": 25}, "tilted", False, "down"),
        ({"pitch": -15}, "tilted", False, "up"),
        ({"pitch": 40}, "tilted", True, "down"),
        ({"mouth": 0.3}, "mouth open", False, "open"),
        ({"smile": 0.9}, "smiling", False, "smiles"),
        ({"shut": 0.5}, "eyes shut", False, "half shut"),
        ({"shut": 0.8}, "eyes shut", False, "are shut"),
        ({"hidden": 0.4}, "covered", True, "40%"),
        ({"brightness": 10}, "too dark", True, "dark"),
        ({"burnt": 0.6}, "too bright", True, "60%"),
        ({"blur": 0.9}, "blurred", True, "very"),
        ({"others": 2}, "several faces", True, "2 more"),
    ],
)
def test_each_fault_has_its_words(change: dict[str, float], fault: str, fatal: bool, word: str) -> None:
    judgement = judge(replace(FINE, **change))  # type: ignore[arg-type]
    (remark,) = judgement.remarks
    assert (remark.fault, remark.fatal) == (fault, fatal)
    assert word in remark.text and remark.better.endswith(".")
    assert judgement.score == max(0, 100 - remark.cost) and judgement.usable is not fatal
    assert judgement.word == ("unusable" if fatal else judgement.word)


def test_a_fine_photo_has_no_remark_and_the_worst_comes_first() -> None:
    assert judge(FINE) == Judgement(100, ())
    many = judge(replace(FINE, yaw=20, mouth=0.4, side=1.5, shut=0.7, blur=0.7, burnt=0.3))
    costs = [remark.cost for remark in many.remarks]
    assert costs == sorted(costs, reverse=True) and len(costs) == 6
    assert many.score == max(0, 100 - sum(costs))


def test_blur_is_measured_in_both_directions() -> None:
    noise = np.random.default_rng(1).normal(128, 40, (200, 200)).astype(np.float32)
    sharp = blur(noise)
    for kernel in ((1, 9), (9, 1)):
        assert blur(np.asarray(cv2.blur(noise, kernel), np.float32)) > sharp + 0.15
    assert 0 <= blur(np.zeros((20, 20), np.float32)) <= 1
