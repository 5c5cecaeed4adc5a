"""The guest: boots, runs a command, powers off. What the command changes on the guest's disk is thrown away."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

VARIABLE: Final = "FACELIVE_VCAM"
"""Says where the guest is."""
INIT: Final = Path(__file__).with_name("init.sh")
"""The guest's first program."""
CAMERA: Final = "camera"
"""The folder with the camera's driver, on the guest's disk."""
_MEMORY: Final = "4096M"


class GuestError(Exception):
    """The guest did not do its work; the text says what became of it."""


@dataclass(frozen=True)
class Guest:
    """What `tools.vcam.build` made in ``folder``."""

    folder: Path

    @classmethod
    def find(cls) -> Guest:
        """The one that ``FACELIVE_VCAM`` names. Raises `GuestError` if there is none."""
        named = os.environ.get(VARIABLE)
        guest = cls(Path(named or "").absolute())
        if not named or not guest.disk.is_file():
            raise GuestError(
                f"no guest: 'python -m tools.vcam build FOLDER' makes it, {VARIABLE}=FOLDER says where it is"
            )
        return guest

    @property
    def kernel(self) -> Path:
        """A program."""
        return self.folder / "linux"

    @property
    def disk(self) -> Path:
        """Debian."""
        return self.folder / "disk.img"

    @property
    def cache(self) -> Path:
        """What the guest keeps from boot to boot: compiled code."""
        return self.folder / "cache"

    def run(
        self,
        command: Sequence[str],
        *,
        seconds: float,
        writable: Sequence[Path] = (),
        readable: Sequence[Path] = (),
        env: Mapping[str, str] | None = None,
        cwd: Path = Path("/"),
    ) -> int:
        """Boots and gives the exit status of ``command``; what that says goes to standard error as it comes.

        Parameters
        ----------
        writable, readable : folders of this machine that the guest sees, at the same paths
        env : more environment variables for the command

        Raises
        ------
        GuestError
            The command did not end within ``seconds``, or the guest ended without it.
        """
        folders = [("ro", path) for path in readable] + [("rw", path) for path in writable]
        assigned = [f"{name}={shlex.quote(value)}" for name, value in (env or {}).items()]
        with tempfile.TemporaryDirectory(prefix="facelive-vcam-", dir=self.folder) as place:
            boot = Path(place)
            (boot / "folders").write_text("".join(f"{access} {path.absolute()}\n" for access, path in folders))
            (boot / "cwd").write_text(f"{cwd.absolute()}\n")
            (boot / "command").write_text(f"{' '.join(['exec env', *assigned, shlex.join(command)])}\n")
            ended = self._boot(boot, seconds)
            if (boot / "status").is_file():
                return int((boot / "status").read_text())
            said = (boot / "output").read_text(errors="replace") if (boot / "output").is_file() else ""
        how = f"was not done within {seconds:.0f} s" if ended is None else f"ended without it ({ended})"
        raise GuestError(f"the guest {how}: {said[-2000:]}")

    def _boot(self, boot: Path, seconds: float) -> int | None:
        """The kernel's exit status; None if it had to be ended."""
        options = [
            *(f"mem={_MEMORY}", f"uml_dir={boot}/", "umid=guest", f"ubd0={boot}/changes,{self.disk}"),
            *("root=/dev/ubda", "rootfstype=ext4", "rw", "init=/facelive-init", f"BOOT={boot}"),
            *("con=null", "con0=null,fd:1", "quiet", "loglevel=3"),
        ]
        # The guest's memory is a file; where it lies in memory, too, it is fast.
        where = {"TMPDIR": "/dev/shm"} if os.access("/dev/shm", os.W_OK) else {}
        # It has one processor, and its processes hand over at every call: across two of this machine's, each waits for both.
        alone = ["taskset", "--cpu-list", str(max(os.sched_getaffinity(0)))]
        process = subprocess.Popen(
            [*alone, str(self.kernel), *options],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),
            env={**os.environ, **where},
            start_new_session=True,
        )
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            # Its processes are the host's, in a session of their own.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
