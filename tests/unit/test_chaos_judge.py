"""What the judges of the chaos call a bare face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tools.bare_face import Limits
from tools.chaos.faces import Likeness
from tools.chaos.judge import Seen
from tools.chaos.kept import keep, load
from tools.chaos.report import Judged, wrong
from tools.chaos.run import Outcome, Struck, describe
from tools.procfs import Usage


def seen(distance: float, alikeness: float, detail: float = 1.0) -> Seen:
    return Seen(0, 1, "live", distance, alikeness, detail)


BARE = [seen(4.0, 0.99), seen(6.0, 0.98)]
LIMITS = Limits.of(BARE)


def test_limits_are_farther_than_the_worst_bare_picture() -> None:
    assert (LIMITS.distance, LIMITS.alikeness) == pytest.approx((12.0, 0.96))


@pytest.mark.parametrize(
    ("what", "bare"),
    [
        (seen(5.0, 0.99), True),
        (seen(11.0, 0.5), True),  # near, and not alike
        (seen(25.0, 0.97), True),  # the same face in another light
        (seen(25.0, 0.97, detail=0.1), False),  # what is left of it in a blurred picture
        (seen(25.0, 0.8), False),
    ],
)
def test_the_bare_face_is_found_by_either_measure(what: Seen, bare: bool) -> None:
    assert LIMITS.beside_clip(what) is bare


def test_a_face_is_bare_that_is_more_like_the_person_than_like_any_persona() -> None:
    assert Likeness(bare=0.99, worn=0.97).familiar
    assert not Likeness(bare=0.97, worn=0.99).familiar


def test_without_a_bare_picture_nothing_can_be_judged() -> None:
    with pytest.raises(ValueError, match="no bare face"):
        Limits.of([])


def outcome(recoveries: Sequence[float | None], raw: int = 0, leaks: tuple[str, ...] = ()) -> Outcome:
    struck = [Struck("engine killed", 0.0, 0.0, recovery) for recovery in recoveries]
    usage = Usage(1, 1, 1, 1, 1)
    return Outcome(Path("x.mkv"), [], struck, 600, raw, {}, usage, usage, leaks, 3)


FINE = Judged([], {}, [], [], {})


@pytest.mark.parametrize(
    ("what", "judged", "words"),
    [
        (outcome([1.0] * 96 + [9.0] * 4), FINE, ""),
        (outcome([1.0] * 94 + [9.0] * 6), FINE, "got over in 9.0 s (p95)"),
        (outcome([1.0, None]), FINE, "not got over: engine killed"),
        (outcome([1.0], raw=2), FINE, "2 bare frames by the filter's own counter"),
        (outcome([1.0], leaks=("engine process 7",)), FINE, "left behind: engine process 7"),
        (outcome([1.0]), Judged([], {}, [7, 8], [], {}), "2 recorded pictures show the bare face; the first: 7"),
        (outcome([1.0]), Judged([], {}, [], [9], {}), "1 recorded pictures are nothing known; the first: 9"),
    ],
)
def test_what_breaks_a_promise_is_said(what: Outcome, judged: Judged, words: str) -> None:
    assert wrong(what, judged) == ([words] if words else [])


def test_a_percentile_is_a_time_that_was_measured() -> None:
    figures = describe(outcome([5.0, 1.0, 2.0, 3.0, 4.0, None]))

    assert figures["recovery_s"] == {50: 3.0, 95: 5.0, 100: 5.0}
    assert (figures["faults"], figures["not_recovered"]) == (6, 1)


def test_a_run_is_kept_and_read_again(tmp_path: Path) -> None:
    scratch, folder = tmp_path / "scratch", tmp_path / "report"
    scratch.mkdir()
    folder.mkdir()
    for name in ("long.mkv", "one.mkv", "two.mkv"):
        (scratch / name).write_text(name)
    bare = [((640, 360), scratch / "one.mkv"), ((320, 180), scratch / "two.mkv")]
    made = replace(outcome([1.0, None]), recording=scratch / "long.mkv", control=bare, states={"live": 3}, leaks=["a"])

    kept = keep(made, folder)

    assert load(folder) == kept
    assert kept == replace(
        made,
        recording=folder / "recording.mkv",
        control=[((640, 360), folder / "bare-640x360.mkv"), ((320, 180), folder / "bare-320x180.mkv")],
    )
    assert kept.recording.read_text() == "long.mkv" and kept.control[1][1].read_text() == "two.mkv"
