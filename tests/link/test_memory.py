"""Blocks: this user's only, with names that nobody guesses; those of the dead are swept, and no others."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from obs_facelive.link.memory import NAME, SharedMemory, sweep

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows its blocks as files")
SHM = Path("/dev/shm")
SECRET = "A" * 22


@pytest.fixture
def stray() -> Iterator[list[Path]]:
    """Files in /dev/shm that the test made."""
    made: list[Path] = []
    yield made
    for path in made:
        path.unlink(missing_ok=True)


def test_only_this_user_can_open_a_block_whatever_the_umask() -> None:
    before = os.umask(0)
    try:
        memory = SharedMemory.create(4096)
        found = (SHM / memory.name).stat()
        assert (found.st_mode & 0o7777, found.st_uid) == (0o600, os.geteuid())
        memory.close()
    finally:
        os.umask(before)


def test_names_are_secrets_of_128_bits() -> None:
    names = set()
    for _ in range(50):
        memory = SharedMemory.create(4096)
        assert re.search(NAME, memory.name)
        names.add(memory.name[-22:])
        memory.close()
    assert len(names) == 50
    # 22 characters out of 64; each place varies
    assert all(len({name[place] for name in names}) > 1 for place in range(22))


@pytest.mark.parametrize(
    "name", ["fl-1", "../etc/passwd", f"fl-{SECRET}/", f"xl-{SECRET}", f"fl-{SECRET}\n", f"fl-x-{SECRET}", ""]
)
def test_what_is_no_blocks_name_is_not_opened(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be a block's name"):
        SharedMemory.open(name, 4096)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666])
def test_a_block_that_others_may_open_is_not_used(stray: list[Path], mode: int) -> None:
    memory = SharedMemory.create(4096)
    path = SHM / memory.name
    path.chmod(mode)
    with pytest.raises(ValueError, match="not this user's own"):
        SharedMemory.open(memory.name, 4096)
    path.chmod(0o600)
    SharedMemory.open(memory.name, 4096).close()
    memory.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_block_of_another_user_is_neither_used_nor_swept(stray: list[Path]) -> None:
    path = SHM / f"fl-{SECRET}"
    stray.append(path)
    path.write_bytes(bytes(4096))
    path.chmod(0o600)
    os.chown(path, 65534, 65534)
    with pytest.raises(ValueError, match="not this user's own"):
        SharedMemory.open(path.name, 4096)
    sweep()
    assert path.exists()


def test_only_what_is_certainly_a_dead_block_is_swept(stray: list[Path]) -> None:
    names = ("fl-notes.txt", "fl-1", f"fl-{SECRET}x", f"fl-{SECRET[:-1]}", f"Xfl-{SECRET}")
    stray += [SHM / name for name in names]
    for path in stray:
        path.write_bytes(b"somebody's")
    others = list(stray)
    link, pipe = SHM / f"fl-{'B' * 22}", SHM / f"fl-{'C' * 22}"
    stray += [link, pipe]
    link.symlink_to(others[0])
    os.mkfifo(pipe, 0o600)
    dead = SHM / f"fl-99999-{SECRET}"
    stray.append(dead)
    dead.write_bytes(b"old")
    mine = SharedMemory.create(4096)
    program = (
        "import sys; from obs_facelive.link.memory import SharedMemory as S; m = S.create(4096);"
        "print(m.name, flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout and other.stdin
    theirs = SHM / other.stdout.readline().strip()
    try:
        sweep()
        assert not dead.exists()
        assert all(path.read_bytes() == b"somebody's" for path in others)
        assert link.is_symlink() and pipe.exists()
        assert theirs.exists() and (SHM / mine.name).exists()
        other.kill()
        other.wait()
        sweep()
        assert not theirs.exists() and (SHM / mine.name).exists()
    finally:
        other.kill()
        other.wait()
        mine.close()


def test_a_block_for_which_there_is_no_room_is_an_error_and_leaves_nothing() -> None:
    before = sorted(path.name for path in SHM.glob(f"fl-{os.getpid()}-*"))
    with pytest.raises(OSError, match=r"space|memory|large"):
        SharedMemory.create(1 << 46)
    assert sorted(path.name for path in SHM.glob(f"fl-{os.getpid()}-*")) == before


def test_the_memory_of_a_block_is_there_from_the_start() -> None:
    memory = SharedMemory.create(1 << 20)
    assert (SHM / memory.name).stat().st_blocks * 512 >= 1 << 20
    memory.close()
