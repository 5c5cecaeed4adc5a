"""An empty chair is looked at ever more rarely, a person in every frame."""

from __future__ import annotations

import itertools

from obs_facelive.engine.patience import LONGEST, Patience

FRAME = 1 / 60


def looks(patience: Patience, start: float, end: float, somebody: bool) -> list[float]:
    """When it looked, offered 60 frames a second."""
    times = [start + n * FRAME for n in range(round((end - start) / FRAME))]
    seen = []
    for now in times:
        if patience.due(now):
            seen.append(now)
            patience.saw(somebody, now)
    return seen


def test_a_person_is_looked_at_in_every_frame() -> None:
    assert len(looks(Patience(), 0, 10, True)) == 600


def test_an_empty_chair_costs_little_and_is_never_forgotten() -> None:
    seen = looks(Patience(), 0, 60, False)
    gaps = [b - a for a, b in itertools.pairwise(seen)]
    assert gaps[0] <= 2 * FRAME  # a face that is lost for a moment is found at once
    assert max(gaps) <= LONGEST + FRAME
    assert len([s for s in seen if s > 10]) <= 51 * 2


def test_who_comes_back_is_looked_at_in_every_frame_again() -> None:
    patience = Patience()
    looks(patience, 0, 30, False)
    seen = looks(patience, 30, 31, True)
    assert seen[0] <= 30 + LONGEST + FRAME
    assert max(b - a for a, b in itertools.pairwise(seen)) < 1.5 * FRAME
