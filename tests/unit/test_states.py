"""The decision what may be seen, over every combination of its inputs."""

from __future__ import annotations

import itertools

import pytest

from obs_facelive.link.layout import FAILED, LOADING, NO_FACE, SWAPPED, TURNED
from obs_facelive.obs import rows as r
from obs_facelive.obs.states import FRESH_NS, REASONS, WHY_NO_SCRIPT, WHY_OFF, WHY_TURNED, decide

S = 1_000_000_000
ALL = list(
    itertools.product(
        (0, 1),  # swap
        (0, 1),  # privacy
        (r.HOLD, r.COVER, r.CAMERA),
        (0, S),  # hold
        (0, 1),  # has a picture
        (0, 1),  # it is a bare one
        (0, FRESH_NS - 1, FRESH_NS, S, 10 * S),  # its age
        (0, SWAPPED, NO_FACE, FAILED, LOADING, TURNED),
        (r.ENGINE_ABSENT, r.ENGINE_STARTING, r.ENGINE_RUNNING),
        (0, 1),  # supervised
    )
)


@pytest.mark.parametrize("decision", [decide, decide.py_func], ids=["compiled", "plain"])
def test_the_bare_camera_is_shown_only_by_choice(decision: object) -> None:
    assert callable(decision)
    for case in ALL:
        swap, privacy, choice, _, has_picture, bare, age, _, _, _ = case
        state, reason = decision(*case)
        assert 0 <= reason < len(REASONS)
        chosen_off = not swap and not privacy
        chosen_no_face = swap and choice == r.CAMERA and has_picture and bare and age < FRESH_NS
        if state == r.BYPASS:
            assert chosen_off or chosen_no_face, case
        if state in (r.LIVE, r.HOLDING):
            assert swap and has_picture and not bare, case


def test_a_fresh_picture_is_live_an_old_one_held_an_older_one_covered() -> None:
    def at(age: int, status: int = SWAPPED) -> int:
        return decide(1, 1, r.HOLD, S, 1, 0, age, status, r.ENGINE_RUNNING, 1)[0]

    assert [at(0), at(FRESH_NS), at(S - 1), at(S)] == [r.LIVE, r.HOLDING, r.HOLDING, r.COVERING]
    assert at(0, NO_FACE) == r.HOLDING


def test_cover_at_once_when_that_was_chosen() -> None:
    assert decide(1, 1, r.COVER, S, 1, 0, 0, NO_FACE, r.ENGINE_RUNNING, 1)[0] == r.COVERING


def test_off_covers_with_privacy_and_shows_the_camera_without() -> None:
    assert decide(0, 1, r.HOLD, S, 1, 0, 0, SWAPPED, r.ENGINE_RUNNING, 1) == (r.COVERING, WHY_OFF)
    assert decide(0, 0, r.HOLD, S, 1, 0, 0, SWAPPED, r.ENGINE_RUNNING, 1) == (r.BYPASS, WHY_OFF)


def test_without_the_script_the_cover_says_so() -> None:
    assert decide(1, 1, r.HOLD, S, 0, 0, 0, 0, r.ENGINE_ABSENT, 0) == (r.COVERING, WHY_NO_SCRIPT)


def test_a_face_that_is_turned_away_is_held_then_covered_whatever_was_chosen_for_no_face() -> None:
    for choice in (r.HOLD, r.CAMERA):
        assert decide(1, 1, choice, S, 1, 0, 0, TURNED, r.ENGINE_RUNNING, 1) == (r.HOLDING, WHY_TURNED)
        assert decide(1, 1, choice, S, 1, 0, S, TURNED, r.ENGINE_RUNNING, 1) == (r.COVERING, WHY_TURNED)
    assert decide(1, 1, r.COVER, S, 1, 0, 0, TURNED, r.ENGINE_RUNNING, 1) == (r.COVERING, WHY_TURNED)
