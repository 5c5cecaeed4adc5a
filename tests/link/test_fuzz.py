"""The link against everything: every interleaving of its two ends, and whatever anybody may write into its block.

Its machines are in `tests.link.fuzz`, which runs as a process of its own, with inaccessible pages before and behind the
block: one byte too far is the end of that process, and of the test.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="guard pages are made with Linux's mmap")

SHORT = {
    "race": 500,
    "race_to_the_screen": 120,
    "vandal_at_engine": 500,
    "vandal_at_obs": 200,
    "vandal_at_machine_code": 600,
}
LONG = {
    "race": 80_000,
    "race_to_the_screen": 20_000,
    "vandal_at_engine": 50_000,
    "vandal_at_obs": 30_000,
    "vandal_at_machine_code": 30_000,
}
BATCH = 10_000
"""Cases a process: hypothesis remembers each."""
FLAWS = {
    "torn frames": ("race", "is torn"),
    "torn results": ("race", "is torn"),
    "patches": ("vandal_at_obs", ""),
    "sizes": ("vandal_at_engine", ""),
}
"""What is planted, the machine that must find it, and what it says."""


def fuzz(folder: Path, seed: int, wanted: dict[str, int], flaw: str = "-") -> tuple[int, list[dict[str, Any]], str]:
    """(exit code, figures of each machine, what it said)."""
    case = folder / "case"
    arguments = [str(case), str(seed), flaw, *(f"{machine}={examples}" for machine, examples in wanted.items())]
    done = subprocess.run([sys.executable, "-m", "tests.link.fuzz", *arguments], capture_output=True, text=True)
    figures = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"machine"')]
    last = case.read_text() if case.exists() else ""
    words = f"seed {seed}, {wanted}, exit code {done.returncode}, the last case:\n{last[:2000]}\n{done.stderr[-6000:]}"
    return done.returncode, figures, words


def check(figures: list[dict[str, Any]]) -> None:
    """Nothing was tried in vain: the machines came to where it is close."""
    by = {figure["machine"]: figure for figure in figures}
    for name in ("frames accepted", "frames torn", "results accepted", "results torn"):
        assert by["race"].get(name, 0) > 0, name
    assert by["race_to_the_screen"].get("pictures shown", 0) > by["race_to_the_screen"]["cases"] // 2
    assert by["vandal_at_engine"].get("frames accepted", 0) > by["vandal_at_engine"]["cases"] // 2
    assert by["vandal_at_obs"].get("pictures shown", 0) > by["vandal_at_obs"]["cases"] // 2
    assert by["vandal_at_machine_code"].get("patches read", 0) > by["vandal_at_machine_code"]["cases"] // 2


def test_neither_end_is_harmed_and_nothing_torn_is_accepted(tmp_path: Path) -> None:
    code, figures, words = fuzz(tmp_path, 3, SHORT)
    assert code == 0, words
    assert [figure["machine"] for figure in figures] == list(SHORT)
    assert all(figure["cases"] >= SHORT[figure["machine"]] for figure in figures)
    check(figures)


def test_a_byte_too_far_is_the_end() -> None:
    program = (
        "import ctypes; from tests.link.fuzz.guarded import Guarded as G; ctypes.string_at(G(8192).address + {}, 1)"
    )
    for offset, code in ((0, 0), (8191, 0), (8192, -signal.SIGSEGV), (-1, -signal.SIGSEGV)):
        assert subprocess.run([sys.executable, "-c", program.format(offset)]).returncode == code


@pytest.mark.slow
@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_is_found(tmp_path: Path, flaw: str) -> None:
    machine, said = FLAWS[flaw]
    code, _, words = fuzz(tmp_path, 1, {machine: 5000}, flaw)
    assert code != 0 and said in words, words


@pytest.mark.slow
@pytest.mark.timeout(4 * 3600)
def test_two_hundred_thousand_cases(tmp_path: Path) -> None:
    seed = int(os.environ.get("FACELIVE_FUZZ_SEED") or random.SystemRandom().randrange(2**31))
    totals: list[dict[str, Any]] = []
    began = time.monotonic()
    for machine, examples in LONG.items():
        total: dict[str, Any] = {}
        for batch in range(0, examples, BATCH):
            code, figures, words = fuzz(tmp_path, seed + batch, {machine: min(BATCH, examples - batch)})
            assert code == 0, words
            total = {name: total.get(name, 0) + value for name, value in figures[0].items() if name != "machine"}
        totals.append({"machine": machine, **total})
        print(totals[-1], f"{time.monotonic() - began:.0f} s so far, seed {seed}", flush=True)
    check(totals)
    assert sum(total["cases"] for total in totals) >= 200_000
