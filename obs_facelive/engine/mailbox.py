"""What stands between two threads of the engine: room for one, the newest wins."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Holds one item at most. One thread puts, one takes."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._closed = False

    def put(self, item: T) -> T | None:
        """Leaves ``item``; returns what nobody will take any more: the item before it, or ``item`` itself once closed."""
        with self._changed:
            if self._closed:
                return item
            before, self._item = self._item, item
            self._changed.notify_all()
            return before

    def take(self) -> T | None:
        """Waits for an item. None once the box is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed)
            item, self._item = self._item, None
            self._changed.notify_all()
            return None if self._closed and item is None else item

    def wait_empty(self) -> bool:
        """Waits until the last item was taken. False once the box is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is None or self._closed)
            return not self._closed

    def close(self) -> T | None:
        """Nobody waits any more; returns the item that was not taken."""
        with self._changed:
            self._closed = True
            item, self._item = self._item, None
            self._changed.notify_all()
            return item
