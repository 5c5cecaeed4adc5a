"""Networks that a person brings, in a running OBS: chosen, changed while recording, and refused where they are broken.

The networks are stand-ins (`tools.stand_ins`): of the contracts' structure, with random weights.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from obs_facelive.brought import add_model, find_model, remove_model
from obs_facelive.home import BROUGHT_FILE, Home
from obs_facelive.personas.library import load_info
from obs_facelive.settings import MESH
from tests.obs.conftest import one_camera
from tests.obs.driving import CAMERA, FILTER, HEAD, bare_picture, change, difference, is_live
from tests.obs.recording import distance_to_nearest, heads
from tests.real_person import NAME, add_real_persona, consent_to, home_with
from tests.unit.test_out_of_memory import TOO_MANY, hungry
from tools.obs_config import Filter, Video
from tools.obs_session import ObsSession
from tools.stand_ins.build import write
from tools.stand_ins.gfpgan import gfpgan

WIDTH = 0.0625
"""Share of the real networks' channels."""
SWAPPERS = "inswapper_128.onnx", "hyperswap_1a_256.onnx"
ENHANCER = "GFPGANv1.4.onnx"
HUNGRY = "hungry.onnx"
"""It wants more memory than there is."""
MORE = (
    "ghost_1_256.onnx",
    "simswap_256.onnx",
    "hififace_unofficial_256.onnx",
    "blendswap_256.onnx",
    "uniface_256.onnx",
    "cscs_256.onnx",
)
"""Long forms."""
COMPANIONS = (
    "w600k_r50.onnx",
    *(f"crossface_{name}.onnx" for name in ("ghost", "simswap", "hififace")),
    *("cscs_arcface_model.onnx", "cscs_id_adapter.onnx"),
)
TRAINED = "saehd_224.dfm", "amp_224.dfm"


@pytest.fixture(scope="module")
def own(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home of its own, with networks."""
    made = home_with(home, tmp_path_factory.mktemp("own") / "home")
    # Not those of everybody else: networks come to them.
    (made.root / "models").unlink()
    shutil.copytree(home.models, made.models)
    folder = tmp_path_factory.mktemp("networks")
    for file in (*SWAPPERS, *MORE, *COMPANIONS, *TRAINED):
        add_model(made, write(folder, file, WIDTH))
    (folder / ENHANCER).write_bytes(gfpgan(WIDTH, 256).SerializeToString())  # at 512 too slow without a graphics card
    add_model(made, folder / ENHANCER)
    (folder / HUNGRY).write_bytes(hungry("runs", TOO_MANY))
    add_model(made, folder / HUNGRY)
    add_real_persona(made, made.personas)
    return made


@pytest.fixture(scope="module")
def obs(
    own: Home, tmp_path_factory: pytest.TempPathFactory, camera_clip: Path, obs_env: dict[str, str]
) -> Iterator[ObsSession]:
    collection = one_camera(camera_clip, Filter(settings={"most_delay": 500, "hold_ms": 5000}))
    env = {**obs_env, "FACELIVE_HOME": str(own.root)}
    with ObsSession(tmp_path_factory.mktemp("obs"), [collection], video=Video(fps=10), env=env) as session:
        session.wait_status("the swapped face", is_live, seconds=60)
        yield session


@pytest.mark.slow
@pytest.mark.parametrize("engine", [*SWAPPERS, *MORE])
def test_a_network_makes_the_face(obs: ObsSession, engine: str) -> None:
    status = change(obs, {"engine": engine})
    assert status["last_error"] == "" and status["raw_frames_shown"] == 0
    assert difference(obs.picture(CAMERA)[HEAD], bare_picture(obs)[HEAD]) > 3


@pytest.mark.slow
@pytest.mark.parametrize("file", TRAINED)
def test_a_trained_face_is_worn_with_its_persona(obs: ObsSession, own: Home, file: str) -> None:
    before = own.persona_names()[0]
    assert before != NAME
    folder = own.personas / NAME
    info = msgspec.structs.replace(load_info(folder), trained=find_model(own, file).sha256)
    (folder / "persona.json").write_bytes(msgspec.json.encode(info))
    consent_to(folder)
    status = change(obs, {"engine": file, "persona": NAME})
    assert status["last_error"] == "" and status["raw_frames_shown"] == 0
    assert difference(obs.picture(CAMERA)[HEAD], bare_picture(obs)[HEAD]) > 3
    status = change(obs, {"engine": MESH, "persona": before})
    assert status["raw_frames_shown"] == 0


@pytest.mark.slow
def test_a_swapper_without_its_converter_says_what_is_missing(obs: ObsSession, own: Home) -> None:
    change(obs, {"engine": SWAPPERS[1]})
    content = (own.models / COMPANIONS[1]).read_bytes()
    remove_model(own, COMPANIONS[1])
    try:
        status = refused(obs, {"engine": MORE[0]}, COMPANIONS[1].removesuffix(".onnx"))
        assert "facelive model" in status["last_error"]
        assert is_live(obs.wait_status("the face before", is_live))
    finally:
        (own.models / COMPANIONS[1]).write_bytes(content)
        add_model(own, own.models / COMPANIONS[1])
    obs.wait_status("the network that has its converter again", lambda s: s["last_error"] == "" and is_live(s))


def test_engines_change_while_recording_and_nothing_bare_is_seen(obs: ObsSession, camera_clip: Path) -> None:
    wanted = [*SWAPPERS, MESH, SWAPPERS[0]]
    worn: list[str] = []

    def through() -> bool:
        worn.append(wanted[len(worn)])
        change(obs, {"engine": worn[-1]})
        return len(worn) == len(wanted)

    recorded = heads(obs.record(through, seconds=120))
    assert distance_to_nearest(recorded, heads(camera_clip)).min() > 2, "a bare frame"
    status = obs.wait_status("the swapped face", is_live)
    assert status["raw_frames_shown"] == 0


@pytest.mark.slow
def test_an_enhancer_comes_and_goes_while_recording_and_nothing_bare_is_seen(
    obs: ObsSession, own: Home, camera_clip: Path
) -> None:
    # Else a slow computer goes without detail.
    change(obs, {"engine": MESH, "enhancer": "", "quality": "full"})
    wanted: list[dict[str, Any]] = [
        {"enhancer": ENHANCER},
        {"engine": SWAPPERS[0]},
        {"enhancer_blend": 30},
        {"enhancer": ""},
        {"enhancer": ENHANCER},
    ]
    done: list[dict[str, Any]] = []

    def through() -> bool:
        step = wanted[len(done)]
        change(obs, step)
        runs = step.get("enhancer", ENHANCER) != ""
        done.append(obs.wait_status(f"{step}", lambda s: ("enhance" in s["stages_ms"]) == runs))
        return len(done) == len(wanted)

    recorded = heads(obs.record(through, seconds=240))
    assert distance_to_nearest(recorded, heads(camera_clip)).min() > 2, "a bare frame"
    assert all(status["last_error"] == "" and status["raw_frames_shown"] == 0 for status in done)

    missing = own.models / ENHANCER
    content = missing.read_bytes()
    try:
        missing.write_bytes(content[: len(content) // 2])
        change(obs, {"engine": MESH, "enhancer": ""})  # now nobody uses the one that is open
        words = refused(obs, {"enhancer": ENHANCER}, ENHANCER)
        assert "Traceback" not in words["last_error"]
        assert obs.wait_status("the face without detail", is_live)["raw_frames_shown"] == 0
    finally:
        missing.write_bytes(content)
    obs.wait_status("the enhancer that is whole again", lambda s: s["last_error"] == "" and "enhance" in s["stages_ms"])
    change(obs, {"enhancer": "", "quality": "auto"})


def refused(obs: ObsSession, chosen: dict[str, Any], words: str) -> dict[str, Any]:
    """Choose what cannot be had; the status once it says so. What was there before goes on."""
    obs.client.set_source_filter_settings(CAMERA, FILTER, chosen, True)
    status = obs.wait_status(words, lambda s: words in s["last_error"])
    assert status["raw_frames_shown"] == 0
    return status


def test_a_network_that_breaks_is_refused_and_the_one_before_goes_on(obs: ObsSession, own: Home) -> None:
    change(obs, {"engine": SWAPPERS[0]})
    other = own.models / SWAPPERS[1]
    content = other.read_bytes()
    pid = obs.wait_status("the engine", lambda s: s["engine_pid"] > 0)["engine_pid"]
    try:
        other.write_bytes(content[: len(content) // 2])
        status = refused(obs, {"engine": SWAPPERS[1]}, SWAPPERS[1])
        assert obs.wait_status("the face before", is_live)["engine_pid"] == pid
        assert difference(obs.picture(CAMERA)[HEAD], bare_picture(obs)[HEAD]) > 3
        assert "Traceback" not in status["last_error"]
    finally:
        other.write_bytes(content)
    obs.wait_status("the network that is whole again", lambda s: s["last_error"] == "" and is_live(s))


@pytest.mark.slow
def test_a_network_without_room_in_memory_is_refused_and_no_engine_dies_of_it(obs: ObsSession) -> None:
    before = change(obs, {"engine": SWAPPERS[0]})
    refused(obs, {"engine": HUNGRY}, "not enough memory")
    after = obs.wait_status("the face before", is_live)
    assert after["engine_pid"] == before["engine_pid"] and HUNGRY in after["last_error"]

    # An engine that begins with it has no face before.
    os.kill(after["engine_pid"], signal.SIGKILL)
    alone = obs.wait_status(
        "a new engine's words",
        lambda s: s["engine_pid"] not in (0, before["engine_pid"])
        and "not enough memory" in s["last_error"]
        and not is_live(s),
        seconds=60,
    )
    tries = count_refusals(obs, alone["engine_pid"])
    assert tries["raw_frames_shown"] == 0 and tries["engine_starts"] == before["engine_starts"] + 1
    assert change(obs, {"engine": MESH})["engine_pid"] == alone["engine_pid"]


def count_refusals(obs: ObsSession, pid: int) -> dict[str, Any]:
    """The status once an engine has tried some more times, and still lives."""
    results = obs.wait_status("that engine", lambda s: s["engine_pid"] == pid)["results"]
    return obs.wait_status("some more covered frames", lambda s: s["engine_pid"] != pid or s["results"] > results + 5)


def test_a_network_that_is_gone_is_named(obs: ObsSession, own: Home) -> None:
    listed = own.models / BROUGHT_FILE
    assert set(json.loads(listed.read_text())) >= set(SWAPPERS)
    refused(obs, {"engine": "nobody.onnx"}, "nobody.onnx")
    status = change(obs, {"engine": MESH})
    assert status["last_error"] == "" and status["raw_frames_shown"] == 0
    assert os.path.exists(own.models / SWAPPERS[0])
