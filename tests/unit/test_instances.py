"""Blocks for filters: when there is no room for one, the others go on and it is asked for again."""

from __future__ import annotations

import errno
from collections.abc import Iterator

import pytest

from obs_facelive.link.memory import SharedMemory
from obs_facelive.obs import rows as r
from obs_facelive.obs.instances import Instances


@pytest.fixture()
def rows() -> r.Rows:
    rows = r.Rows()
    for row in (0, 1):
        rows.words[row, [r.USED, r.SERIAL, r.WIDTH, r.HEIGHT, r.SWAP]] = r.ALIVE, row + 1, 64, 32 << row, 1
    return rows


@pytest.fixture()
def instances(rows: r.Rows) -> Iterator[Instances]:
    made = Instances(rows)
    yield made
    made.close()


def test_a_full_memory_is_said_and_is_tried_again(
    rows: r.Rows, instances: Instances, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = SharedMemory.create

    def full(size: int) -> SharedMemory:
        if size > 4 << 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        return create(size)

    monkeypatch.setattr(SharedMemory, "create", full)
    rows.words[1, r.HEIGHT] = 12800
    assert len(instances.tend(0.0)) == 1
    first, second = instances
    assert first.block and not second.block
    assert second.lack == "no shared memory for this picture: No space left on device"
    assert instances.tend(1.0) == []
    monkeypatch.undo()
    assert instances.tend(1.5) == []
    (command,) = instances.tend(2.0)
    assert second.block and command == second.block.opening and second.lack == ""


def test_a_bigger_picture_gets_another_block(rows: r.Rows, instances: Instances) -> None:
    first = instances.tend(0.0)[0]
    rows.words[0, r.WIDTH] = 640
    close, opening = instances.tend(0.1)
    assert close == {"close": first["open"]}
    assert opening["capacity"] > first["capacity"] and rows.words[0, r.LINK]


def test_who_is_gone_gives_the_block_back(rows: r.Rows, instances: Instances) -> None:
    opened = instances.tend(0.0)
    rows.words[1, r.USED] = r.DYING
    assert instances.tend(0.1) == [{"close": opened[1]["open"]}]
    assert [each.row for each in instances] == [0] and [each.row for each in instances.gone] == [1]
    assert rows.words[1, r.USED] == r.FREE and rows.words[1, r.LINK] == 0


@pytest.mark.parametrize("late", [False, True])
def test_no_block_is_unmapped_under_a_render_call(rows: r.Rows, instances: Instances, late: bool) -> None:
    instances.tend(0.0)
    (instance, _) = instances
    block, words = instance.block, rows.words[0]
    assert block
    words[r.EPOCH] = 0 if late else 1
    words[r.USED] = r.DYING
    instances.tend(0.1)
    words[r.EPOCH] = 1  # begun with the address, seen here a moment later

    instances.tend(1.0)
    instances.tend(2.0)
    assert not block.memory.buffer.closed

    words[r.EPOCH] = 3  # that one has ended, another has begun
    instances.tend(3.0)
    assert block.memory.buffer.closed
