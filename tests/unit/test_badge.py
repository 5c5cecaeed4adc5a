"""The visible label: can be read on anything and at any size, stays inside the picture, keeps away from faces."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from obs_facelive import fields as schema
from obs_facelive.frame import Face, Frame, Patch, Pixels
from obs_facelive.provenance import badge as module
from obs_facelive.provenance.badge import LEAST, STAY, Badge, Corner, Style
from obs_facelive.provenance.labels import LABELS
from obs_facelive.provenance.lettering import coverage, plate, text
from obs_facelive.settings import Settings
from obs_facelive.view import compose
from tools import badge_sheet
from tools.badge_sheet import GROUNDS, contrast, ground

SIZES = ((160, 90), (90, 160), (640, 360), (1280, 720), (1080, 1920), (3840, 2160))
STYLES: tuple[Style, ...] = ("words", "icon", "both")
CORNERS: tuple[Corner, ...] = ("top-right", "top-left", "bottom-right", "bottom-left")
READABLE = 4.5
"""Contrast that WCAG 2 asks of text."""


def frame_of(pixels: Pixels, time: float = 0.0) -> Frame:
    return Frame(pixels, 0, time)


def face_at(x: float, y: float, size: float) -> Face:
    """A face whose points lie in a square of that middle."""
    points = np.zeros((478, 3), np.float32)
    points[:, 0] = x + np.linspace(-0.5, 0.5, 478) * size
    points[:, 1] = y + np.linspace(-0.5, 0.5, 478) * size
    return Face(1, points, np.zeros(52, np.float32), 1.0)


@pytest.mark.parametrize("kind", GROUNDS)
@pytest.mark.parametrize("size", SIZES)
def test_it_can_be_read_on_anything(size: tuple[int, int], kind: str) -> None:
    for style in STYLES:
        assert contrast(*size, Settings(badge_style=style), kind) >= READABLE


def test_in_every_language(monkeypatch: pytest.MonkeyPatch) -> None:
    for language in LABELS:
        for size in ((160, 90), (1280, 720)):
            wanted = Settings(badge_style="words", badge_language=language)  # type: ignore[arg-type]
            assert contrast(*size, wanted, "white") >= READABLE
    # A plate that lets more through would be seen by this test.
    monkeypatch.setattr(module, "DENSE", 0.4)
    monkeypatch.setattr(badge_sheet, "DENSE", 0.4)
    assert contrast(1280, 720, Settings(), "white") < READABLE


def test_each_language_of_the_setting_has_its_words_and_their_letters() -> None:
    field = next(f for f in schema.fields() if f.name == "badge_language")
    assert list(field.choices) == list(LABELS)
    known = json.loads((Path(module.__file__).parent / "glyphs.json").read_text("utf-8"))["glyphs"]
    wanted = {character for label in LABELS.values() for words in label for character in words}
    assert wanted == set(known)
    assert len({label.words for label in LABELS.values()}) == len(LABELS)


@pytest.mark.parametrize("size", [*SIZES, (32, 18), (8, 200), (3, 2), (1, 1)])
@pytest.mark.parametrize("percent", [4, 15])
def test_it_stays_inside_the_picture(size: tuple[int, int], percent: int) -> None:
    frame = frame_of(ground("grey", *size))
    for style, corner in itertools.product(STYLES, CORNERS):
        wanted = Settings(badge=corner, badge_style=style, badge_size=percent, badge_language="uk")
        patch = Badge()(frame, [], [], wanted)
        high, wide = patch.pixels.shape[:2]
        assert patch.x >= 0 and patch.y >= 0 and patch.x + wide <= size[0] and patch.y + high <= size[1]
        assert patch.pixels.flags.c_contiguous and patch.pixels.dtype == np.uint8
        if min(size) >= 90:
            assert (patch.x > size[0] - patch.x - wide) == corner.endswith("right")
            assert (patch.y > size[1] - patch.y - high) == corner.startswith("bottom")


def test_its_size_follows_the_picture_and_the_setting() -> None:
    heights = [
        Badge()(frame_of(ground("grey", w, h)), [], [], Settings(badge_size=percent)).pixels.shape[0]
        for w, h, percent in ((1920, 1080, 4), (1920, 1080, 10), (3840, 2160, 10), (160, 90, 4))
    ]
    assert heights == [43, 108, 216, LEAST]


def test_a_bigger_one_is_not_a_smaller_one_enlarged() -> None:
    """Sharp edges at every size: the share of half-covered pixels falls as the letters grow."""
    shares = []
    for cap in (15, 45, 135):
        contours, end = text("AI face", 0, cap, cap)
        ink = coverage(contours, int(end) + 1, 2 * cap)
        shares.append(float(((ink > 0.1) & (ink < 0.9)).sum() / (ink >= 0.9).sum()))
    assert shares[0] > 2.5 * shares[1] > 2.5 * 2.5 * shares[2]


def test_outlines_fill_what_they_hold() -> None:
    square = coverage(plate(1, 1, 4, 2, 0.0), 6, 4)
    assert square.sum() == pytest.approx(8, rel=0.1) and square[1:3, 1:5].min() > 0.85 and square[0].max() < 0.2
    contours, end = text("I", 0, 100, 100)
    bar = coverage(contours, int(end) + 1, 120)
    assert (bar[50] > 0.5).sum() == pytest.approx((bar[90] > 0.5).sum()) and bar[105].max() == 0


def test_it_lies_on_the_patches_below() -> None:
    frame = frame_of(ground("black", 640, 360))
    white = Patch(0, 0, np.full((360, 640, 4), 255, np.uint8))
    bare, over = Badge()(frame, [], [], Settings()), Badge()(frame, [], [white], Settings())
    assert over.pixels[..., :3].mean() > bare.pixels[..., :3].mean() + 20
    assert (over.pixels[..., 3] == 255).all()


def test_transparent_pictures_keep_their_transparency_around_it() -> None:
    empty = np.zeros((360, 640, 4), np.uint8)
    pixels = Badge()(frame_of(empty), [], [], Settings()).pixels
    assert pixels[0, 0, 3] == 0 and pixels[..., 3].max() == 255


def corner_of(frame: Frame, patch: Patch) -> str:
    row = "bottom" if patch.y > frame.height / 2 else "top"
    return f"{row}-{'right' if patch.x > frame.width / 2 else 'left'}"


class Watched:
    """A badge over time."""

    def __init__(self, settings: Settings) -> None:
        self._badge, self._settings = Badge(), settings
        self._pixels = ground("grey", 640, 360)

    def at(self, time: float, *faces: Face) -> str:
        frame = frame_of(self._pixels, time)
        return corner_of(frame, self._badge(frame, faces, [], self._settings))


@pytest.mark.parametrize("corner", CORNERS)
def test_it_leaves_a_face_its_place(corner: Corner) -> None:
    watched = Watched(Settings(badge=corner))
    x, y = (560 if corner.endswith("right") else 80), (50 if corner.startswith("top") else 310)
    assert watched.at(0.0, face_at(320, 180, 60)) == corner
    elsewhere = watched.at(0.1, face_at(x, y, 60))
    assert elsewhere.split("-")[0] == corner.split("-")[0] and elsewhere != corner


def test_it_does_not_flicker() -> None:
    """A face that trembles at the corner's edge: the badge goes away once, and comes back once the face is far away."""
    watched = Watched(Settings())
    seen = [watched.at(n / 30, face_at(540 + (-1) ** n * 25, 90 + (n % 5) * 4, 120)) for n in range(120)]
    assert sum(a != b for a, b in itertools.pairwise(seen)) <= 1 and seen[-1] == "top-left"
    away = [watched.at(4 + n / 30, face_at(320, 220, 80)) for n in range(90)]
    assert away[0] == "top-left" and away[-1] == "top-right"
    back = next(n for n, corner in enumerate(away) if corner == "top-right")
    assert back / 30 == pytest.approx(STAY, abs=0.1)


def test_with_a_face_in_every_corner_it_stays() -> None:
    watched = Watched(Settings())
    seen = {watched.at(n / 30, face_at(320 + n % 7, 180, 600)) for n in range(60)}
    assert seen == {"top-right"}


def test_of_several_faces_it_keeps_away_from_all() -> None:
    watched = Watched(Settings())
    assert watched.at(0.0, face_at(560, 50, 60), face_at(80, 50, 60)) == "bottom-right"


def test_the_corner_that_is_wanted_now_counts_at_once() -> None:
    badge, frame = Badge(), frame_of(ground("grey", 640, 360))
    assert corner_of(frame, badge(frame, [face_at(560, 50, 60)], [], Settings())) == "top-left"
    assert corner_of(frame, badge(frame, [], [], Settings(badge="bottom-left"))) == "bottom-left"


def test_single_pictures_do_not_remember_each_other() -> None:
    watched = Watched(Settings())
    assert watched.at(0.0, face_at(560, 50, 60)) == "top-left"
    assert watched.at(10.0, face_at(320, 180, 60)) == "top-right"


def test_the_finished_picture_has_it() -> None:
    frame = frame_of(ground("skin", 640, 360))
    picture = compose(frame, [Badge()(frame, [], [], Settings(badge="bottom-left"))])
    changed = np.argwhere((picture != frame.pixels).any(2))
    assert changed[:, 0].min() > 300 and changed[:, 1].max() < 200
