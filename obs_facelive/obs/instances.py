"""The living filters and their shared blocks: given when a picture's size is known, taken back when nobody can know them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from obs_facelive.link import layout as at
from obs_facelive.link.memory import SharedMemory
from obs_facelive.link.obs_end import format_block
from obs_facelive.obs import rows as r
from obs_facelive.obs.lately import Lately

_PATCH_AIR = 1 << 18
"""Bytes of an output slot beyond one full frame: for what tests lay over a full-frame view."""
_TRY_AGAIN = 2.0
"""Seconds until a block that could not be had is asked for again."""
_GRACE = 0.05
"""Seconds after which every core has seen that a block's address was taken away."""


@dataclass
class Block:
    """A filter's shared memory.

    Attributes
    ----------
    link : what the row's LINK points to
    beat : the engine's last heartbeat in it
    """

    memory: SharedMemory
    capacity: int
    patch_capacity: int
    link: npt.NDArray[np.int64]
    beat: int = 0

    @property
    def opening(self) -> dict[str, Any]:
        """The command that makes an engine open it."""
        return {"open": self.memory.name, "capacity": self.capacity, "patch_capacity": self.patch_capacity}


@dataclass
class Instance:
    """One living filter.

    Attributes
    ----------
    serial : tells it from an earlier filter in the same row
    presses : of the hotkeys (swap, next persona, previous one), as far as they were obeyed
    hotkey_ids : what libobs calls them; empty until they are registered
    error : the engine's last one that OBS's log was told
    added : the persona that the engine said it has added, as far as it was put on
    wanted, note : of a camera: the name in its settings that was obeyed, and what a person has to know about its target
    followed : of a camera: a name that we wrote into its settings since its target was renamed, until we read it there
    lack : why it has no block, for people; tried again at ``try_again``
    """

    row: int
    serial: int
    block: Block | None = None
    lately: Lately = field(default_factory=Lately)
    presses: tuple[int, int, int] = (0, 0, 0)
    hotkey_ids: tuple[int, ...] = ()
    error: str = ""
    added: str = ""
    wanted: str = ""
    followed: str | None = None
    note: str = ""
    lack: str = ""
    try_again: float = 0.0


@dataclass
class _Retired:
    """A block whose address was taken away from its row at ``since``.

    Attributes
    ----------
    under_way : the row's EPOCH of a render call that may still know it; None before it was looked for
    """

    block: Block
    row: int
    since: float
    under_way: int | None = None


class Instances:
    """All living filters, by row.

    Attributes
    ----------
    gone : those that died and whose hotkeys are still to be taken away
    """

    def __init__(self, rows: r.Rows) -> None:
        self._words = rows.words
        self._alive: dict[int, Instance] = {}
        self._retired: list[_Retired] = []
        self.gone: list[Instance] = []

    def __iter__(self) -> Iterator[Instance]:
        return iter(list(self._alive.values()))

    def get(self, row: int) -> Instance | None:
        """The filter in a row."""
        return self._alive.get(row)

    @property
    def blocks(self) -> list[Block]:
        """Every block in use."""
        return [instance.block for instance in self if instance.block]

    def tend(self, now: float) -> list[dict[str, Any]]:
        """Follows what libobs did since the last call; returns the commands that the engine must be told."""
        commands: list[dict[str, Any]] = []
        for row in range(r.MAX_FILTERS):
            words, instance = self._words[row], self._alive.get(row)
            used, serial = int(words[r.USED]), int(words[r.SERIAL])
            if instance and (used != r.ALIVE or instance.serial != serial):
                commands += self._take_back(instance, now)
                self.gone.append(self._alive.pop(row))
                instance = None
            if used == r.DYING:
                words[r.USED] = r.FREE
            if used != r.ALIVE:
                continue
            if instance is None:
                instance = self._alive[row] = Instance(row, serial)
            needed = int(words[r.WIDTH] * words[r.HEIGHT]) * 4
            if instance.block and needed > instance.block.capacity:
                commands += self._take_back(instance, now)
            if instance.block is None and needed and words[r.SWAP] and now >= instance.try_again:
                commands += self._give(instance, needed, now)
            instance.lately.sample(words)
        self._free(now)
        return commands

    def close(self) -> None:
        """Takes all blocks back. Waits for render calls that are under way: some milliseconds."""
        for instance in self:
            self._take_back(instance, time.monotonic())
        while self._retired:
            time.sleep(_GRACE)
            self._free(time.monotonic())

    def _give(self, instance: Instance, needed: int, now: float) -> list[dict[str, Any]]:
        capacity = -(-needed // 4096) * 4096
        patch_capacity = capacity + _PATCH_AIR
        try:
            memory = SharedMemory.create(at.block_bytes(capacity, patch_capacity))
        except OSError as error:
            instance.lack = f"no shared memory for this picture: {error.strerror or error}"
            instance.try_again = now + _TRY_AGAIN
            return []
        instance.lack = ""
        format_block(memory.address, capacity, patch_capacity)
        link = np.array([memory.address, capacity, patch_capacity, -1], np.int64)
        self._words[instance.row, r.LINK] = link.ctypes.data
        instance.block = Block(memory, capacity, patch_capacity, link)
        return [instance.block.opening]

    def _take_back(self, instance: Instance, now: float) -> list[dict[str, Any]]:
        block, instance.block = instance.block, None
        if block is None:
            return []
        words = self._words[instance.row]
        words[r.LINK] = 0
        block.memory.unlink()
        self._retired.append(_Retired(block, instance.row, now))
        return [{"close": block.memory.name}]

    def _free(self, now: float) -> None:
        """Unmaps blocks that no render call can still know: none was under way after the grace, or that one has ended."""
        keep = []
        for retired in self._retired:
            epoch = int(self._words[retired.row, r.EPOCH])
            if now - retired.since >= _GRACE:
                if epoch % 2 == 0 or retired.under_way not in (None, epoch):
                    retired.block.memory.close()
                    continue
                retired.under_way = epoch
            keep.append(retired)
        self._retired = keep
