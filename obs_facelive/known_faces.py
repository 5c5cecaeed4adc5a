"""What a stage remembers about each tracked face, for as long as the face is seen."""

from __future__ import annotations

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class KnownFaces(Generic[K, V]):
    """One memory a face; one that was not renewed for ``forget`` seconds is gone.

    Parameters
    ----------
    forget : seconds
    """

    def __init__(self, forget: float) -> None:
        self._forget = forget
        self._known: dict[K, tuple[float, V]] = {}

    def recall(self, key: K, time: float) -> tuple[V, float] | None:
        """What is known of ``key``, and its age in seconds; None if nothing is, or if ``time`` (seconds) went backwards."""
        if key not in self._known:
            return None
        kept, value = self._known[key]
        return (value, time - kept) if 0 <= time - kept < self._forget else None

    def keep(self, key: K, time: float, value: V) -> None:
        """Remembers ``value`` from ``time`` on, and forgets what is too old."""
        self._known = {k: known for k, known in self._known.items() if abs(time - known[0]) < self._forget}
        self._known[key] = time, value
