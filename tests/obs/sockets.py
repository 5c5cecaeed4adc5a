"""Who can be reached from outside: the sockets of a process, out of Linux's /proc."""

from __future__ import annotations

import os
import re
from pathlib import Path


def listeners(pid: int) -> list[str]:
    """The sockets of ``pid`` that wait for others, as ``protocol address``: those that listen, and UDP's without a peer."""
    process = Path("/proc", str(pid))
    own = set()
    for fd in (process / "fd").iterdir():
        try:
            found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(fd))
        except OSError:  # it was closed meanwhile
            continue
        if found:
            own.add(found[1])
    waiting = []
    for protocol, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        for line in (process / "net" / protocol).read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == state and words[9] in own:
                waiting.append(f"{protocol} {int(words[1].rpartition(':')[2], 16)}")
    for line in (process / "net" / "unix").read_text().splitlines()[1:]:
        words = line.split()
        if int(words[3], 16) & 0x10000 and words[6] in own:
            waiting.append(f"unix {words[7] if len(words) > 7 else ''}")
    return sorted(waiting)
