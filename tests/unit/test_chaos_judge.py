"""What the judges of the chaos call a bare face."""

from __future__ import annotations

import pytest

from tools.chaos.judge import Limits, Seen


def seen(distance: float, alikeness: float, detail: float = 1.0) -> Seen:
    return Seen(0, 1, "live", distance, alikeness, detail)


BARE = [seen(4.0, 0.99), seen(6.0, 0.98)]
LIMITS = Limits.of(BARE, [0.995, 0.99])


def test_limits_are_farther_than_the_worst_bare_picture() -> None:
    assert (LIMITS.distance, LIMITS.alikeness, LIMITS.likeness) == pytest.approx((12.0, 0.96, 0.98))


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


def test_the_recogniser_has_its_own() -> None:
    assert LIMITS.familiar(0.985)
    assert not LIMITS.familiar(0.95)


@pytest.mark.parametrize(("pictures", "faces"), [([], [0.99]), (BARE, [])])
def test_without_a_bare_picture_nothing_can_be_judged(pictures: list[Seen], faces: list[float]) -> None:
    with pytest.raises(ValueError, match="no bare face"):
        Limits.of(pictures, faces)
