"""What may happen to the engine and to its files."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path
from random import Random

from tools.chaos.fault import Fault
from tools.chaos.studio import Studio
from tools.procfs import runs
from tools.waiting import wait_for

_SUPERVISED = 10.0
"""Seconds within which the supervisor must have ended an engine that hangs."""


class Killed(Fault):
    """The engine dies."""

    def strike(self, studio: Studio, rng: Random) -> None:
        studio.signal_engine(signal.SIGKILL)

    def last(self, studio: Studio, rng: Random, seconds: float) -> None:
        """A death has no length."""


class Stopped(Killed):
    """The engine hangs for good: the fault ends when the supervisor has killed it, which it must."""

    def strike(self, studio: Studio, rng: Random) -> None:
        pid = studio.engine()
        os.kill(pid, signal.SIGSTOP)
        wait_for("the supervisor to end an engine that hangs", lambda: not runs(pid), _SUPERVISED)


class Paused(Fault):
    """The engine stands still for a while; if that is long the supervisor replaces it meanwhile."""

    def strike(self, studio: Studio, rng: Random) -> None:
        self._pid = studio.engine()
        os.kill(self._pid, signal.SIGSTOP)

    def heal(self, studio: Studio) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGCONT)


class Starved(Fault):
    """The engine runs for a fifth of the time only, in slices."""

    def last(self, studio: Studio, rng: Random, seconds: float) -> None:
        pid, end = studio.engine(), time.monotonic() + seconds
        with suppress(ProcessLookupError):
            while time.monotonic() < end:
                os.kill(pid, signal.SIGSTOP)
                studio.rest(rng.uniform(0.02, 0.4))
                os.kill(pid, signal.SIGCONT)
                studio.rest(rng.uniform(0.01, 0.1))


class Slow(Fault):
    """A swapper that is as slow as a neural one on a weak machine."""

    def strike(self, studio: Studio, rng: Random) -> None:
        studio.slow.write_text(str(rng.choice([100, 250, 600])))

    def heal(self, studio: Studio) -> None:
        studio.slow.write_text("0")


class OutOfMemory(Fault):
    """The engine gets hardly more memory than it has, and then needs some: for another persona."""

    def strike(self, studio: Studio, rng: Random) -> None:
        self._pid = studio.engine()
        status = Path("/proc", str(self._pid), "status").read_text().splitlines()
        size = next(int(line.split()[1]) << 10 for line in status if line.startswith("VmData:"))
        self._before = resource.prlimit(self._pid, resource.RLIMIT_DATA)
        resource.prlimit(self._pid, resource.RLIMIT_DATA, (size + rng.choice([0, 1 << 20, 4 << 20]), self._before[1]))
        studio.wear({"persona": rng.choice([name for name in studio.home.persona_names() if name != studio.persona])})

    def heal(self, studio: Studio) -> None:
        with suppress(ProcessLookupError):
            resource.prlimit(self._pid, resource.RLIMIT_DATA, self._before)
        studio.wear({"persona": studio.persona})


class LogFull(Fault):
    """Nothing more can be written to the engine's log: of the engine that runs, or of the next one."""

    def strike(self, studio: Studio, rng: Random) -> None:
        self._next = rng.random() < 0.5
        self._pid = studio.engine()
        if self._next:
            log = studio.home.logs / "engine.log"
            log.unlink(missing_ok=True)
            log.symlink_to("/dev/full")
            os.kill(self._pid, signal.SIGKILL)
        else:
            self._before = resource.prlimit(self._pid, resource.RLIMIT_FSIZE)
            resource.prlimit(self._pid, resource.RLIMIT_FSIZE, (0, self._before[1]))
        studio.wear({"hold_ms": -1})  # out of range: the engine has something to write
        studio.wear({"hold_ms": 1000})

    def heal(self, studio: Studio) -> None:
        if self._next:
            (studio.home.logs / "engine.log").unlink(missing_ok=True)
            return
        with suppress(ProcessLookupError):
            resource.prlimit(self._pid, resource.RLIMIT_FSIZE, self._before)


class _Broken(Fault):
    """A folder of files of which one is deleted or cut short, and then comes back."""

    def _break(self, studio: Studio, file: Path, rng: Random) -> None:
        self._file, self._kept = file, studio.home.root / f"kept-{file.name}"
        shutil.copy2(file, self._kept)
        if rng.random() < 0.5:
            file.unlink()
        else:
            os.truncate(file, rng.choice([0, file.stat().st_size // 2]))

    def heal(self, studio: Studio) -> None:
        self._kept.replace(self._file)


class ModelBroken(_Broken):
    """A model's file is gone or cut short when the engine starts."""

    def strike(self, studio: Studio, rng: Random) -> None:
        files = sorted(file for file in studio.home.models.iterdir() if file.suffix in (".onnx", ".npz"))
        self._break(studio, rng.choice(files), rng)
        studio.signal_engine(signal.SIGKILL)


class PersonaBroken(_Broken):
    """A file of the worn persona is gone or cut short when the engine starts."""

    def strike(self, studio: Studio, rng: Random) -> None:
        files = sorted(file for file in (studio.home.personas / studio.persona).iterdir() if file.is_file())
        self._break(studio, rng.choice(files), rng)
        studio.signal_engine(signal.SIGKILL)


class PersonaGone(Fault):
    """The person chooses a persona whose folder is gone, and then the old one again."""

    def strike(self, studio: Studio, rng: Random) -> None:
        others = [name for name in studio.home.persona_names() if name != studio.persona]
        self._folder = studio.home.personas / rng.choice(others)
        self._kept = studio.home.root / f"kept-{self._folder.name}"
        shutil.move(self._folder, self._kept)
        studio.wear({"persona": self._folder.name})

    def heal(self, studio: Studio) -> None:
        shutil.move(self._kept, self._folder)
        studio.wear({"persona": studio.persona})
