"""The filter in a running OBS, driven over obs-websocket: a person's whole session, in one run of OBS.

The tests share that run and go from its beginning to its end; each of them also stands alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from obs_facelive.home import Home
from obs_facelive.obs.filter import ID
from obs_facelive.settings import Settings
from tests.obs import driving
from tests.obs.conftest import SCRIPT, one_camera
from tests.obs.driving import (
    CAMERA,
    FILTER,
    HEAD,
    ROOM,
    add_filter,
    bare_picture,
    change,
    difference,
    fresh,
    gone,
    is_live,
    remove_filter,
    unrecognisable,
)
from tools.obs_config import Collection, Filter, Item, Scene, Video, colour, media
from tools.obs_session import ObsSession
from tools.scripts_dialog import reload_first_script, remove_first_script
from tools.waiting import wait_for


@pytest.fixture(scope="module")
def obs(tmp_path_factory: pytest.TempPathFactory, camera_clip: Path, obs_env: dict[str, str]) -> Iterator[ObsSession]:
    first = Collection(
        "First",
        [
            media("camera", camera_clip),
            media("nothing", ""),
            colour("plain", 320, 180, abgr=0xFF20C040),
            colour("glass", 320, 180, abgr=0x8020C040),
        ],
        [
            Scene("Scene", [Item("camera")]),
            Scene("Twice", [Item("camera", scale=0.5), Item("camera", x=640, scale=0.5)]),
            Scene("Others", [Item("nothing"), Item("plain"), Item("glass", x=640)]),
        ],
        [SCRIPT],
    )
    other = one_camera(camera_clip, Filter("Other"), name="Other")
    video = Video(fps=20)  # leaves two cores time for the rest
    with ObsSession(tmp_path_factory.mktemp("obs"), [first, other], video=video, env=obs_env) as session:
        yield session


@pytest.fixture
def camera(obs: ObsSession) -> Iterator[ObsSession]:
    """OBS with one filter, on the playing camera, live, with the defaults."""
    driving.play(obs)
    add_filter(obs)
    try:
        obs.wait_status("the swapped face", is_live, seconds=60)
        yield obs
    finally:
        remove_filter(obs)


@pytest.fixture
def still(camera: ObsSession) -> ObsSession:
    """The same, on a frame that stands still, so that pictures can be compared."""
    driving.pause(camera)
    return camera


def nobody_was_shown(obs: ObsSession, name: str = FILTER) -> bool:
    """Whether the filter counted no bare frame."""
    status = obs.status(name)
    return status is not None and status["raw_frames_shown"] == 0


def test_defaults_are_the_schemas(obs: ObsSession) -> None:
    answer = obs.client.get_source_filter_default_settings(ID)

    assert answer.default_filter_settings == msgspec.structs.asdict(Settings())


def test_wears_a_persona_and_leaves_the_room_alone(still: ObsSession) -> None:
    shown, bare = still.picture(CAMERA), bare_picture(still)

    assert shown.shape == bare.shape == (720, 1280, 4)
    assert np.array_equal(shown[ROOM], bare[ROOM])
    assert difference(shown[HEAD], bare[HEAD]) > 3
    assert nobody_was_shown(still)


def test_settings_change_the_picture_while_live(still: ObsSession) -> None:
    before = still.picture(CAMERA)
    for settings in (
        {"mask_size": -30},
        {"colour_match": 0},
        {"keep_eyes": False},
        {"view": "landmarks"},
        {"view": "mask"},
    ):
        change(still, {**msgspec.structs.asdict(Settings()), **settings})
        after = still.picture(CAMERA)
        assert difference(after[HEAD], before[HEAD]) > 0.1, settings
        assert np.array_equal(after[ROOM], before[ROOM]), settings
    assert nobody_was_shown(still)


def test_the_persona_changes_while_live(still: ObsSession, home: Home) -> None:
    other = home.persona_names()[-1]
    before = still.picture(CAMERA)
    states = set()

    def changed(status: dict[str, Any]) -> bool:
        states.add(status["state"])
        return bool(status["persona"] == other and status["applied_seq"] >= status["settings_seq"])

    still.client.set_source_filter_settings(CAMERA, FILTER, {"persona": other, "crossfade_ms": 0}, True)
    still.wait_status("the other persona", changed)
    fresh(still)

    assert difference(still.picture(CAMERA)[HEAD], before[HEAD]) > 1
    assert states <= {"live", "hold"}
    assert nobody_was_shown(still)


def test_an_unknown_persona_is_said_and_never_bares_the_face(still: ObsSession) -> None:
    still.client.set_source_filter_settings(CAMERA, FILTER, {"persona": "nobody of that name"}, True)

    status = still.wait_status("the complaint", lambda s: "nobody of that name" in s["last_error"])

    assert status["raw_frames_shown"] == 0
    assert difference(still.picture(CAMERA)[HEAD], bare_picture(still)[HEAD]) > 3


def test_no_opacity_shows_the_person_as_they_asked(still: ObsSession) -> None:
    change(still, {"opacity": 0, "badge": "off"})

    assert difference(still.picture(CAMERA)[HEAD], bare_picture(still)[HEAD]) < 1


def test_the_badge_goes_where_it_is_told(still: ObsSession) -> None:
    bare = bare_picture(still)
    right = still.picture(CAMERA)
    change(still, {"badge": "top-left"})
    left = still.picture(CAMERA)

    corners = {"left": (slice(0, 100), slice(0, 200)), "right": (slice(0, 100), slice(1080, 1280))}
    assert difference(right[corners["right"]], bare[corners["right"]]) > 1
    assert difference(left[corners["left"]], bare[corners["left"]]) > 1
    assert np.array_equal(left[corners["right"]], bare[corners["right"]])


def test_off_covers_the_camera(still: ObsSession) -> None:
    still.client.set_source_filter_settings(CAMERA, FILTER, {"swap": False}, True)
    still.wait_status("the cover", lambda s: s["state"] == "cover" and s["reason"] == "swap is off")

    shown, bare = still.picture(CAMERA), bare_picture(still)

    assert unrecognisable(shown, bare)
    assert np.abs(shown[..., 3].astype(int) - bare[..., 3].astype(int)).max() <= 1
    assert nobody_was_shown(still)


def test_off_without_privacy_shows_the_camera(still: ObsSession) -> None:
    still.client.set_source_filter_settings(CAMERA, FILTER, {"swap": False, "privacy": False}, True)
    still.wait_status("the camera", lambda s: s["state"] == "bypass")

    assert np.array_equal(still.picture(CAMERA), bare_picture(still))


def test_hotkeys(camera: ObsSession, home: Home) -> None:
    def setting(key: str) -> Any:
        return camera.client.get_source_filter(CAMERA, FILTER).filter_settings.get(key)

    names = home.persona_names()
    camera.client.trigger_hot_key_by_name("facelive.swap")
    camera.wait_status("the cover", lambda s: s["state"] == "cover")
    assert setting("swap") is False
    camera.client.trigger_hot_key_by_name("facelive.swap")
    camera.wait_status("the swapped face", is_live)
    assert setting("swap") is True

    camera.client.trigger_hot_key_by_name("facelive.next_persona")
    camera.wait_status("the next persona", lambda s: s["persona"] == names[1])
    assert setting("persona") == names[1]
    assert nobody_was_shown(camera)


def test_disabled_and_enabled_again(still: ObsSession) -> None:
    rendered = still.wait_status("the filter", is_live)["frames_rendered"]
    bare = bare_picture(still)
    status = still.wait_status("the swapped face", lambda s: is_live(s) and s["frames_rendered"] > rendered + 10)

    assert status["raw_frames_shown"] == 0
    assert difference(still.picture(CAMERA)[HEAD], bare[HEAD]) > 3


def test_removed_and_added_again(camera: ObsSession) -> None:
    engine = camera.wait_status("the filter", is_live)["engine_pid"]
    for _ in range(3):
        remove_filter(camera)
        add_filter(camera)
        status = camera.wait_status("the swapped face", is_live)
        assert status["engine_pid"] == engine
    assert nobody_was_shown(camera)


def test_several_filters_share_one_engine(camera: ObsSession) -> None:
    client = camera.client
    client.set_current_program_scene("Twice")
    client.create_source_filter("Twice", "On a scene", ID)
    client.create_source_filter(CAMERA, "Behind the first", ID, {"persona": "zola"})
    try:
        statuses = [
            camera.wait_status("a swapped face", is_live, name=name)
            for name in (FILTER, "On a scene", "Behind the first")
        ]
        assert len({status["engine_pid"] for status in statuses}) == 1
        assert {status["source"] for status in statuses} == {CAMERA, "Twice"}
        assert [status["raw_frames_shown"] for status in statuses] == [0, 0, 0]
    finally:
        remove_filter(camera, "Twice", "On a scene")
        remove_filter(camera, CAMERA, "Behind the first")
        client.set_current_program_scene("Scene")


def test_a_source_in_several_places_is_captured_once_a_frame(camera: ObsSession) -> None:
    camera.client.set_current_program_scene("Twice")
    before = fresh(camera)
    after = camera.wait_status("frames", lambda s: s["frames_rendered"] > before["frames_rendered"] + 60)
    camera.client.set_current_program_scene("Scene")

    rendered = after["frames_rendered"] - before["frames_rendered"]
    captured = after["frames_captured"] - before["frames_captured"]
    assert captured <= 0.6 * rendered


def test_scenes_change_while_live(camera: ObsSession) -> None:
    for scene in ("Others", "Twice", "Scene") * 3:
        camera.client.set_current_program_scene(scene)
    fresh(camera)
    assert nobody_was_shown(camera)


def test_a_source_of_no_size_comes_to_life(obs: ObsSession, camera_clip: Path) -> None:
    client = obs.client
    client.set_current_program_scene("Others")
    add_filter(obs, "nothing", "Late")
    try:
        obs.wait_status("the filter", lambda s: s["width"] == 0, name="Late")
        client.set_input_settings("nothing", {"local_file": str(camera_clip)}, True)
        status = obs.wait_status("the swapped face", is_live, name="Late")
        assert (status["width"], status["height"]) == (1280, 720)
        assert nobody_was_shown(obs, "Late")
        client.set_input_settings("nothing", {"local_file": ""}, True)
    finally:
        remove_filter(obs, "nothing", "Late")
        client.set_current_program_scene("Scene")


@pytest.mark.parametrize("resolution", ["640x360", "1920x1080", "853x480"])
def test_the_size_changes_while_live(camera: ObsSession, resolution: str) -> None:
    camera.client.create_source_filter(CAMERA, "Scale", "scale_filter", {"resolution": resolution})
    try:
        camera.client.set_source_filter_index(CAMERA, "Scale", 0)
        size = tuple(int(n) for n in resolution.split("x"))
        camera.wait_status("the new size", lambda s: (s["width"], s["height"]) == size and is_live(s))
        fresh(camera)
        rows, columns = np.nonzero(camera.picture("Scene")[..., :3].max(axis=2))
        assert (int(columns.max()) + 1, int(rows.max()) + 1) == (min(size[0], 1280), min(size[1], 720))
        assert nobody_was_shown(camera)
    finally:
        camera.client.remove_source_filter(CAMERA, "Scale")
    camera.wait_status("the old size", lambda s: s["width"] == 1280 and is_live(s))


def test_transparent_stays_transparent(still: ObsSession) -> None:
    still.client.create_source_filter(CAMERA, "Fade", "color_filter_v2", {"opacity": 0.5})
    try:
        still.client.set_source_filter_index(CAMERA, "Fade", 0)
        fresh(still)
        shown, bare = still.picture(CAMERA), bare_picture(still)
        assert 120 <= np.median(bare[..., 3]) <= 135
        assert np.abs(shown[ROOM].astype(int) - bare[ROOM].astype(int)).max() <= 1
        assert difference(shown[HEAD], bare[HEAD]) > 1
    finally:
        still.client.remove_source_filter(CAMERA, "Fade")


@pytest.mark.parametrize("source", ["plain", "glass"])
def test_no_face_is_covered(obs: ObsSession, source: str) -> None:
    obs.client.set_current_program_scene("Others")
    add_filter(obs, source, "Empty")
    try:
        status = obs.wait_status("the cover", lambda s: s["reason"] == "no face", name="Empty")
        assert status["state"] == "cover"
        change_to = {"no_face": "camera"}
        obs.client.set_source_filter_settings(source, "Empty", change_to, True)
        obs.wait_status("the camera", lambda s: s["state"] == "bypass", name="Empty")
        assert np.abs(obs.picture(source).astype(int) - bare_picture(obs, source, "Empty").astype(int)).max() <= 1
    finally:
        remove_filter(obs, source, "Empty")
        obs.client.set_current_program_scene("Scene")


def test_scene_collections_change(camera: ObsSession) -> None:
    for _ in range(2):
        camera.client.set_current_scene_collection("Other")
        camera.wait_status("the other collection's swapped face", is_live, name="Other", seconds=60)
        gone(camera)
        assert nobody_was_shown(camera, "Other")
        camera.client.set_current_scene_collection("First")
        gone(camera, "Other")
        camera.wait_status("the swapped face", is_live, seconds=60)
        assert nobody_was_shown(camera)


def test_the_script_is_reloaded(camera: ObsSession, home: Home) -> None:
    engines = {camera.wait_status("the filter", is_live)["engine_pid"]}
    for _ in range(2):
        reload_first_script(camera)
        status = camera.wait_status(
            "another engine", lambda s: is_live(s) and s["engine_pid"] not in engines, seconds=60
        )
        engines.add(status["engine_pid"])
        assert status["raw_frames_shown"] == 0
    change(camera, {"persona": home.persona_names()[1]})


def test_the_script_is_removed_and_obs_quits(obs: ObsSession) -> None:
    driving.play(obs)
    add_filter(obs)
    obs.wait_status("the swapped face", is_live, seconds=60)
    driving.pause(obs)
    remove_first_script(obs)

    def covered() -> bool:
        return unrecognisable(obs.picture(CAMERA), bare_picture(obs))

    wait_for("the cover without the script", covered, 10)

    obs.quit()

    assert obs.leaks() == 0
    ours = [line for line in obs.output().splitlines() if line.startswith("error:")]
    assert [line for line in ours if "facelive" in line.lower() or "python" in line.lower()] == []
    assert "Traceback" not in obs.output()
