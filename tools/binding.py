"""What a session costs that keeps the memory of what it takes and gives (`obs_facelive.runtime.bound`), against a plain one."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from obs_facelive.runtime.bound import Bound
from obs_facelive.runtime.choice import sample
from obs_facelive.runtime.session import open_session
from tools.stand_ins.build import write

FILE, SIDE = "inswapper_128.onnx", 128


def _cpu_ms(run: Callable[[], Any]) -> float:
    began = time.thread_time()
    run()
    return (time.thread_time() - began) * 1e3


def main() -> None:
    """Runs both in turns, with one thread, and prints medians of the processor's time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=float, default=0.0625, help="share of the real network's channels")
    parser.add_argument("--runs", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        session = open_session(write(Path(folder), FILE, options.width), "cpu", side=SIDE)
        given, bound = sample(session, SIDE), Bound(session, "cpu")
        times = [
            (_cpu_ms(lambda: session.run(None, given)), _cpu_ms(lambda: bound.run(None, given)))
            for _ in range(options.runs)
        ]
    plain, kept = (statistics.median(column) for column in zip(*times, strict=True))
    print(
        f"{FILE}, {options.width:g} of its width: plain {plain:.2f} ms, bound {kept:.2f} ms, ratio {kept / plain:.3f}"
    )


if __name__ == "__main__":
    main()
