"""A wider patch shows what the patch showed, and the frame around it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from obs_facelive.frame import Frame, Patch
from obs_facelive.merge.widen import fitting, widened
from obs_facelive.view import compose

SIDE = 24


@st.composite
def boxes(draw: st.DrawFn) -> tuple[int, int, int, int]:
    x, y = draw(st.tuples(st.integers(0, SIDE), st.integers(0, SIDE)))
    return x, y, draw(st.integers(x, SIDE)), draw(st.integers(y, SIDE))


def patch_in(box: tuple[int, int, int, int]) -> Patch:
    x0, y0, x1, y1 = box
    return Patch(x0, y0, np.full((y1 - y0, x1 - x0, 4), 255, np.uint8))


FRAME = Frame(np.random.default_rng(0).integers(0, 200, (SIDE, SIDE, 4), np.uint8), 0, 0.0)


@given(boxes(), boxes())
def test_it_holds_both_rectangles_and_changes_nothing_that_is_seen(
    first: tuple[int, int, int, int], second: tuple[int, int, int, int]
) -> None:
    patch = patch_in(first)
    wide = widened(patch, FRAME, second)
    assert np.array_equal(compose(FRAME, [wide]), compose(FRAME, [patch]))
    height, width = wide.pixels.shape[:2]
    for box in (first, second):
        if box[0] < box[2] and box[1] < box[3]:
            assert wide.x <= box[0] and wide.y <= box[1]
            assert box[2] <= wide.x + width <= SIDE and box[3] <= wide.y + height <= SIDE


@given(st.lists(boxes(), max_size=4))
def test_patches_never_need_more_room_than_the_picture(rectangles: list[tuple[int, int, int, int]]) -> None:
    patches = [patch_in(box) for box in rectangles]
    fitted = fitting(patches, FRAME)
    assert sum(patch.pixels.nbytes for patch in fitted) <= FRAME.pixels.nbytes
    assert np.array_equal(compose(FRAME, fitted), compose(FRAME, patches))
