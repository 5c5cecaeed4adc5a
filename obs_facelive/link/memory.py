"""A named block of shared memory that only the same user can open.

Not `multiprocessing.shared_memory`: its resource tracker starts ``sys.executable``, which inside OBS is OBS itself.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import secrets
import sys
from pathlib import Path

if sys.platform != "win32":
    import _posixshmem


class SharedMemory:
    """One mapping of a named block.

    Attributes
    ----------
    name : what the other process opens; cannot be guessed
    size : bytes
    address : where the block lies in this process
    """

    def __init__(self, name: str, size: int, *, create: bool) -> None:
        self.name, self.size = name, size
        if sys.platform == "win32":
            self._map = mmap.mmap(-1, size, tagname=f"Local\\{name}")
        else:
            flags = os.O_RDWR | (os.O_CREAT | os.O_EXCL if create else 0)
            fd = _posixshmem.shm_open(f"/{name}", flags, mode=0o600)
            try:
                if create:
                    os.ftruncate(fd, size)
                elif os.fstat(fd).st_size < size:
                    raise ValueError(
                        f"the shared block {name} has {os.fstat(fd).st_size} bytes, not the {size} it should have"
                    )
                self._map = mmap.mmap(fd, size)
            finally:
                os.close(fd)
        self._pin: ctypes.c_char | None = ctypes.c_char.from_buffer(self._map)
        self.address = ctypes.addressof(self._pin)
        self._linked = create

    @classmethod
    def create(cls, size: int) -> SharedMemory:
        """A new block of ``size`` zero bytes; memory is taken as it is touched.

        The name is short because macOS allows 31 characters; it begins with the owner's process id for `sweep`.
        """
        return cls(f"fl-{os.getpid()}-{secrets.token_hex(8)}", size, create=True)

    @classmethod
    def open(cls, name: str, size: int) -> SharedMemory:
        """Somebody else's block. Raises `FileNotFoundError` (POSIX) or `ValueError` (too small)."""
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
    """Takes away the blocks of processes that were killed. Linux only: nowhere else can the names be listed."""
    if sys.platform != "linux":
        return
    for file in Path("/dev/shm").glob("fl-*-*"):
        pid = file.name.split("-")[1]
        if pid.isdigit() and not Path("/proc", pid).exists():
            with contextlib.suppress(OSError):
                file.unlink()
