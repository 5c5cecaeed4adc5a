"""Waiting for a state instead of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(what: str, probe: Callable[[], T | None], seconds: float, every: float = 0.05) -> T:
    """Call `probe` until it gives something true, and return that.

    Raises
    ------
    TimeoutError
        It gave nothing within `seconds`; `what` says what was waited for.
    """
    end = time.monotonic() + seconds
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(every)
