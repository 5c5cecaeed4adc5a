"""Reading files that anybody may have put there; writing files whole. Standard library only."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import BinaryIO


def read_at_most(path: Path, limit: int) -> bytes:
    """The content of the file at ``path``.

    Raises `ValueError`, in words for people, where it has over ``limit`` bytes, is no ordinary file (a device has no end), or
    changes meanwhile; `OSError` where it cannot be read.
    """
    with open(path, "rb", opener=_without_waiting) as file:
        size = _length(file, limit)
        content = file.read(size + 1)
    if len(content) != size:
        raise ValueError("it changes while it is read")
    return content


def sha256_at_most(path: Path, limit: int) -> str:
    """The SHA-256 of the file at ``path``, in hex; raises what `read_at_most` does, but never holds all of it."""
    hash = hashlib.sha256()
    with open(path, "rb", opener=_without_waiting) as file:
        left = _length(file, limit)
        while piece := file.read(min(left + 1, 1 << 20)):
            hash.update(piece)
            left -= len(piece)
            if left < 0:
                break
    if left:
        raise ValueError("it changes while it is read")
    return hash.hexdigest()


def replace_file(path: Path, content: bytes) -> None:
    """Makes ``content`` the file at ``path`` in one step; its permissions stay, and a link stays a link.

    Its folder is made. Raises `OSError`.
    """
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as temporary:
            temporary.write(content)
            temporary.flush()
            os.fsync(temporary.fileno())
        if target.exists():
            shutil.copymode(target, name)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _length(file: BinaryIO, limit: int) -> int:
    found = os.fstat(file.fileno())
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("it is not an ordinary file")
    if found.st_size > limit:
        raise ValueError(f"it has {_size(found.st_size)}; more than {_size(limit)} is refused")
    return found.st_size


def _without_waiting(path: str, flags: int) -> int:
    """A named pipe would keep its reader waiting for a writer."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.3g} MB"
