"""OBS's virtual camera in other programs' hands: ffmpeg, and a meeting in Chromium that sends it through WebRTC.

Needs the guest: ``python -m tools.vcam build FOLDER``, ``FACELIVE_VCAM=FOLDER``.
"""

from __future__ import annotations

import pytest

from obs_facelive.home import Home
from tools.recogniser import recogniser_file
from tools.vcam.film import film
from tools.vcam.guest import Guest, GuestError
from tools.vcam.report import Seen, judge
from tools.views import ONE_FRAME
from tools.wheels import UnavailableError

pytestmark = [pytest.mark.vcam, pytest.mark.timeout(3600)]

PICTURES = 120


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """One boot's pictures."""
    home = Home.find()
    try:
        guest = Guest.find()
        recogniser_file(home)
    except (GuestError, UnavailableError) as problem:
        pytest.skip(str(problem))
    folder = tmp_path_factory.mktemp("vcam")
    result = judge(home, film(guest, home, folder, PICTURES))
    result.write(folder / "report")
    print(result.markdown(), folder / "report")
    return result


@pytest.mark.parametrize("reader", ["ffmpeg", "meeting"])
def test_other_programs_see_the_persona(seen: Seen, reader: str) -> None:
    report = seen.ffmpeg if reader == "ffmpeg" else seen.meeting

    assert report.wrong() == []
    assert report.pictures == PICTURES and report.with_face > PICTURES // 2
    assert len({*report.numbers}) > PICTURES // 4


def test_the_meeting_went_through_a_video_codec(seen: Seen) -> None:
    received = seen.film.facts["page"]["received"]

    assert received["codec"] == "video/VP8"
    assert received["decoded"] >= PICTURES


def test_the_camera_has_its_name(seen: Seen) -> None:
    assert seen.film.facts["page"]["cameras"] == ["OBS Virtual Camera"]


def test_nobody_was_bared_until_it_was_asked_for(seen: Seen) -> None:
    assert seen.raw_frames_shown == 0
    assert seen.bare.raw == seen.bare.pictures > 20


def test_work_does_not_multiply_with_the_views(seen: Seen) -> None:
    views = seen.film.facts["views"]

    assert min(counts["frames_rendered"] for counts in views.values()) > 1.5  # the virtual camera is one more
    assert views["studio mode"]["frames_rendered"] > 2.5
    assert all(counts["frames_captured"] == pytest.approx(1, abs=ONE_FRAME) for counts in views.values()), views
