"""Never a bare face: the real compiled callbacks, through whatever may happen, in whatever order.

`tests.unit.worn` judges every picture that viewers would see; the tests here make things happen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from obs_facelive.link.layout import WITHDRAWN
from obs_facelive.obs import rows as r
from obs_facelive.states import REASONS
from tests.unit.worn import Answer, Worn, wearing

ANSWERS: tuple[Answer, ...] = (
    "honest",
    "missed",
    "failed",
    "loading",
    "turned",
    "withdrawn",
    "no patch",
    "face in no face",
    "unknown",
)
SIZES = ((16, 12), (12, 16), (32, 24), (0, 0))


class Life(RuleBasedStateMachine):
    """Everything that can happen to a filter."""

    def __init__(self) -> None:
        super().__init__()
        self._end = wearing()
        self.worn: Worn = self._end.__enter__()

    def teardown(self) -> None:
        self._end.__exit__(None, None, None)

    @initialize(live=st.booleans(), choice=st.sampled_from(("hold", "cover", "camera")))
    def begin(self, live: bool, choice: str) -> None:
        self.worn.change(no_face=choice)
        if live:
            self.worn.go_live()

    @rule(
        after=st.sampled_from((0, 1, 33, 33, 33, 33, 299, 300, 301, 999, 1000, 1001, 5000, 600_000)),
        face=st.booleans(),
        views=st.integers(1, 3),
        drawn=st.sampled_from((True, True, True, False)),
    )
    def time_goes_on(self, after: int, face: bool, views: int, drawn: bool) -> None:
        self.worn.pass_time(after, face=face)
        if drawn:
            self.worn.draw(views)

    @rule(frames=st.integers(1, 12), faces=st.booleans(), how=st.sampled_from(ANSWERS))
    def a_run_of_frames(self, frames: int, faces: bool, how: Answer) -> None:
        for _ in range(frames):
            self.worn.pass_time(33, face=faces)
            self.worn.draw()
            self.worn.work(how)

    @rule(
        change=st.one_of(
            st.fixed_dictionaries({"swap": st.booleans()}),
            st.fixed_dictionaries({"privacy": st.booleans()}),
            st.fixed_dictionaries({"no_face": st.sampled_from(("hold", "cover", "camera"))}),
            st.fixed_dictionaries({"hold_ms": st.sampled_from((0, 300, 1000, 5000, 10**9, -1))}),
            st.fixed_dictionaries({"view": st.sampled_from(("side", "result", "mask"))}),
        )
    )
    def settings_change(self, change: dict[str, Any]) -> None:
        self.worn.change(**change)

    @rule(size=st.sampled_from(SIZES))
    def the_size_changes(self, size: tuple[int, int]) -> None:
        self.worn.resize(*size)

    @rule()
    def the_supervisor_looks(self) -> None:
        self.worn.look()

    @rule(there=st.booleans())
    def the_script(self, there: bool) -> None:
        self.worn.supervise(there)

    @rule(broken=st.booleans())
    def the_graphics_card(self, broken: bool) -> None:
        self.worn.obs.broken = broken

    @rule()
    def the_engine_starts(self) -> None:
        self.worn.engine_starts()

    @rule()
    def the_engine_dies(self) -> None:
        self.worn.engine_dies()

    @rule()
    def the_engine_takes(self) -> None:
        self.worn.take()

    @precondition(lambda self: self.worn.hand)
    @rule(how=st.sampled_from(ANSWERS), which=st.integers(0, 3))
    def the_engine_answers(self, how: Answer, which: int) -> None:
        self.worn.answer(how, which % len(self.worn.hand))


@pytest.mark.parametrize("examples", [40, pytest.param(2000, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])])
def test_whatever_happens(examples: int) -> None:
    health = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=examples, stateful_step_count=50, deadline=None, suppress_health_check=health, print_blob=True
        ),
    )


@pytest.fixture
def worn() -> Iterator[Worn]:
    with wearing() as made:
        yield made


def reason(worn: Worn) -> str:
    return REASONS[int(worn.row[r.REASON])]


def frames(worn: Worn, count: int, how: Answer | None = "honest", *, face: bool = True) -> None:
    for _ in range(count):
        worn.pass_time(33, face=face)
        worn.draw()
        if how:
            worn.work(how)


def test_starts_covered_and_goes_live(worn: Worn) -> None:
    worn.draw()
    assert (worn.state, reason(worn)) == ("cover", "starting")
    worn.go_live()
    assert worn.draw()[0].patches


def test_an_engine_that_stops_is_held_then_covered(worn: Worn) -> None:
    worn.go_live()
    frames(worn, 12, None)
    assert (worn.state, reason(worn)) == ("hold", "engine is slow")
    frames(worn, 30, None)
    assert worn.state == "cover"
    worn.engine_dies()
    frames(worn, 1, None)
    assert (worn.state, reason(worn)) == ("cover", "engine is restarting")


def test_another_size_forgets_everything(worn: Worn) -> None:
    worn.go_live()
    worn.resize(12, 16)
    frames(worn, 1, None)
    assert (worn.state, reason(worn)) == ("cover", "starting")
    worn.look()
    frames(worn, 4)
    assert worn.state == "live"


@pytest.mark.parametrize("gap", ["scene", "source", "bypass"])
def test_who_comes_back_after_a_while_does_not_see_the_old_picture(worn: Worn, gap: str) -> None:
    worn.go_live()
    worn.pass_time(33)
    worn.draw()
    assert worn.take()
    if gap == "source":
        worn.resize(0, 0)
        frames(worn, 3, None)
    if gap == "bypass":
        worn.change(swap=False, privacy=False)
        frames(worn, 3, None)
    worn.answer()  # a result for a frame that is still in the ring
    worn.pass_time(60_000)
    worn.resize(16, 12)
    worn.change(swap=True, privacy=True)
    worn.draw()
    assert (worn.state, reason(worn)) == ("cover", "starting")
    frames(worn, 3)
    assert worn.state == "live"


def test_who_comes_back_at_once_sees_the_held_picture(worn: Worn) -> None:
    worn.go_live()
    frames(worn, 2, None)
    worn.pass_time(600)
    worn.draw()
    assert worn.state == "hold"


def test_a_side_by_side_view_ends_at_once(worn: Worn) -> None:
    worn.change(view="side")
    worn.go_live()
    frames(worn, 2, None)
    assert worn.take()
    worn.change(view="result")
    frames(worn, 1, None)
    assert worn.state == "cover"
    worn.answer()  # made side by side
    frames(worn, 1, None)
    assert worn.state == "cover"
    frames(worn, 3)
    assert worn.state == "live"


@pytest.mark.parametrize("how", ["no patch", "face in no face"])
@pytest.mark.parametrize("choice", ["hold", "camera"])
def test_a_result_that_contradicts_itself_is_refused(worn: Worn, how: Answer, choice: str) -> None:
    worn.change(no_face=choice)
    worn.go_live()
    before = worn.row[r.BAD_RESULTS], worn.row[r.RESULTS]
    frames(worn, 15, how)
    assert worn.state == "hold"
    assert worn.row[r.BAD_RESULTS] == before[0] + 14 and worn.row[r.RESULTS] == before[1] + 1


def test_a_result_for_a_frame_that_has_left_the_ring_is_not_shown(worn: Worn) -> None:
    worn.go_live()
    worn.draw()
    worn.pass_time(33)
    worn.draw()
    assert worn.take()
    job = worn.hand[0]
    worn.resize(12, 16)
    frames(worn, 2, None)
    worn.resize(16, 12)
    frames(worn, 2, None)
    stale, taken = int(worn.row[r.STALE]), job.moment
    worn.answer()
    frames(worn, 1, None)
    assert worn.row[r.STALE] == stale + 1 and worn.state == "cover"
    assert all(painted.moment != taken for painted in worn.draw())


@pytest.mark.parametrize(
    ("how", "words"), [("failed", "error"), ("turned", "face is turned away"), ("missed", "no face")]
)
def test_what_the_engine_says_is_held_then_covered_with_its_words(worn: Worn, how: Answer, words: str) -> None:
    worn.go_live()
    frames(worn, 15, how)
    assert (worn.state, reason(worn)) == ("hold", words)
    frames(worn, 30, how)
    assert (worn.state, reason(worn)) == ("cover", words)
    frames(worn, 3)
    assert worn.state == "live"


def test_a_face_whose_consent_is_withdrawn_is_not_held_and_does_not_come_back_while_another_loads(worn: Worn) -> None:
    worn.change(hold_ms=5000)
    worn.go_live()
    frames(worn, 2, "withdrawn")
    assert (worn.state, reason(worn)) == ("cover", "consent withdrawn")
    frames(worn, 2, "loading")
    assert (worn.state, reason(worn)) == ("cover", "starting")
    worn.engine_dies()
    frames(worn, 2, None)
    assert worn.state == "cover"


def test_a_refusal_is_obeyed_before_any_result_says_so(worn: Worn) -> None:
    worn.change(hold_ms=5000)
    worn.go_live()
    worn.refuse(WITHDRAWN)
    frames(worn, 1)
    assert (worn.state, reason(worn)) == ("cover", "consent withdrawn")
    frames(worn, 3)  # what was on its way
    assert worn.state == "cover"
    worn.refuse(0)
    frames(worn, 3)
    assert worn.state == "live"
    worn.refuse(77)  # nothing that there is
    frames(worn, 1)
    assert worn.state == "live"


def test_an_empty_room_is_shown_bare_only_while_that_is_the_newest_result(worn: Worn) -> None:
    worn.change(no_face="camera")
    worn.go_live()
    frames(worn, 3, face=False)
    assert worn.state == "bypass"
    frames(worn, 3)
    assert worn.state == "live"
    frames(worn, 3, face=False)
    worn.change(no_face="hold")
    worn.draw()
    assert worn.state == "cover"


def test_the_judge_sees_a_bare_face(worn: Worn) -> None:
    worn.change(swap=False, privacy=False)
    worn.pass_time(33)
    bare = worn.draw()[0]
    assert worn.state == "bypass" and not bare.patches
    worn.obs.settings |= {"swap": True, "privacy": True}  # nobody told the filter
    with pytest.raises(AssertionError, match="bare"):
        worn.draw()
