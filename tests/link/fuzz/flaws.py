"""What can be planted to see whether it is found."""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

from obs_facelive.frame import Frame
from obs_facelive.link import layout as at
from obs_facelive.link import ring
from tests.link.fuzz.world import INPUTS, World


def _accept_torn_frames(world: World) -> None:
    setattr(ring.EngineEnd, "whole", lambda end, frame: True)  # noqa: B010


def _accept_torn_results(world: World) -> None:
    setattr(world.obs.obs_end, "close_result", lambda link, base, seq: True)  # noqa: B010


def _believe_patches(world: World) -> None:
    load = world.obs.space.load

    def believing(base: int, index: int, *_: int) -> tuple[int, ...]:
        words = base + 8 * (at.PATCH_FIRST + index * at.PATCH_WORDS)
        *place, offset = (load(words + 8 * word) for word in range(at.PATCH_WORDS))
        return *place, base + 8 * at.RESULT_WORDS + offset

    setattr(world.obs.present, "patch", believing)  # noqa: B010


def _believe_sizes(world: World) -> None:
    setattr(at, "MAX_SIDE", 2**62)  # noqa: B010
    take = ring.EngineEnd.take

    def believing(end: ring.EngineEnd) -> Frame | None:
        end._capacity, capacity = 2**62, end._capacity
        with patch.object(at, "input_offset", lambda slot, _: INPUTS[0] + slot * (INPUTS[1] - INPUTS[0])):
            frame = take(end)
        end._capacity = capacity
        return frame

    setattr(ring.EngineEnd, "take", believing)  # noqa: B010


FLAWS: dict[str, Callable[[World], None]] = {
    "torn frames": _accept_torn_frames,
    "torn results": _accept_torn_results,
    "patches": _believe_patches,
    "sizes": _believe_sizes,
}
