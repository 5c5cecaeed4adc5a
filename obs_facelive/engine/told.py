"""What went wrong, for people."""

from __future__ import annotations

import logging

log = logging.getLogger(__name__)


def in_words(error: Exception, before: str) -> str:
    """``error`` for people; logged unless it is the same as ``before``."""
    words = str(error) or type(error).__name__
    if isinstance(error, MemoryError):
        words = "the computer is out of memory: close other programs, or make the camera's picture smaller"
    if words != before:
        log.error("%s", words, exc_info=error)
    return words
