"""The input "FaceLive camera" in a running OBS: what it shows, what it hides, and that without the script it is nothing.

The tests share one run of OBS and go from its beginning to its end; each of them also stands alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import obsws_python
import pytest

from obs_facelive.home import Home
from obs_facelive.obs.filter import CAMERA_ID
from obs_facelive.provenance.sidecar import beside, content, read
from obs_facelive.provenance.sources import pictures
from obs_facelive.provenance.verify import Verifier
from tests.obs import driving
from tests.obs.conftest import SCRIPT
from tests.obs.driving import HEAD, ROOM, add_filter, difference, fresh, is_live, remove_filter, unrecognisable
from tests.obs.recording import distance_to_nearest, heads, luma
from tools.obs_config import Collection, Filter, Item, Scene, Video, camera, media
from tools.obs_session import ObsSession
from tools.waiting import wait_for

WEBCAM = "webcam"
OURS = "FaceLive"
"""The FaceLive camera, named as the helpers in `driving` expect it."""


@pytest.fixture(scope="module")
def clip(camera_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's camera with a tone as its sound."""
    out = tmp_path_factory.mktemp("clips") / "sounding.mkv"
    with av.open(camera_clip) as source, av.open(out, "w") as made:
        given = source.streams.video[0]
        video, audio = made.add_stream_from_template(given), made.add_stream("pcm_s16le", rate=48000, layout="mono")
        for packet in source.demux(given):
            if packet.dts is not None:
                packet.stream = video
                made.mux(packet)
        seconds = float(given.duration * given.time_base) if given.duration and given.time_base else 10.0
        wave = np.sin(np.arange(int(48000 * seconds)) * 2 * np.pi * 440 / 48000) * 8000
        for start in range(0, len(wave), 4800):
            frame = av.AudioFrame.from_ndarray(wave[None, start : start + 4800].astype(np.int16), "s16", "mono")
            frame.sample_rate, frame.pts = 48000, start
            made.mux(audio.encode(frame))
        made.mux(audio.encode(None))
    return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("camera")


@pytest.fixture(scope="module")
def obs(folder: Path, clip: Path, obs_env: dict[str, str]) -> Iterator[ObsSession]:
    collection = Collection(
        "Camera",
        [media(WEBCAM, clip), camera(WEBCAM, OURS), media("filtered", clip, [Filter("On it")])],
        [
            Scene("Scene", [Item(WEBCAM), Item(OURS)]),
            Scene("Bare", [Item(WEBCAM)]),
            Scene("Inner", [Item(WEBCAM, scale=0.5)]),
            Scene("Outer", [Item("Inner"), Item("Group"), Item(OURS, y=360, scale=0.5)]),
            Scene("Filtered", [Item("filtered")]),
        ],
        [SCRIPT],
        [Scene("Group", [Item(WEBCAM, x=640, scale=0.5)])],
    )
    with ObsSession(folder / "with", [collection], video=Video(fps=20), env=obs_env) as session:
        session.wait_status("the swapped face", is_live, seconds=60)
        yield session


def visible(obs: ObsSession, scene: str, source: str = WEBCAM) -> bool:
    """Whether the source's place in the scene is switched on."""
    items = obs.client.get_scene_item_list(scene).scene_items
    return any(item["sceneItemEnabled"] for item in items if item["sourceName"] == source)


def show(obs: ObsSession, scene: str, source: str = WEBCAM) -> None:
    """Switch it on, as a person does by its eye."""
    number = obs.client.get_scene_item_id(scene, source).scene_item_id
    obs.client.set_scene_item_enabled(scene, number, True)


def choose(obs: ObsSession, source: str) -> None:
    """Choose the camera in the panel."""
    obs.client.set_input_settings(OURS, {"camera": source}, True)


def settings(obs: ObsSession) -> dict[str, Any]:
    """Those that were ever set."""
    return dict(obs.client.get_input_settings(OURS).input_settings)


def nobody_was_shown(obs: ObsSession) -> bool:
    """Whether no bare frame was counted."""
    status = obs.status(OURS)
    return status is not None and status["raw_frames_shown"] == 0


def test_the_camera_is_swapped(obs: ObsSession) -> None:
    driving.pause(obs, WEBCAM)
    bare, shown, scene = (obs.picture(source) for source in (WEBCAM, OURS, "Scene"))
    driving.play(obs, WEBCAM)

    assert shown.shape == bare.shape == (720, 1280, 4)
    assert np.array_equal(shown[ROOM], bare[ROOM])
    assert difference(shown[HEAD], bare[HEAD]) > 3
    assert np.array_equal(scene[ROOM], shown[ROOM])
    assert difference(scene[HEAD], shown[HEAD]) < 1
    status = obs.wait_status("more of it", lambda s: s["frames_swapped"] > 20)
    assert (status["kind"], status["source"], status["raw_frames_shown"]) == ("camera", WEBCAM, 0)


def test_no_bare_frame_is_recorded(obs: ObsSession, camera_clip: Path) -> None:
    shown = distance_to_nearest(heads(obs.record(2.0)), heads(camera_clip))

    assert shown.min() > 3


def test_a_recording_with_a_swapped_face_says_so_beside_it_and_in_it(obs: ObsSession, home: Home) -> None:
    obs.client.set_current_scene_transition("Cut")  # else one scene fades into the other, on a busy machine for long
    obs.client.set_current_program_scene("Bare")
    obs.record(0.5)
    bare = obs.record(0.5)
    obs.client.set_current_program_scene("Scene")
    fresh(obs)
    obs.client.start_replay_buffer()
    film = obs.record(1.0)
    obs.client.save_replay_buffer()
    replay = Path(wait_for("the replay", lambda: obs.client.get_last_replay_buffer_replay().saved_replay_path, 20))

    wait_for("the replay's sidecar", lambda: beside(replay).exists() and read(replay).files[replay.name].sha256, 20)
    assert read(replay).swapped > 0
    obs.client.stop_replay_buffer()
    wait_for("the sidecar with its hash", lambda: beside(film).exists() and read(film).files[film.name].sha256, 20)
    note = read(film)
    (ours,) = note.cameras
    assert note.files == {film.name: content(film)} and ours.kind == "camera"
    assert 0 < ours.pictures.swapped <= ours.pictures.shown and ours.pictures.bare == 0
    assert [(w.kind, w.origin, w.swapped) for w in ours.worn] == [("synthetic", "shipped", note.swapped)]
    assert not beside(bare).exists()
    verify = Verifier(home.models)
    assert verify(pictures(str(film), 1)).is_marked, "the invisible mark outlives OBS's encoder"
    assert not verify(pictures(str(bare), 1)).is_marked


def test_it_is_hidden_where_the_swapped_one_is_seen(obs: ObsSession) -> None:
    assert not visible(obs, "Scene")
    assert not visible(obs, "Inner")  # seen in "Outer"
    assert not any(i["sceneItemEnabled"] for i in obs.client.get_group_scene_item_list("Group").scene_items)
    assert visible(obs, "Bare")
    assert all(visible(obs, "Outer", source) for source in (OURS, "Inner", "Group"))
    status = obs.wait_status("the note", lambda s: "hidden" in s["note"])
    assert status["note"] == f"{WEBCAM} itself is hidden in Group, Inner, Scene"


def test_it_is_hidden_again_unless_privacy_is_off(obs: ObsSession) -> None:
    show(obs, "Scene")
    assert wait_for("it to be hidden", lambda: not visible(obs, "Scene"), 5)

    obs.client.set_input_settings(OURS, {"privacy": False}, True)
    obs.wait_status("no note", lambda s: not s["note"])
    show(obs, "Scene")
    fresh(obs, 10)
    assert visible(obs, "Scene")

    obs.client.set_input_settings(OURS, {"privacy": True}, True)
    assert wait_for("it to be hidden", lambda: not visible(obs, "Scene"), 5)
    fresh(obs)


def test_what_is_hidden_is_saved_at_once(obs: ObsSession, folder: Path) -> None:
    show(obs, "Scene")

    def hidden() -> bool:
        saved = {s["name"]: s["settings"] for s in saved_collection(folder)["sources"]}
        return not next(i["visible"] for i in saved["Scene"]["items"] if i["name"] == WEBCAM)

    assert wait_for("it to be hidden in the file", hidden, 5)


def saved_collection(folder: Path) -> dict[str, Any]:
    """The collection, as OBS saved it last."""
    (file,) = (folder / "with").rglob("scenes/Camera.json")
    return dict(json.loads(file.read_text()))


def test_it_is_active_while_the_swapped_one_is(obs: ObsSession) -> None:
    def active() -> tuple[bool, bool]:
        answer = obs.client.get_source_active(WEBCAM)
        return answer.video_active, answer.video_showing

    obs.client.set_current_program_scene("Filtered")
    wait_for("it to rest", lambda: active() == (False, False), 10)
    obs.client.set_current_program_scene("Scene")
    wait_for("it to be active", lambda: active() == (True, True), 10)
    fresh(obs)
    assert nobody_was_shown(obs)


def test_its_sound_is_heard(obs: ObsSession) -> None:
    with av.open(obs.record(1.5)) as recorded:
        sound = np.concatenate([frame.to_ndarray().ravel() for frame in recorded.decode(audio=0)])
    assert 0.01 < np.sqrt(np.mean(sound.astype(np.float64) ** 2)) < 0.5


def test_off_covers_it_and_shows_it_only_without_privacy(obs: ObsSession) -> None:
    driving.pause(obs, WEBCAM)
    bare = obs.picture(WEBCAM)
    obs.client.set_input_settings(OURS, {"swap": False}, True)
    obs.wait_status("the cover", lambda s: s["state"] == "cover" and s["reason"] == "swap is off")
    assert unrecognisable(obs.picture(OURS), bare)
    assert nobody_was_shown(obs)

    obs.client.set_input_settings(OURS, {"privacy": False}, True)
    obs.wait_status("the camera", lambda s: s["state"] == "bypass")
    assert np.array_equal(obs.picture(OURS), bare)

    obs.client.set_input_settings(OURS, {"privacy": True, "swap": True}, True)
    driving.play(obs, WEBCAM)
    fresh(obs)


def test_hotkeys(obs: ObsSession) -> None:
    for state, on in (("cover", False), ("live", True)):
        obs.client.trigger_hot_key_by_name("facelive.swap")
        obs.wait_status(state, lambda s, state=state: s["state"] == state)  # type: ignore[misc]
        assert settings(obs)["swap"] is on


def test_it_is_followed_when_it_is_renamed(obs: ObsSession) -> None:
    for before, after in ((WEBCAM, "another name"), ("another name", WEBCAM)):
        obs.client.set_input_name(before, after)
        obs.wait_status("the new name", lambda s, after=after: s["source"] == after)  # type: ignore[misc]
        wait_for("the setting", lambda after=after: settings(obs)["camera"] == after, 5)  # type: ignore[misc]
        fresh(obs)
    assert nobody_was_shown(obs)


def test_its_size_changes(obs: ObsSession) -> None:
    obs.client.create_source_filter(WEBCAM, "Scale", "scale_filter", {"resolution": "640x360"})
    obs.wait_status("the new size", lambda s: (s["width"], s["height"]) == (640, 360) and is_live(s))
    fresh(obs)
    assert obs.picture(OURS).shape == (360, 640, 4)
    obs.client.remove_source_filter(WEBCAM, "Scale")
    obs.wait_status("the old size", lambda s: s["width"] == 1280 and is_live(s))
    assert nobody_was_shown(obs)


@pytest.mark.parametrize("scene", ["Bare", "Scene"])
def test_it_comes_and_goes(obs: ObsSession, clip: Path, scene: str) -> None:
    def create() -> None:
        obs.client.create_input(scene, "second", "ffmpeg_source", {"local_file": str(clip), "looping": True}, True)

    def ended() -> bool:
        obs.picture("Bare", 64)  # a scene keeps what was removed until it is seen again
        return "second" not in [i["inputName"] for i in obs.client.get_input_list().inputs]

    create()
    choose(obs, "second")
    obs.wait_status("the other camera", lambda s: s["source"] == "second")
    fresh(obs)
    assert wait_for("it to be where it belongs", lambda: visible(obs, scene, "second") is (scene == "Bare"), 5)

    obs.client.remove_input("second")
    obs.wait_status("nothing", lambda s: s["note"] == "there is no source named second" and s["state"] == "empty")
    assert wait_for("no picture", lambda: not obs.picture("Scene")[..., :3].any(), 10)

    wait_for("its end", ended, 10)
    create()
    obs.wait_status("the other camera", lambda s: s["source"] == "second")
    fresh(obs)
    choose(obs, "")
    obs.wait_status("the question", lambda s: s["note"] == "choose a camera" and s["state"] == "empty")
    obs.client.remove_input("second")
    wait_for("its end", ended, 10)
    choose(obs, WEBCAM)
    obs.wait_status("the first camera", lambda s: s["source"] == WEBCAM)
    fresh(obs)
    assert nobody_was_shown(obs)


@pytest.mark.parametrize(
    ("source", "refusal"),
    [
        (OURS, "a FaceLive camera cannot show itself"),
        ("Scene", "Scene shows this FaceLive camera: choose another"),
        ("nobody", "there is no source named nobody"),
    ],
)
def test_what_it_cannot_show_is_refused_in_words(obs: ObsSession, source: str, refusal: str) -> None:
    choose(obs, source)
    obs.wait_status("the refusal", lambda s: s["note"] == refusal and s["state"] == "empty")
    assert not obs.picture("Scene")[..., :3].any()
    choose(obs, WEBCAM)
    fresh(obs)


def test_a_scene_that_it_shows_cannot_take_it_in(obs: ObsSession) -> None:
    choose(obs, "Filtered")
    obs.wait_status("the scene", lambda s: s["source"] == "Filtered")
    with pytest.raises(obsws_python.error.OBSSDKRequestError):
        obs.client.create_scene_item("Filtered", OURS)
    choose(obs, WEBCAM)
    fresh(obs)


def test_a_filter_on_it_is_one_too_many(obs: ObsSession) -> None:
    add_filter(obs, WEBCAM, "Too many")
    obs.wait_status("the note", lambda s: "webcam has a FaceLive filter, too: remove one of the two" in s["note"])
    remove_filter(obs, WEBCAM, "Too many")
    obs.wait_status("no such note", lambda s: "filter" not in s["note"])
    fresh(obs)


@dataclass(frozen=True)
class _Saved(Collection):
    """A collection as OBS saved it, and no script."""

    saved: dict[str, Any] | None = None

    def json(self) -> dict[str, Any]:
        return {**(self.saved or {}), "modules": {}}


def test_nothing_is_seen_without_the_script(obs: ObsSession, folder: Path) -> None:
    obs.quit()
    assert obs.leaks() == 0
    saved = saved_collection(folder)
    collection = _Saved("Camera", [], [], saved=saved)

    with ObsSession(folder / "without", [collection], video=Video(fps=20)) as bare:
        assert f"Source ID '{CAMERA_ID}' not found" in bare.log()
        # The camera itself plays: only its place is hidden. The filter lets it through.
        filtered = wait_for("the filtered one", lambda: _lit(bare, "Filtered"), 20)
        assert filtered > 20
        assert bare.picture("Bare")[HEAD].std() > 10
        for scene in ("Scene", "Outer"):
            assert not bare.picture(scene)[..., :3].any()
        bare.client.set_current_program_scene("Scene")
        recorded = list(luma(bare.record(1.0)))
        bare.quit()
        assert bare.leaks() == 0
    assert len(recorded) > 5 and max(int(frame.max()) for frame in recorded) <= 16


def _lit(obs: ObsSession, scene: str) -> float:
    """How much of a picture there is in a scene."""
    return float(obs.picture(scene)[..., :3].std())
