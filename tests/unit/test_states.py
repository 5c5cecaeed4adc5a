"""The decision what may be seen, over every combination of its inputs."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from numba import njit

from obs_facelive import states as s
from obs_facelive.link.layout import FAILED, LOADING, NO_CONSENT, NO_FACE, REMOVED, SWAPPED, TURNED, WITHDRAWN
from obs_facelive.states import CAUSES, FRESH_NS, REASONS, WHY_NO_SCRIPT, WHY_OFF, WHY_TURNED, Situation, decide
from tools import states_doc

S = 1_000_000_000
REFUSALS = (WITHDRAWN, NO_CONSENT, REMOVED)
AGES = (-1, 0, FRESH_NS - 1, FRESH_NS, FRESH_NS + 1, S - 1, S, S + 1, 5 * S, 2**62)
ALL = [
    Situation(*inputs)
    for inputs in itertools.product(
        (0, 1),  # swap
        (0, 1),  # privacy
        (s.HOLD, s.COVER, s.CAMERA),
        (0, FRESH_NS, S, 5 * S),  # hold
        (0, 1),  # has a picture
        (0, 1),  # it is a bare one
        AGES,
        (0, SWAPPED, NO_FACE, FAILED, LOADING, TURNED, *REFUSALS, 99, -1),
        (s.ENGINE_ABSENT, s.ENGINE_STARTING, s.ENGINE_RUNNING),
        (0, 1),  # supervised
    )
]


@pytest.mark.parametrize("decision", [njit(decide), decide], ids=["compiled", "plain"])
def test_the_bare_camera_is_shown_only_by_choice(decision: Callable[..., tuple[int, int]]) -> None:
    for case in ALL:
        state, reason = decision(*case)
        assert 0 <= reason < len(REASONS)
        assert state in (s.LIVE, s.HOLDING, s.COVERING, s.BYPASS)
        chosen_off = not case.swap and not case.privacy
        empty = case.has_picture and case.picture_is_raw and case.last_status == NO_FACE
        chosen_no_face = case.swap and case.no_face_choice == s.CAMERA and empty and case.picture_age_ns < FRESH_NS
        assert (state == s.BYPASS) == bool(chosen_off or chosen_no_face), case
        if state in (s.LIVE, s.HOLDING):
            assert case.swap and case.has_picture and not case.picture_is_raw, case


def test_the_older_the_picture_the_less_is_seen() -> None:
    rank = {s.BYPASS: 0, s.LIVE: 0, s.HOLDING: 1, s.COVERING: 2}
    for case in ALL:
        if case.picture_age_ns == AGES[0] and case.swap:
            seen = [rank[decide(*case._replace(picture_age_ns=age))[0]] for age in AGES]
            assert seen == sorted(seen), case


def test_nothing_is_seen_for_longer_than_the_person_allowed() -> None:
    for case in ALL:
        if case.swap and case.picture_age_ns >= max(case.hold_ns, FRESH_NS):
            assert decide(*case)[0] == s.COVERING, case


def test_script_and_engine_change_the_words_only() -> None:
    for case in ALL:
        assert decide(*case)[0] == decide(*case._replace(engine=s.ENGINE_RUNNING, supervised=1))[0], case


def test_what_is_not_live_says_why() -> None:
    for case in ALL:
        state, reason = decide(*case)
        assert bool(REASONS[reason]) == (state != s.LIVE), case


def test_a_fresh_picture_is_live_an_old_one_held_an_older_one_covered() -> None:
    def at(age: int, status: int = SWAPPED) -> int:
        return decide(*Situation(picture_age_ns=age, last_status=status))[0]

    assert [at(0), at(FRESH_NS), at(S - 1), at(S)] == [s.LIVE, s.HOLDING, s.HOLDING, s.COVERING]
    assert at(0, NO_FACE) == s.HOLDING


def test_cover_at_once_when_that_was_chosen() -> None:
    assert decide(*Situation(no_face_choice=s.COVER, last_status=NO_FACE))[0] == s.COVERING


def test_off_covers_with_privacy_and_shows_the_camera_without() -> None:
    assert decide(*Situation(swap=0)) == (s.COVERING, WHY_OFF)
    assert decide(*Situation(swap=0, privacy=0)) == (s.BYPASS, WHY_OFF)


def test_without_the_script_the_cover_says_so() -> None:
    lost = Situation(has_picture=0, last_status=0, engine=s.ENGINE_ABSENT, supervised=0)
    assert decide(*lost) == (s.COVERING, WHY_NO_SCRIPT)


def test_a_face_that_is_turned_away_is_held_then_covered_whatever_was_chosen_for_no_face() -> None:
    turned = Situation(last_status=TURNED)
    for choice in (s.HOLD, s.CAMERA):
        assert decide(*turned._replace(no_face_choice=choice)) == (s.HOLDING, WHY_TURNED)
        assert decide(*turned._replace(no_face_choice=choice, picture_age_ns=S)) == (s.COVERING, WHY_TURNED)
    assert decide(*turned._replace(no_face_choice=s.COVER)) == (s.COVERING, WHY_TURNED)


def test_a_bare_picture_goes_as_soon_as_the_newest_result_is_another() -> None:
    bare = Situation(no_face_choice=s.CAMERA, picture_is_raw=1, last_status=NO_FACE)
    assert decide(*bare)[0] == s.BYPASS
    for status in (0, SWAPPED, FAILED, LOADING, TURNED, *REFUSALS):
        assert decide(*bare._replace(last_status=status))[0] == s.COVERING


def test_a_face_that_may_not_be_worn_is_covered_at_once_and_the_cover_says_why() -> None:
    words = ["consent withdrawn", "no consent", "persona was removed"]
    assert [REASONS[decide(*Situation(last_status=status))[1]] for status in REFUSALS] == words
    for case in ALL:
        if case.swap and case.last_status in REFUSALS:
            assert decide(*case)[0] == s.COVERING, case


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.name)
def test_no_cause_shows_the_bare_camera_unless_it_was_chosen(cause: s.Cause) -> None:
    chosen = cause.situation.privacy == 0 or cause.situation.picture_is_raw
    for age in AGES:
        state = decide(*cause.situation._replace(picture_age_ns=age))[0]
        assert state != s.BYPASS or chosen
    assert chosen or state == s.COVERING  # in the end


def test_the_documents_rules_are_the_decisions() -> None:
    """Each combination is told by exactly one row of the page's table, and as the state machine decides."""
    axes = states_doc.SWITCHES | states_doc.PICTURE
    table = states_doc.rules(axes, lambda situation: s.STATE_NAMES[decide(*situation)[0]])
    every = list(itertools.product(*(axis.items() for axis in axes.values())))
    for combination in every:
        told = [
            state
            for values, state in table
            if all(
                cell == "any" or words in cell.split(", ") or words == cell
                for (words, _), cell in zip(combination, values, strict=True)
            )
        ]
        inputs = {key: value for _, change in combination for key, value in change.items()}
        assert told == [s.STATE_NAMES[decide(**{**Situation()._asdict(), **inputs})[0]]]
    assert len(every) == 2 * 2 * 3 * 3 * 9 * 3
