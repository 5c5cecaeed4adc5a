"""FaceLive in two versions of libobs, without OBS around them: the installed OBS's, and 32.2.2.

`abi_program` lives through everything once a version and writes down what it saw; the tests here judge it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

from obs_facelive import fields, refused
from obs_facelive.frame import Pixels
from obs_facelive.home import Home
from obs_facelive.link import order
from obs_facelive.link.wanted import GET_FILE
from obs_facelive.obs import abi, panel_get, panel_persona
from obs_facelive.obs.filter import CAMERA_FLAGS, CAMERA_ID, CAMERA_NAME, FLAGS, ID, NAME
from obs_facelive.obs.panel import CAMERA_PRIVACY_NOTE, PRIVACY_NOTE
from obs_facelive.settings import MESH, Settings
from tests.obs.driving import HEAD, ROOM, detail, difference
from tools.libobs32 import VERSION, installed_libobs, libobs32
from tools.virtual_display import virtual_display
from tools.wheels import UnavailableError

CHECKOUT = Path(__file__).parents[2]
DEFAULTS = msgspec.structs.asdict(Settings())


@dataclass(frozen=True)
class Seen:
    """What `abi_program` saw in one version: its report, libobs's log, and the folder of its pictures."""

    version: str
    report: dict[str, Any]
    log: list[str]
    folder: Path

    def picture(self, name: str) -> Pixels:
        return np.asarray(np.load(self.folder / f"{name}.npy", allow_pickle=False), np.uint8)


@pytest.fixture(scope="module", params=["installed", VERSION])
def seen(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, home: Home, camera_clip: Path
) -> Seen:
    try:
        files = libobs32(home) if request.param == VERSION else installed_libobs()
    except UnavailableError as problem:
        pytest.skip(str(problem))
    if files is None:
        pytest.skip("no libobs in this system's library folders")
    folder = tmp_path_factory.mktemp("abi")
    _pictures(folder, camera_clip)
    (folder / "status").mkdir()
    environ = {
        **os.environ,
        "FACELIVE_HOME": str(home.root),
        "FACELIVE_STATUS_DIR": str(folder / "status"),
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "PYTHONFAULTHANDLER": "1",
        "LD_LIBRARY_PATH": files.search,
    }
    command = [sys.executable, "-m", "tests.obs.abi_program", str(folder), json.dumps(asdict(files))]
    log = folder / "log.txt"
    with virtual_display() as display, log.open("w") as out:
        environ["DISPLAY"] = display
        done = subprocess.run(command, cwd=CHECKOUT, env=environ, stdout=out, stderr=out, timeout=280)
    lines = log.read_text(errors="replace").splitlines()
    assert done.returncode == 0, "\n".join(lines[-40:])
    return Seen(request.param, json.loads((folder / "report.json").read_text()), lines, folder)


def _pictures(folder: Path, clip: Path) -> None:
    good, face = cv2.VideoCapture(str(clip)).read()
    assert good
    blocks = np.random.default_rng(0).integers(0, 256, (18, 32, 4), np.uint8)
    noise = cv2.resize(blocks, (640, 360), interpolation=cv2.INTER_NEAREST)
    noise[..., 3] = np.linspace(0, 255, 640).astype(np.uint8)
    for name, picture in (("face", face), ("noise", noise), ("small", noise[60:300, 200:520])):
        assert cv2.imwrite(str(folder / f"{name}.png"), picture)
    (folder / "clip.mp4").symlink_to(clip)


def test_the_struct_is_the_one_of_the_headers() -> None:
    """Offsets compiled from ``libobs/obs-source.h`` of OBS 28 to 32.2."""
    info = abi.SourceInfo
    offsets = {n: getattr(info, n).offset for n in ("output_flags", "video_render", "icon_type", "version")}

    assert offsets == {"output_flags": 12, "video_render": 120, "icon_type": 288, "version": 368}
    assert info.unversioned_id.offset == 376


def test_registers(seen: Seen) -> None:
    known = seen.report["registration"]

    assert known["struct_bytes"] == 384
    assert ID not in known["before"] and known["after"].count(ID) == 1
    assert CAMERA_ID not in known["before"] and known["after"].count(CAMERA_ID) == 1
    assert known[ID]["display_name"] == NAME and known[CAMERA_ID]["display_name"] == CAMERA_NAME
    assert known[ID]["output_flags"] == FLAGS
    assert known[CAMERA_ID]["output_flags"] == CAMERA_FLAGS
    if seen.version == VERSION:
        assert known["version"] == VERSION


def test_libobs_complains_of_what_is_wrong_and_not_of_us(seen: Seen) -> None:
    complaints = [line for line in seen.log if "obs_register_source" in line or line.startswith("error:")]

    assert len(complaints) == 1 and "with size 4096 which is more than libobs" in complaints[0]
    assert "facelive_too_large" not in seen.report["registration"]["after"]


def test_a_filter_is_what_was_registered(seen: Seen) -> None:
    still = seen.report["still"]

    assert still["flags"] == abi.SOURCE_VIDEO | abi.SOURCE_SRGB
    assert still["type"] == abi.SOURCE_TYPE_FILTER


def test_defaults_are_the_schemas(seen: Seen) -> None:
    assert [seen.report["registration"][kind]["defaults"] for kind in (ID, CAMERA_ID)] == [DEFAULTS] * 2
    assert seen.report["still"]["defaults"] == DEFAULTS
    assert seen.report["still"]["settings"] == {"badge": "off"}


def test_the_panel_is_the_schema(seen: Seen, home: Home) -> None:
    expected: list[dict[str, Any]] = []
    last_of_engine = [field.name for field in fields.fields() if field.group == "Engine"][-1]
    for field in fields.fields():
        if f"group_{field.group.lower()}" not in [p["name"] for p in expected]:
            if field.group == "Privacy":
                expected += _adding()
            expected.append(_property(f"group_{field.group.lower()}", "group", field.group))
        about = {"title": field.title, "help": field.help}
        if field.kind == "bool":
            expected.append(_property(field.name, "bool", **about))
        elif field.kind == "int":
            limits = {"range": [field.low, field.high], "step": 1, "unit": f" {field.unit}"}
            expected.append(_property(field.name, "int", **about) | limits)
        else:
            names = home.persona_titles()
            personas = {"": f"First one ({next(iter(names.values()))})", **names}
            lists = {
                "persona": personas,
                "engine": {MESH: "Mesh (built in)", **home.swapper_titles()},
                "enhancer": {"": "None", **home.enhancer_titles()},
            }
            choices = lists.get(field.name, field.choices)
            expected.append(_property(field.name, "list", **about) | {"choices": choices})
        if field.name == "privacy":
            expected.append(_property("privacy_note", "text", PRIVACY_NOTE))
        if field.name == "others":
            expected.append(_property("remember", "button", "Remember my face (2 seconds)"))
        if field.name == last_of_engine:
            expected.append(_property("restart", "button", "Restart the engine"))
    panel = seen.report["face"]["panel"]
    # What is listed depends on what the engine has written down; see `tests.unit.test_getting`.
    got = {name: _without_getting(shown) for name, shown in panel.items() if name in ("kind", "filter")}

    assert got["kind"] == expected
    assert got["filter"][1:] == expected
    status = panel["filter"][0]
    assert (status["name"], status["type"]) == ("status", "text") and status["title"].startswith(("LIVE", "HOLD"))


def _without_getting(panel: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The panel but for its part that gets a model, which must be there."""
    names = [item["name"] for item in panel]
    first, last = names.index("group_get"), names.index(panel_get.BUTTON)
    assert panel[first] == _property("group_get", "group", panel_get.TITLE)
    assert panel[first + 1]["name"] == GET_FILE and panel[first + 1]["type"] == "list"
    assert panel[last] == _property(panel_get.BUTTON, "button", "Get this model")
    return panel[:first] + panel[last + 1 :]


def _adding() -> list[dict[str, Any]]:
    """The panel's part that adds a persona, before a photo was chosen."""
    help = panel_persona.HELP
    return [
        _property("group_add", "group", panel_persona.TITLE),
        _property(order.PHOTO, "path", "Add a photo…", help[order.PHOTO]),
        _property(order.NAME, "text", "Name"),
        _property(order.WHOSE_FACE, "list", "Whose face", help[order.WHOSE_FACE])
        | {"choices": dict([("", "Choose…"), *order.WHOSE.items()])},
        _property(order.BY, "text", "Permission given by", help[order.BY]),
        _property(order.PURPOSE, "text", "For what", help[order.PURPOSE]),
        _property(panel_persona.USES, "text", refused.WORDS),
        _property(panel_persona.BUTTON, "button", "Add this persona"),
    ]


def test_the_cameras_panel_has_a_list_of_cameras(seen: Seen) -> None:
    panel = {item["name"]: item for item in seen.report["camera"]["panel"]}

    assert set(panel) == {p["name"] for p in seen.report["face"]["panel"]["filter"]} | {"camera", "group_camera"}
    assert panel["camera"]["choices"] == {"": "Choose a source", "face": "face", "noise": "noise", "Scene": "Scene"}
    assert panel["privacy_note"]["title"] == CAMERA_PRIVACY_NOTE


def _property(name: str, kind: str, title: str, help: str = "") -> dict[str, Any]:
    return {"name": name, "type": kind, "title": title, "help": help}


def test_the_panels_button_makes_another_engine(seen: Seen) -> None:
    before, after = seen.report["face"]["panel"]["engines"]

    assert before != after and min(before, after) > 0


@pytest.mark.parametrize("name", ["open", "camera", "back", "disabled", "new_canvas"])
def test_what_is_bare_is_bare_to_the_byte(seen: Seen, name: str) -> None:
    bare = seen.picture("noise")

    assert bare.shape == (360, 640, 4) and bare.std() > 30
    np.testing.assert_array_equal(seen.picture(name), bare)


@pytest.mark.parametrize(("name", "reason"), [("no_face", "no face"), ("off", "swap is off")])
def test_what_is_covered_shows_nothing(seen: Seen, name: str, reason: str) -> None:
    above = slice(0, 300)  # the caption is below
    cover, bare = seen.picture(name), seen.picture("noise")

    assert cover.shape == bare.shape and cover.mean() > 20
    assert detail(cover[above]) < 0.2 * detail(bare[above])
    assert seen.report["still"][name]["state"] == "cover" and seen.report["still"][name]["reason"] == reason


def test_size_changes(seen: Seen) -> None:
    still = seen.report["still"]

    assert still["no_face"]["size"] == [640, 360] and still["small"]["size"] == [320, 240]
    small = seen.picture("small")
    assert small.shape == (240, 320, 4) and small.std() > 30
    np.testing.assert_array_equal(small, seen.picture("small_bare"))
    assert still["captures_of_nothing"] == 0
    assert still["end"]["size"] == [640, 360]


def test_disabled_is_not_called(seen: Seen) -> None:
    assert seen.report["still"]["renders_while_disabled"] == 0


def test_wears_a_persona_and_leaves_the_room_alone(seen: Seen) -> None:
    shown, bare, other = (seen.picture(name) for name in ("face", "face_bare", "other_persona"))

    assert shown.shape == bare.shape == (720, 1280, 4)
    np.testing.assert_array_equal(shown[ROOM], bare[ROOM])
    np.testing.assert_array_equal(other[ROOM], bare[ROOM])
    assert difference(shown[HEAD], bare[HEAD]) > 3
    assert difference(other[HEAD], shown[HEAD]) > 1
    assert seen.report["face"]["live"]["persona"] == seen.report["face"]["personas"][0]


def test_hotkeys_switch_the_swap(seen: Seen) -> None:
    face = seen.report["face"]

    assert [name for name, _ in face["hotkeys"]] == [
        "facelive.next_persona",
        "facelive.previous_persona",
        "facelive.swap",
    ]
    assert face["swap_after_cover"] is False and face["swap_after_live"] is True
    assert face["hotkeys_without_script"] == []


def test_the_script_goes_and_comes(seen: Seen) -> None:
    face = seen.report["face"]

    assert face["engine_outlives_script"] is False
    before, after = face["engines_of_the_script"]
    assert before != after and min(before, after) > 0


def test_saved_and_loaded(seen: Seen) -> None:
    face = seen.report["face"]

    (saved,) = face["saved"]
    assert saved["id"] == ID and saved["settings"] == face["loaded"]
    assert face["loaded"] == {"badge": "off", "crossfade_ms": 0, "persona": face["personas"][-1], "swap": True}


def test_several_filters(seen: Seen) -> None:
    several = seen.report["several"]

    assert several["rows"] == 3 and several["engines"] == 1 and several["copies"] == 2
    clip = seen.picture("clip")
    assert clip.shape == (720, 1280, 4) and clip[..., :3].std() > 30 and clip[..., 3].min() == 255


def test_the_camera_shows_its_target_swapped_and_hides_it(seen: Seen) -> None:
    camera, shown, bare = seen.report["camera"], seen.picture("target_swapped"), seen.picture("target")

    assert (camera["type"], camera["flags"]) == (abi.SOURCE_TYPE_INPUT, CAMERA_FLAGS)
    np.testing.assert_array_equal(shown[ROOM], bare[ROOM])
    assert difference(shown[HEAD], bare[HEAD]) > 3
    assert camera["visible"] == ["noise", "FaceLive camera"]
    assert camera["active"] == [True, True, True]
    assert camera["status"]["kind"] == "camera" and camera["status"]["source"] == "face"
    assert camera["hotkeys"] == ["facelive.next_persona", "facelive.previous_persona", "facelive.swap"]
    np.testing.assert_array_equal(seen.picture("target_bypassed"), seen.picture("noise"))


def test_the_cameras_refusals(seen: Seen) -> None:
    assert seen.report["camera"]["refused"] == {
        "FaceLive camera": ["a FaceLive camera cannot show itself", 0],
        "Scene": ["Scene shows this FaceLive camera: choose another", 0],
        "nobody": ["there is no source named nobody", 0],
    }


def test_the_target_rests_when_the_camera_is_gone(seen: Seen) -> None:
    assert seen.report["camera"]["shown_afterwards"] is False


def test_no_bare_frame_and_no_bad_result(seen: Seen) -> None:
    report = seen.report
    notes = [report["still"][n] for n in ("no_face", "off", "open", "camera", "small", "end")]
    notes += [report["face"]["live"], report["face"]["again"], *report["several"]["filters"]]
    notes += [report["camera"]["renamed"], report["camera"]["end"]]

    assert [(n["raw_shown"], n["torn"], n["bad_results"]) for n in notes] == [(0, 0, 0)] * len(notes)


def test_nothing_leaks(seen: Seen) -> None:
    assert seen.report["leaks"] == 0
