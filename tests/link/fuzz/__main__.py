"""Fuzzes the link, in a process of its own: whoever touches what is not theirs kills it.

``python -m tests.link.fuzz CASE SEED FLAW MACHINE=EXAMPLES ...``: CASE is a file that holds the case that is being tried, FLAW
one of `flaws.FLAWS`, or ``-``. Prints a JSON object of figures for each machine.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
from pathlib import Path
from typing import Any

import hypothesis

from obs_facelive.link import layout as at
from obs_facelive.link import ring
from tests.link.fuzz.flaws import FLAWS
from tests.link.fuzz.guarded import Guarded
from tests.link.fuzz.interpreted import ObsSide
from tests.link.fuzz.race import race, race_to_the_screen
from tests.link.fuzz.vandal import vandal_at_engine, vandal_at_machine_code, vandal_at_obs
from tests.link.fuzz.world import CAPACITY, PATCH_CAPACITY, Block, World, pixels

MACHINES: dict[str, Any] = {
    machine.__name__: machine
    for machine in (race, race_to_the_screen, vandal_at_engine, vandal_at_obs, vandal_at_machine_code)
}


def main(case: Path, seed: int, flaw: str, wanted: dict[str, int]) -> None:
    """Tries as many cases of each machine as are wanted."""
    faulthandler.enable()
    block = Block()
    obs = ObsSide(block.theirs.address, CAPACITY, PATCH_CAPACITY, pixels)
    world = World(block, obs, os.open(case, os.O_RDWR | os.O_CREAT, 0o600), Guarded(at.TEXT_BYTES))
    setattr(ring, "SharedMemory", block)  # noqa: B010
    if flaw != "-":
        FLAWS[flaw](world)
    for machine, examples in wanted.items():
        settings = hypothesis.settings(
            max_examples=examples,
            deadline=None,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            print_blob=True,
        )
        settings(hypothesis.seed(seed)(MACHINES[machine]))(world)
        print(json.dumps({"machine": machine, **world.seen}), flush=True)
        world.seen.clear()


if __name__ == "__main__":
    pairs = (argument.split("=") for argument in sys.argv[4:])
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], {machine: int(examples) for machine, examples in pairs})
