"""FaceLive's scene in OBS: one camera with the filter on it, in a scene collection of its own. Standard library only.

The format is OBS's own (``OBSBasic::LoadData``, ``libobs/obs-scene.c``); positions are in canvas pixels, as all versions
read them.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from obs_facelive.files import read_at_most, replace_file
from obs_facelive.launch.cameras import Camera
from obs_facelive.obs_home import Configuration, read_ini

NAME = "FaceLive"
"""Of the scene collection, the scene and the filter."""
CAMERA = "Camera"
FILTER_KIND = "facelive_filter"
CANVAS = 1920, 1080
"""Where the person's profile does not say."""
_INNER_BOUNDS, _TOP_LEFT, _CENTRE = 2, 5, 0
"""``OBS_BOUNDS_SCALE_INNER``, ``OBS_ALIGN_TOP | OBS_ALIGN_LEFT``, ``OBS_ALIGN_CENTER``."""
_MOST_BYTES = 1 << 28


@dataclass(frozen=True)
class Collection:
    """A scene collection that is there.

    Attributes
    ----------
    file : its JSON
    name : as OBS lists it
    scenes : their names
    wears : whether a FaceLive filter or camera is in it
    """

    file: Path
    name: str
    scenes: tuple[str, ...]
    wears: bool


def find_collection(configuration: Configuration, name: str) -> Collection | None:
    """The scene collection of that name, whatever its file is called; as for OBS, case makes no difference."""
    for file in configuration.collections:
        found = _read(file)
        if found and found.name.casefold() == name.casefold():
            return found
    return None


def build_collection(
    configuration: Configuration, name: str, camera: Camera, persona: str, script: Path, system: str = sys.platform
) -> Collection:
    """Writes a new scene collection, beside those that there are. Raises `OSError`.

    ``persona``: its id; empty: FaceLive's own choice. ``script``: FaceLive's, which the collection loads.
    """
    folder = configuration.scenes
    folder.mkdir(parents=True, exist_ok=True)
    stem = "".join(c if c.isalnum() or c in " -_" else "_" for c in name).strip() or NAME
    number, file = 1, folder / f"{stem}.json"
    while file.exists():
        number, file = number + 1, folder / f"{stem}{number + 1}.json"
    data = collection_json(name, camera, persona, script, canvas(configuration))
    replace_file(file, (json.dumps(data, indent=4, ensure_ascii=False) + "\n").encode())
    return Collection(file, name, (NAME,), True)


def collection_json(name: str, camera: Camera, persona: str, script: Path, canvas: tuple[int, int]) -> dict[str, Any]:
    """The scene collection as OBS saves one: the camera fills the ``canvas`` (width, height), as far as its shape lets it."""
    worn = {"persona": persona} if persona else {}
    swap = {"id": FILTER_KIND, "versioned_id": FILTER_KIND, "name": NAME, "settings": worn, "enabled": True}
    item = {
        "name": CAMERA,
        "id": 1,
        "visible": True,
        "pos": {"x": 0.0, "y": 0.0},
        "scale": {"x": 1.0, "y": 1.0},
        "align": _TOP_LEFT,
        "bounds_type": _INNER_BOUNDS,
        "bounds_align": _CENTRE,
        "bounds": {"x": float(canvas[0]), "y": float(canvas[1])},
    }
    shown = _source(camera.kind, CAMERA, dict(camera.settings), [swap])
    return {
        "name": name,
        "current_scene": NAME,
        "current_program_scene": NAME,
        "scene_order": [{"name": NAME}],
        "sources": [shown, _source("scene", NAME, {"id_counter": 1, "items": [item]}, [])],
        "groups": [],
        "transitions": [],
        "current_transition": "Fade",
        "transition_duration": 300,
        "modules": {"scripts-tool": [{"path": script.as_posix(), "settings": {}}]},
    }


def canvas(configuration: Configuration) -> tuple[int, int]:
    """Width and height, in pixels, of the canvas of the profile that the person uses."""
    width, height = (read_ini(configuration.profile / "basic.ini", "Video", key) for key in ("BaseCX", "BaseCY"))
    if width.isdecimal() and height.isdecimal() and min(int(width), int(height)) >= 32:
        return int(width), int(height)
    return CANVAS


def _source(kind: str, name: str, settings: dict[str, Any], filters: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": kind,
        "versioned_id": kind,
        "name": name,
        "enabled": True,
        "settings": settings,
        "filters": filters,
    }


def _read(file: Path) -> Collection | None:
    """What there is to know of a scene collection; None for a file that is none."""
    try:
        data = json.loads(read_at_most(file, _MOST_BYTES).decode("utf-8-sig"))
        sources = [source for source in data.get("sources", []) if isinstance(source, dict)]
        scenes = tuple(str(source["name"]) for source in sources if source.get("id") == "scene")
        kinds = {source.get("id") for source in sources} | {
            one.get("id") for source in sources for one in source.get("filters", [])
        }
        wears = bool(kinds & {FILTER_KIND, "facelive_camera"})
        return Collection(file, str(data["name"]), scenes, wears)
    except (OSError, ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return None
