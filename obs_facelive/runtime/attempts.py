"""Networks that take the whole process with them when they are opened: tried twice, then left alone for a while.

A system that has no memory left ends a process without asking it, and so does a driver that breaks. The next process would
open the same network again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from obs_facelive.catalog import ModelError
from obs_facelive.files import read_at_most, replace_file

MOST: Final = 2
"""Attempts without an end after which there is no further one. One may be a person's who closed OBS meanwhile."""
WHILE: Final = 600.0
"""Seconds after which an attempt counts no more."""


class Attempts:
    """Remembers, in ``folder``, who began to open which network and never said how it ended.

    Parameters
    ----------
    clock : seconds that go on while no process runs
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder, self._clock = folder, clock

    @contextmanager
    def trying(self, network: str, file: str) -> Iterator[None]:
        """Around the opening of ``file``, whose SHA-256 is ``network``. Raises `ModelError` where it is to be left alone."""
        path, now = self._path(network), self._clock()
        try:
            begun = msgspec.json.decode(read_at_most(path, 1024), type=list[float])
        except (OSError, ValueError, RecursionError):
            begun = []
        begun = [at for at in begun if 0 <= now - at < WHILE]
        if len(begun) >= MOST:
            raise ModelError(
                f"FaceLive's engine ended {len(begun)} times while it opened {file}: it may be too large for this computer's "
                f"memory. It is left alone for {WHILE / 60:.0f} minutes: choose another engine, or try it with "
                f"'facelive model verify {file} --measure'."
            )
        with suppress(OSError):
            replace_file(path, msgspec.json.encode([*begun, now]))
        try:
            yield
        finally:
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def forget(self, network: str) -> None:
        """It may be opened again. Raises `OSError`."""
        self._path(network).unlink(missing_ok=True)

    def _path(self, network: str) -> Path:
        return self._folder / f"{network}.opening"
