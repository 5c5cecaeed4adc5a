"""What wakes the engine when a frame has come: rung by compiled code, which must never wait."""

from __future__ import annotations

import ctypes
import os
import select
import sys
from typing import Any


class Bell:
    """OBS's side: one bell a process, never closed, for all engines one after the other.

    POSIX: a pipe that is written without blocking (a full pipe is a ringing bell); OBS keeps both ends, so no engine's
    death can break it. Windows: an inheritable event.

    Attributes
    ----------
    handle : what the render callback rings: a file descriptor, or an event's handle
    given : what the engine is given on its command line
    """

    def __init__(self) -> None:
        if sys.platform == "win32":
            inherit = _security_attributes()
            self.handle = int(_kernel32().CreateEventW(ctypes.byref(inherit), False, False, None))
            self.given = self.handle
        else:
            self.given, self.handle = os.pipe()
            os.set_blocking(self.handle, False)


class Ear:
    """The engine's side: ``given`` is what `Bell.given` was."""

    def __init__(self, given: int) -> None:
        self._given = given
        if sys.platform != "win32":
            os.set_blocking(given, False)

    def wait(self, seconds: float) -> bool:
        """True as soon as the bell rings, False after ``seconds``. Rings that came together count once."""
        if sys.platform == "win32":
            return int(_kernel32().WaitForSingleObject(self._given, int(seconds * 1000))) == 0
        ready, _, _ = select.select([self._given], [], [], seconds)
        return bool(ready) and bool(os.read(self._given, 65536))


if sys.platform == "win32":

    class _SecurityAttributes(ctypes.Structure):
        _fields_ = [("length", ctypes.c_uint32), ("descriptor", ctypes.c_void_p), ("inherit", ctypes.c_int)]  # noqa: RUF012

    def _security_attributes() -> _SecurityAttributes:
        return _SecurityAttributes(ctypes.sizeof(_SecurityAttributes), None, 1)

    def _kernel32() -> Any:
        library = ctypes.WinDLL("kernel32")
        library.CreateEventW.restype = ctypes.c_void_p
        library.WaitForSingleObject.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
        return library
