"""An OBS script that never lets go of the interpreter for longer than Python makes it: a pure-Python loop in a thread."""

import threading

_stop = threading.Event()


def _spin() -> None:
    count = 0
    while not _stop.is_set():
        count += 1


_thread = threading.Thread(target=_spin, daemon=True)


def script_load(settings: object) -> None:
    _thread.start()


def script_unload() -> None:
    _stop.set()
    _thread.join()
