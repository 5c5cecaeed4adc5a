"""The engine's process, as OBS sees it: start it, talk to it, end it. Never waits long."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from typing import Any

from obs_facelive.home import Home
from obs_facelive.link.bell import Bell

_OBS_ONLY = ("PYTHONHOME", "PYTHONPATH", "LD_PRELOAD", "QT_PLUGIN_PATH")
"""Variables that are meant for OBS and its own Python and would mislead ours."""


class EngineProcess:
    """One run of the engine.

    Its standard input carries commands, one JSON object a line; its end tells the engine that OBS is gone.
    Raises `OSError` with what to do if the environment's Python is not there.
    """

    def __init__(self, home: Home, device: str, bell: Bell) -> None:
        if not home.python.exists():
            raise OSError(f"FaceLive's Python is missing ({home.python}): run 'python3 install.py' again")
        environment = {k: v for k, v in os.environ.items() if k not in _OBS_ONLY}
        environment["FACELIVE_HOME"] = str(home.root)
        options: dict[str, Any] = {}
        if sys.platform == "win32":
            startup = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [bell.given]})
            options = {"creationflags": subprocess.CREATE_NO_WINDOW, "startupinfo": startup, "close_fds": True}
        else:
            options = {"pass_fds": (bell.given,), "start_new_session": True}
        self._process = subprocess.Popen(
            [str(home.python), "-m", "obs_facelive.engine", "--bell", str(bell.given), "--device", device],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=home.root,
            **options,
        )
        if sys.platform != "win32":
            assert self._process.stdin is not None
            os.set_blocking(self._process.stdin.fileno(), False)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def tell(self, **command: Any) -> bool:
        """Sends one command. False if the engine does not read its input (it hangs or is gone)."""
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(json.dumps(command).encode() + b"\n")
            stdin.flush()
        except (OSError, ValueError):
            return False
        return True

    def kill(self) -> None:
        """Ends it at once."""
        with contextlib.suppress(OSError):
            self._process.kill()
        self._finish(5)

    def close(self) -> None:
        """Asks it to end by closing its input; it gets a second, then it is killed."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._finish(5)

    def _finish(self, seconds: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()


def describe_exit(code: int) -> str:
    """Words for an exit code: the signal's name, where a signal ended it."""
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"
