"""An OBS script that keeps the interpreter to itself for 0.3 s at a time, as any C extension may that forgets to let go.

It begins and ends with the file that FACELIVE_TEST_HOLD names: so that OBS can start before, and be asked afterwards.
"""

import ctypes
import os
import threading
import time
from pathlib import Path

_file = Path(os.environ["FACELIVE_TEST_HOLD"])
_sleep = ctypes.PyDLL(None).usleep  # PyDLL, not CDLL: without letting go of the GIL
_stop = threading.Event()


def _hold() -> None:
    while not _stop.is_set():
        if _file.exists():
            _sleep(300_000)
        time.sleep(0.005)


_thread = threading.Thread(target=_hold, daemon=True)


def script_load(settings: object) -> None:
    _thread.start()


def script_unload() -> None:
    _stop.set()
    _thread.join()
