"""Loaded by OBS itself: moves the clock of `tools.far_end.clock` on before each picture, and writes down when.

The environment says which source (``FACELIVE_CLOCK_SOURCE``), in which scene (``FACELIVE_CLOCK_SCENE``), and where to write
(``FACELIVE_CLOCK_LOG``). Nothing of ours is imported: OBS's Python has not our environment.
"""

from __future__ import annotations

import os
import time
from typing import Any

import obspython as obs

COLUMNS, ROWS, WIDTH, HEIGHT = 8, 32, 360, 80

_log = open(os.environ["FACELIVE_CLOCK_LOG"], "w", buffering=1)  # noqa: SIM115  as long as the script
_state: dict[str, Any] = {"tick": 0, "item": None}


def script_tick(seconds: float) -> None:
    """Before each picture, on OBS's graphics thread."""
    item = _state["item"] or _find()
    if item is None:
        return
    _state["item"] = item
    row, column = divmod(_state["tick"] % (COLUMNS * ROWS), COLUMNS)
    crop = obs.obs_sceneitem_crop()
    crop.left, crop.top = column * WIDTH, row * HEIGHT
    crop.right, crop.bottom = (COLUMNS - 1 - column) * WIDTH, (ROWS - 1 - row) * HEIGHT
    obs.obs_sceneitem_set_crop(item, crop)
    _log.write(f"{time.time_ns()}\n")
    _state["tick"] += 1


def _find() -> object:
    """The clock's item in the scene, which must last; None before there is one."""
    source = obs.obs_get_source_by_name(os.environ["FACELIVE_CLOCK_SCENE"])
    scene = obs.obs_scene_from_source(source)
    item = obs.obs_scene_find_source(scene, os.environ["FACELIVE_CLOCK_SOURCE"]) if scene else None
    if source:
        obs.obs_source_release(source)
    return item
