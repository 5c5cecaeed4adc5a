"""The judge of what arrives at the far end, and the clock in the picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from obs_facelive.engine.stages import Stages
from obs_facelive.frame import Frame, Pixels
from obs_facelive.home import Home
from obs_facelive.settings import Settings
from obs_facelive.video import read_frames
from obs_facelive.view import compose
from tools import barcode
from tools.demo_clip import Clip, encode
from tools.far_end import clock
from tools.far_end.judge import Judge
from tools.far_end.report import Report, order
from tools.far_end.sheet import CELL, Sheet
from tools.recogniser import recogniser_file
from tools.wheels import UnavailableError

LENGTH = 17
PERSONA = "bruno"


@pytest.fixture(scope="module")
def home() -> Home:
    found = Home.find()
    if not (found.root / "demo" / "camera.mp4").is_file() or PERSONA not in found.persona_names():
        pytest.skip("the demo's clip or the personas are missing: run 'python3 install.py'")
    try:
        recogniser_file(found)
    except UnavailableError as problem:
        pytest.skip(str(problem))
    return found


@pytest.fixture(scope="module")
def clip(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first pictures of the demo's clip, with their numbers."""
    out = tmp_path_factory.mktemp("clip") / "camera.mp4"
    pictures = []
    for frame in read_frames(home.root / "demo" / "camera.mp4"):
        picture = np.ascontiguousarray(frame.pixels[..., :3])
        barcode.draw(picture, frame.id)
        pictures.append(picture)
        if len(pictures) == LENGTH:
            break
    encode(Clip(numbered=True), iter(pictures), out)
    return out


@pytest.fixture(scope="module")
def frames(clip: Path) -> list[Frame]:
    return list(read_frames(clip))[3::5]


@pytest.fixture(scope="module")
def judge(home: Home, clip: Path) -> Judge:
    return Judge(home, clip, PERSONA)


def worn(home: Home, frames: list[Frame], settings: Settings) -> list[Pixels]:
    pipeline = Stages(home, "cpu").pipeline(settings)
    return [compose(frame, pipeline.process(frame, settings).patches) for frame in frames]


def as_meeting(pictures: list[Pixels]) -> list[Pixels]:
    """Half the size, coded badly."""
    jpegs = [
        cv2.imencode(".jpg", cv2.resize(p, (640, 360), interpolation=cv2.INTER_AREA), [cv2.IMWRITE_JPEG_QUALITY, 30])[1]
        for p in pictures
    ]
    return [np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8) for jpeg in jpegs]


def test_the_persona_is_recognised_after_scaling_and_coding(home: Home, frames: list[Frame], judge: Judge) -> None:
    report = judge.judge(as_meeting(worn(home, frames, Settings(persona=PERSONA))))

    assert report.wrong() == []
    assert (report.pictures, report.with_face, report.as_persona) == (3, 3, 3)
    assert (report.raw, report.with_badge, report.size) == (0, 3, (640, 360))
    assert (report.numbers, report.in_order, report.repeated, report.skipped) == ((3, 8, 13), True, 0, 8)


def test_the_bare_face_is_found_in_every_picture_of_the_clip(frames: list[Frame], judge: Judge) -> None:
    report = judge.judge(as_meeting([frame.pixels for frame in frames]))

    assert (report.raw, report.as_persona, report.with_badge) == (3, 0, 0)
    assert report.numbers == (3, 8, 13)
    assert "3 pictures show the bare face" in report.wrong()


def test_a_missing_badge_is_found(home: Home, frames: list[Frame], judge: Judge) -> None:
    with_badge, without = (
        worn(home, frames[:1], msgspec.structs.replace(Settings(persona=PERSONA), badge=where))
        for where in ("bottom-left", "off")
    )

    report = judge.judge([*with_badge, *without])

    assert (report.pictures, report.with_badge, report.raw, report.repeated) == (2, 1, 0, 1)
    assert report.wrong() == ["1 pictures have no badge"]


def test_a_covered_picture_is_neither_bare_nor_without_its_badge(frames: list[Frame], judge: Judge) -> None:
    report = judge.judge([np.asarray(cv2.GaussianBlur(frames[0].pixels, (0, 0), 60), np.uint8)])

    assert (report.covered, report.raw, report.with_face, report.unread) == (1, 0, 0, 0)
    assert report.wrong() == ["no picture has a face"]


def test_a_picture_of_another_shape_is_refused(frames: list[Frame], judge: Judge) -> None:
    with pytest.raises(ValueError, match="640x480 have not the shape"):
        judge.judge([np.zeros((480, 640, 3), np.uint8)])


@pytest.mark.parametrize(
    ("numbers", "found"),
    [
        ([0, 1, 2], (True, 0, 0)),
        ([98, 99, 0, 1], (True, 0, 0)),  # the loop
        ([5, 5, 5, 6], (True, 2, 0)),
        ([5, 9, None, 10], (True, 0, 3)),
        ([5, 6, 5, 6], (False, 0, 0)),
        ([2, 99], (False, 0, 0)),
        ([], (True, 0, 0)),
    ],
)
def test_order(numbers: list[int | None], found: tuple[bool, int, int]) -> None:
    assert order(numbers, 100) == found


GOOD = Report((1, 1), 20, 20, 19, (1,) * 20, True, 0, 0, 20, 0, 0, np.zeros((1, 1, 3), np.uint8))


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (GOOD, []),
        (replace(GOOD, as_persona=18), ["only 90.0% of the faces are the persona"]),
        (replace(GOOD, with_face=0, as_persona=0), ["no picture has a face"]),
        (replace(GOOD, raw=1), ["1 pictures show the bare face"]),
        (replace(GOOD, with_badge=19), ["1 pictures have no badge"]),
        (replace(GOOD, numbers=(None, 1)), ["1 pictures have no number that can be read"]),
        (replace(GOOD, numbers=(None, 1), covered=1, with_badge=19), []),
        (replace(GOOD, in_order=False), ["the numbers go back"]),
    ],
)
def test_what_breaks_a_promise_is_said(report: Report, words: list[str]) -> None:
    assert report.wrong() == words


def test_a_sheet_shows_pictures_from_the_whole_run_and_the_wrong_ones() -> None:
    sheet, picture = Sheet(), np.full((90, 160, 3), 255, np.uint8)
    for index in range(100):
        sheet.add(picture, str(index), wrong=index == 57)

    rows, columns = sheet.pixels().shape[0] // CELL[1], sheet.pixels().shape[1] // CELL[0]
    assert (rows, columns) == (4, 4)  # 12 evenly, one wrong


def test_each_code_of_the_clock_is_on_its_sheet() -> None:
    sheet = clock.sheet()
    for tick in (0, 7, 8, clock.TICKS - 1):
        row, column = divmod(tick, clock.COLUMNS)
        assert barcode.read(sheet, column * barcode.WIDTH, row * barcode.HEIGHT) == tick


def test_the_clock_says_how_late_stream_and_filter_are() -> None:
    # OBS draws 30 pictures a second, each with a new picture of the camera; the filter is 3 pictures late, the stream .5 s.
    ticks = [100 + n / 30 for n in range(400)]
    arrived = [clock.Arrived(ticks[n] + 0.5, n % clock.TICKS, n % 360, (n - 3) % 360) for n in range(400)]

    late = clock.lateness([arrived[0], *arrived], ticks)

    assert len(late) == 400  # not 401: OBS sent one twice
    assert [each.stream for each in late] == pytest.approx([0.5] * 400)
    assert [each.filter for each in late[:3]] == [None] * 3
    assert [each.filter for each in late[3:]] == pytest.approx([0.1] * 397)
    assert late[-1].whole == pytest.approx(0.6)
