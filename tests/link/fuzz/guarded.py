"""Memory between two pages that nobody may touch: whoever reads or writes outside of it ends at once (SIGSEGV)."""

from __future__ import annotations

import ctypes
import mmap

PAGE = mmap.PAGESIZE
_NONE, _READ_WRITE = 0, mmap.PROT_READ | mmap.PROT_WRITE
_FIXED = 0x10
_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]


def _map(address: int | None, size: int, protection: int, flags: int, fd: int = -1) -> int:
    found: int = _libc.mmap(address, size, protection, flags, fd, 0)
    if found in (None, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), "mmap")
    return found


class Guarded:
    """``size`` bytes whose last one lies before an inaccessible page, and before whose first page there is another.

    Parameters
    ----------
    fd : a file of that size, whose content it is (then ``size`` is a multiple of a page); memory of its own if there is none

    Attributes
    ----------
    address : of the first byte
    """

    def __init__(self, size: int, fd: int = -1) -> None:
        pages = self._pages = -(-size // PAGE) * PAGE
        assert fd < 0 or size == pages
        private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        self._start = _map(None, pages + 2 * PAGE, _NONE, private)
        _map(self._start + PAGE, pages, _READ_WRITE, _FIXED | (private if fd < 0 else mmap.MAP_SHARED), fd)
        self.size = size
        self.address = self._start + PAGE + pages - size

    def read(self, offset: int, size: int) -> bytes:
        """Bytes of it."""
        return ctypes.string_at(self.address + offset, size)

    def write(self, offset: int, content: bytes) -> None:
        """Puts bytes into it."""
        ctypes.memmove(self.address + offset, content, len(content))

    def clear(self) -> None:
        """Zeros."""
        ctypes.memset(self.address, 0, self.size)

    def free(self) -> None:
        """Unmaps it."""
        _libc.munmap(self._start, self._pages + 2 * PAGE)
