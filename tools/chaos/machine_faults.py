"""What other programs may do to the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Final

from tools.chaos.fault import Fault
from tools.chaos.studio import Studio

_BURN: Final = "while True: pass"
_EAT: Final = """
import sys, time
eaten = []
for _ in range(int(sys.argv[1])):
    eaten.append(b"x" * (1 << 20))
time.sleep(600)
"""
_SHARE: Final = 0.6
"""Of the memory that is free, at the most."""


class _Programs(Fault):
    """Other programs, ended at the end."""

    _running: list[subprocess.Popen[bytes]]

    def _run(self, code: str, *arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE)
        self._running.append(process)
        return process

    def heal(self, studio: Studio) -> None:
        for process in self._running:
            process.kill()
            process.communicate()


class Burned(_Programs):
    """Two programs a core that never rest."""

    def strike(self, studio: Studio, rng: Random) -> None:
        self._running = []
        for _ in range(2 * (os.cpu_count() or 1)):
            self._run(_BURN)


class Eaten(_Programs):
    """Much of the memory is taken by others, as fast as the machine gives it."""

    def strike(self, studio: Studio, rng: Random) -> None:
        self._running = []
        info = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        free = int(info["MemAvailable"].split()[0]) * 1024
        self._run(_EAT, str(min(int(_SHARE * free), studio.greed) >> 20))
