"""Every way in which looks can follow one another, and what is believed after it."""

from __future__ import annotations

from itertools import product

import pytest

from obs_facelive.identity.belief import ENOUGH, MIDDLE, MOST, REMAINS, SPAN, Belief

CLEAR, LIKELY, UNCLEAR = MIDDLE + SPAN, MIDDLE + SPAN / 2, MIDDLE
STRANGER, UNLIKELY = MIDDLE - SPAN, MIDDLE - SPAN / 2
LOOKS = (1.0, CLEAR, LIKELY, UNCLEAR, UNLIKELY, STRANGER, -1.0)


def believed(*looks: float, start: Belief | None = None) -> Belief:
    belief = start or Belief()
    for look in looks:
        belief = belief.after(look)
    return belief


def test_clear_looks_decide_at_once_and_unclear_ones_need_company() -> None:
    assert believed(CLEAR).who == "owner" and believed(STRANGER).who == "other"
    assert believed(LIKELY).who == "unknown" and believed(LIKELY, LIKELY).who == "owner"
    assert believed(UNLIKELY).who == "unknown" and believed(UNLIKELY, UNLIKELY).who == "other"
    assert believed(*[UNCLEAR] * 50).who == "unknown"


@pytest.mark.parametrize("before", [CLEAR, STRANGER])
def test_a_decision_is_put_in_doubt_by_two_looks_and_overturned_by_three(before: float) -> None:
    mine = before == CLEAR
    now, then = ("owner", "other") if mine else ("other", "owner")
    against = STRANGER if mine else CLEAR
    sure = believed(before, before)

    assert sure.who == now and not sure.wavering
    assert sure.after(against).who == now
    assert believed(against, against, start=sure).who == "unknown"
    assert believed(against, against, against, start=sure).who == then


def test_a_hesitant_decision_wavers() -> None:
    assert believed(CLEAR, UNLIKELY).wavering and believed(CLEAR, UNLIKELY).who == "owner"
    assert not Belief().wavering


def test_all_short_lives() -> None:
    for looks in product(LOOKS, repeat=5):
        belief = mirrored = Belief()
        for look in looks:
            before, belief = belief, belief.after(look)
            mirrored = mirrored.after(2 * MIDDLE - look)
            assert -MOST <= belief.evidence <= MOST
            assert (belief.evidence - before.evidence) * (look - MIDDLE) >= 0, "a look for is never one against"
            assert belief.who != "owner" or belief.evidence > 0, "nobody is the owner against the evidence"
            assert belief.who != "other" or belief.evidence < 0
            assert belief.evidence < ENOUGH or belief.who == "owner"
            assert belief.evidence > -ENOUGH or belief.who == "other"
            assert {before.who, belief.who} != {"owner", "other"}, "a decision turns over only by way of doubt"
        assert abs(mirrored.evidence + belief.evidence) < 1e-9


def test_doubt_leaves_an_inclination_that_one_look_can_confirm_or_not() -> None:
    for looks in product(LOOKS, repeat=4):
        belief = believed(*looks)
        doubted = belief.in_doubt()
        assert doubted.who == "unknown" and abs(doubted.evidence) <= REMAINS
        assert doubted.after(CLEAR).who in ("owner", "unknown") and doubted.after(STRANGER).who in ("other", "unknown")
        if belief.evidence >= ENOUGH:
            assert doubted.after(LIKELY).who == "owner" and doubted.after(STRANGER).who == "unknown"
            assert believed(STRANGER, STRANGER, start=doubted).who == "other"


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_a_poor_look_says_less_against_the_owner_and_no_less_for(look: float, weight: float) -> None:
    step = Belief().after(look, weight).evidence
    assert step == pytest.approx(believed(look).evidence * (1.0 if look > MIDDLE else weight))


def test_a_face_that_is_only_seen_poorly_is_never_somebody_else() -> None:
    belief = Belief()
    for _ in range(100):
        belief = belief.after(-1.0, 0.0)
    assert belief.who == "unknown"
