"""A named block of shared memory that only the same user can open.

POSIX: mode 0600, and who opens a block checks whose it is. Windows: a mapping in the session's own namespace under the
default access rules of the process, which let in the user, the system and nobody else. Everywhere the name is a secret of
128 bits, told over a pipe: nobody can be there first.

Not `multiprocessing.shared_memory`: its resource tracker starts ``sys.executable``, which inside OBS is OBS itself.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import re
import secrets
import stat
import sys
from pathlib import Path
from typing import Final

if sys.platform != "win32":
    import _posixshmem
    import fcntl

NAME: Final = r"^fl-([0-9]{1,7}-)?[A-Za-z0-9_-]{22}\Z"
"""What a block's name looks like: the owner's process id (Linux: for people who list them), and the secret."""


class SharedMemory:
    """One mapping of a named block.

    Attributes
    ----------
    name : what the other process opens; cannot be guessed
    size : bytes
    address : where the block lies in this process
    """

    def __init__(self, name: str, size: int, *, create: bool) -> None:
        if not re.search(NAME, name):
            raise ValueError(f"{name!r} cannot be a block's name")
        self.name, self.size = name, size
        if sys.platform == "win32":
            self._map = mmap.mmap(-1, size, tagname=f"Local\\{name}")
        else:
            flags = os.O_RDWR | (os.O_CREAT | os.O_EXCL if create else 0)
            fd = _posixshmem.shm_open(f"/{name}", flags, mode=0o600)
            try:
                if create:
                    _own(fd, size)
                else:
                    _check(fd, name, size)
                self._map = mmap.mmap(fd, size)
            except OSError:
                if create:
                    with contextlib.suppress(FileNotFoundError):
                        _posixshmem.shm_unlink(f"/{name}")
                raise
            finally:
                os.close(fd)
        self._pin: ctypes.c_char | None = ctypes.c_char.from_buffer(self._map)
        self.address = ctypes.addressof(self._pin)
        self._linked = create

    @classmethod
    def create(cls, size: int) -> SharedMemory:
        """A new block of ``size`` zero bytes. Raises `OSError` where there is no room for it."""
        owner = f"{os.getpid()}-" if sys.platform == "linux" else ""  # macOS has no room for it: 30 characters
        return cls(f"fl-{owner}{secrets.token_urlsafe(16)}", size, create=True)

    @classmethod
    def open(cls, name: str, size: int) -> SharedMemory:
        """Somebody else's block.

        Raises `FileNotFoundError` (POSIX), or `ValueError` where it has another name or size than it should have, or can be
        opened by another user.
        """
        return cls(name, size, create=False)

    @property
    def buffer(self) -> mmap.mmap:
        """The bytes."""
        return self._map

    def unlink(self) -> None:
        """Takes the name away; mappings live on. Windows forgets a name with its last mapping."""
        if self._linked and sys.platform != "win32":
            self._linked = False
            with contextlib.suppress(FileNotFoundError):
                _posixshmem.shm_unlink(f"/{self.name}")

    def close(self) -> None:
        """Unmaps. Nobody may hold an address or a view into the block any more."""
        self.unlink()
        self._pin = None
        self._map.close()


def sweep() -> None:
    """Takes away this user's blocks whose owners were killed. Linux only: nowhere else can the names be listed."""
    if sys.platform == "linux":
        for file in Path("/dev/shm").glob("fl-*"):
            if re.search(NAME, file.name):
                with contextlib.suppress(OSError):
                    _remove_if_dead(file)


if sys.platform != "win32":

    def _own(fd: int, size: int) -> None:
        if sys.platform != "linux":
            os.ftruncate(fd, size)
            return
        # Says that the owner lives: the mapping keeps a copy of ``fd``, and with it the lock, until the process ends.
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        if os.fstat(fd).st_nlink == 0:
            raise FileExistsError("another process took the new block for a dead one")
        # Memory that is promised and not there would end OBS with SIGBUS in the middle of a frame.
        os.posix_fallocate(fd, 0, size)

    def _check(fd: int, name: str, size: int) -> None:
        found = os.fstat(fd)
        if found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise ValueError(f"the shared block {name} is not this user's own")
        if found.st_size < size:
            raise ValueError(f"the shared block {name} has {found.st_size} bytes, not the {size} it should have")

    def _remove_if_dead(file: Path) -> None:
        fd = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            found = os.fstat(fd)
            if found.st_uid == os.geteuid() and stat.S_ISREG(found.st_mode):
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                file.unlink()
        finally:
            os.close(fd)
