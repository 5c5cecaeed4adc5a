"""What a process holds: memory, threads, file descriptors, shared blocks. Linux's /proc only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """One look at a process.

    Attributes
    ----------
    rss, pss, anonymous : MiB; ``pss`` counts shared pages in parts, ``anonymous`` heaps and stacks alone
    threads, fds : how many there are
    """

    rss: float
    pss: float
    anonymous: float
    threads: int
    fds: int


def usage(pid: int) -> Usage:
    """What ``pid`` holds now. Raises `OSError` if it is gone."""
    process = Path("/proc", str(pid))
    sizes: dict[str, float] = {}
    for line in (process / "smaps_rollup").read_text().splitlines()[1:]:
        name, size = line.split()[:2]
        sizes[name.rstrip(":")] = int(size) / 1024
    return Usage(
        rss=sizes["Rss"],
        pss=sizes["Pss"],
        anonymous=sizes["Anonymous"],
        threads=sum(1 for _ in (process / "task").iterdir()),
        fds=sum(1 for _ in (process / "fd").iterdir()),
    )


def shared_blocks(pid: int) -> list[str]:
    """Names of the shared blocks that the OBS ``pid`` made (`obs_facelive.link.memory`), sorted."""
    return sorted(path.name for path in Path("/dev/shm").glob(f"fl-{pid}-*"))


def runs(pid: int) -> bool:
    """Whether the process is there and not only waiting to be buried."""
    try:
        return Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
