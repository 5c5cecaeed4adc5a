"""Where the engine's networks run, as settings have it."""

from __future__ import annotations

from pathlib import Path

import pytest

from obs_facelive.engine.stages import Stages
from obs_facelive.engine.wardrobe import stages as decides
from obs_facelive.home import Home
from obs_facelive.runtime.providers import Device, Place
from obs_facelive.settings import Settings


@pytest.mark.parametrize(
    ("settings", "large", "small"),
    [
        (Settings(), Place("auto"), Place("cpu")),
        (Settings(small_networks="same"), Place("auto"), Place("cpu")),
        (Settings(device="cuda", gpu=1, gpu_memory_limit=500), Place("cuda", 1, 500), Place("cpu")),
        (
            Settings(device="cuda", gpu=1, small_networks="same"),
            Place("cuda", 1),
            Place("cuda", 1, 0, Path("embedded")),
        ),
        (Settings(device="cpu", small_networks="same"), Place("cpu"), Place("cpu")),
    ],
)
@pytest.mark.parametrize("allowed", ["auto", "cpu"])
def test_a_place_for_each_network(
    tmp_path: Path, settings: Settings, large: Place, small: Place, allowed: Device
) -> None:
    home = Home(tmp_path)
    stages = Stages(home, allowed)
    if allowed == "cpu":  # an engine that kept crashing gets nothing else
        large, small = large.on("cpu"), Place("cpu")
    elif small.cache:
        small = Place(small.device, small.gpu, small.memory_mb, home.devices / small.cache)
    assert (stages.place(settings), stages.small_place(settings)) == (large, small)


def test_a_change_of_any_of_them_loads_anew() -> None:
    changed = [
        Settings(device="cuda"),
        Settings(gpu=1),
        Settings(gpu_memory_limit=500),
        Settings(small_networks="same"),
    ]
    assert len({decides(settings) for settings in (Settings(), *changed)}) == 5
