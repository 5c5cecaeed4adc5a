"""FaceLive's scene collection: built as OBS reads it, beside what there is, never over it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from obs_facelive.launch.cameras import Camera
from obs_facelive.launch.first_run import make_configuration, started_before
from obs_facelive.launch.scene import (
    CANVAS,
    FILTER_KIND,
    build_collection,
    canvas,
    collection_json,
    find_collection,
)
from obs_facelive.obs.filter import CAMERA_ID, ID
from obs_facelive.obs_home import Configuration, read_ini
from obs_facelive.registration import add_script, scripts

CAMERA = Camera("Webcam", "/dev/video0", "v4l2_input", {"device_id": "/dev/video0"})
SCRIPT = Path("/env/lib/python3.11/site-packages/obs_facelive/script/facelive.py")


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    """An OBS with scenes of the person's, in a profile with a canvas of its own."""
    root = tmp_path / "obs-studio"
    (root / "basic/scenes").mkdir(parents=True)
    (root / "basic/profiles/Mine").mkdir(parents=True)
    (root / "global.ini").write_text("[Basic]\nProfileDir=Mine\n")
    (root / "basic/profiles/Mine/basic.ini").write_text("[Video]\nBaseCX=1600\nBaseCY=900\n")
    return Configuration(root)


def test_what_obs_reads() -> None:
    data = collection_json("FaceLive", CAMERA, "clara", SCRIPT, (1600, 900))
    camera, scene = data["sources"]
    assert (camera["id"], camera["settings"]) == ("v4l2_input", {"device_id": "/dev/video0"})
    assert [(f["id"], f["settings"], f["enabled"]) for f in camera["filters"]] == [(ID, {"persona": "clara"}, True)]
    (item,) = scene["settings"]["items"]
    assert item["name"] == camera["name"] and item["visible"]
    assert item["bounds"] == {"x": 1600, "y": 900} and item["bounds_type"] == 2
    assert data["current_scene"] == data["current_program_scene"] == scene["name"]
    assert FILTER_KIND == ID
    assert collection_json("A", CAMERA, "", SCRIPT, CANVAS)["sources"][0]["filters"][0]["settings"] == {}


def test_built_beside_the_others(configuration: Configuration) -> None:
    mine = configuration.scenes / "FaceLive.json"
    mine.write_text(json.dumps({"name": "My scenes", "sources": []}))
    built = build_collection(configuration, "FaceLive", CAMERA, "", SCRIPT)
    assert built.file.name == "FaceLive2.json" and json.loads(mine.read_text())["name"] == "My scenes"
    assert find_collection(configuration, "facelive") == built
    assert scripts(built.file) == [SCRIPT] and not add_script(built.file, SCRIPT)
    assert json.loads(built.file.read_text())["sources"][1]["settings"]["items"][0]["bounds"]["x"] == 1600
    assert build_collection(configuration, "../ü?", CAMERA, "", SCRIPT).file == configuration.scenes / "___ü_.json"


def test_found_by_name(configuration: Configuration) -> None:
    for file, content in {
        "a": "{",
        "b": '{"name": 3, "sources": 3}',
        "c": "[]",
        "d": json.dumps({"name": "Show", "sources": [{"id": "scene", "name": "One"}, {"id": CAMERA_ID, "name": "x"}]}),
    }.items():
        (configuration.scenes / f"{file}.json").write_text(content)
    assert find_collection(configuration, "FaceLive") is None
    found = find_collection(configuration, "SHOW")
    assert found and (found.name, found.scenes, found.wears) == ("Show", ("One",), True)


def test_canvas(configuration: Configuration) -> None:
    assert canvas(configuration) == (1600, 900)
    (configuration.root / "basic/profiles/Mine/basic.ini").write_text("[Video]\nBaseCX=0\nBaseCY=x\n")
    assert canvas(configuration) == CANVAS


def test_an_obs_that_was_never_started(tmp_path: Path) -> None:
    fresh = Configuration(tmp_path / "config/obs-studio")
    assert not started_before(fresh)
    make_configuration(fresh)
    assert started_before(fresh)
    assert read_ini(fresh.ini, "General", "FirstRun") == "true"
    assert canvas(fresh) == (1280, 720)
