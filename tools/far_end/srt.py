"""Listening for one SRT stream, through Debian's libsrt: PyAV's FFmpeg has no SRT."""

from __future__ import annotations

import ctypes
import socket
import struct
from ctypes.util import find_library
from types import TracebackType
from typing import Final
from urllib.parse import urlsplit

_LIBRARIES: Final = ("srt-gnutls", "srt-openssl", "srt")
_MESSAGE: Final = 1500
"""Bytes: SRT's live messages are no longer."""


def _library() -> ctypes.CDLL | None:
    name = next((found for name in _LIBRARIES if (found := find_library(name))), None)
    return ctypes.CDLL(name) if name else None


def available() -> bool:
    """Whether libsrt is here."""
    return _library() is not None


class Listener:
    """Waits at ``srt://HOST:PORT`` (HOST an IPv4 address) for a caller, then gives its bytes as a file does.

    Raises `OSError` where libsrt is missing, or the address cannot be had.
    """

    def __init__(self, address: str) -> None:
        library = _library()
        if library is None:
            raise OSError("libsrt is missing (Debian: libsrt1.5-gnutls)")
        self._srt = library
        self._srt.srt_getlasterror_str.restype = ctypes.c_char_p
        self._srt.srt_startup()
        parts = urlsplit(address)
        # struct sockaddr_in: family in the machine's order, port and address in the network's.
        place = struct.pack("=H", socket.AF_INET) + struct.pack(">H", parts.port or 0)
        place += socket.inet_aton(parts.hostname or "127.0.0.1") + bytes(8)
        self._listening = self._checked(self._srt.srt_create_socket())
        self._checked(self._srt.srt_bind(self._listening, place, len(place)))
        self._checked(self._srt.srt_listen(self._listening, 1))
        self._caller: int | None = None
        self._buffer = ctypes.create_string_buffer(_MESSAGE)

    def __enter__(self) -> Listener:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in (self._caller, self._listening):
            if each is not None:
                self._srt.srt_close(each)
        self._srt.srt_cleanup()

    def read(self, most: int) -> bytes:
        """The next message, waited for; nothing when the caller has gone. ``most`` must be a message's size or more."""
        if most < _MESSAGE:
            raise ValueError(f"a message of {_MESSAGE} bytes does not fit into {most}")
        if self._caller is None:
            self._caller = self._checked(self._srt.srt_accept(self._listening, None, None))
        got = self._srt.srt_recvmsg(self._caller, self._buffer, _MESSAGE)
        return self._buffer.raw[:got] if got > 0 else b""

    def _checked(self, result: int) -> int:
        if result < 0:
            raise OSError(f"SRT: {self._srt.srt_getlasterror_str().decode()}")
        return result
