"""A port of this machine that nobody has."""

from __future__ import annotations

import socket


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Of the loopback; free a moment ago. ``kind``: for TCP or UDP (`socket.SOCK_DGRAM`)."""
    with socket.socket(type=kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
