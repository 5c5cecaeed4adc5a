"""docs/obs-websocket.md, word for word: each of its requests is sent to a real OBS, and does what the page says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import obs_facelive
from obs_facelive.home import Home
from tests.obs.conftest import SCRIPT
from tests.obs.driving import CAMERA, FILTER, fresh, is_live
from tools.obs_config import Collection, Filter, Item, Scene, Video, media
from tools.obs_session import ObsSession

PAGE = Path(obs_facelive.__file__).parents[1] / "docs/obs-websocket.md"
SCENE_FILTER = "On the scene"


def requests() -> list[dict[str, Any]]:
    """The page's examples, in its order."""
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)]


@pytest.fixture(scope="module")
def obs(tmp_path_factory: pytest.TempPathFactory, camera_clip: Path, obs_env: dict[str, str]) -> Iterator[ObsSession]:
    collection = Collection(
        "Docs",
        [media(CAMERA, camera_clip, [Filter(FILTER)]), media("bare", camera_clip)],
        [Scene("Scene", [Item(CAMERA)]), Scene("Camera", [Item("bare")]), Scene("Anna", [Item("Camera")])],
        [SCRIPT],
    )
    with ObsSession(tmp_path_factory.mktemp("obs"), [collection], video=Video(fps=10), env=obs_env) as session:
        session.wait_status("the swapped face", is_live, seconds=60)
        yield session


def send(obs: ObsSession, request: dict[str, Any]) -> dict[str, Any]:
    answer = obs.client.send(request["requestType"], request["requestData"], raw=True)
    return dict(answer or {})


def worn(obs: ObsSession, persona: str) -> None:
    obs.wait_status(f"{persona}", lambda s: s["persona"] == persona, seconds=60)
    assert fresh(obs)["raw_frames_shown"] == 0


def test_every_request_of_the_page_does_what_it_says(obs: ObsSession, home: Home) -> None:
    names = home.persona_names()
    clara, darius, first, off, on, ask, following, previous, source = requests()
    send(obs, clara)
    worn(obs, "clara")
    send(obs, darius)
    worn(obs, "darius")
    assert send(obs, ask)["filterSettings"]["crossfade_ms"] == 2000
    send(obs, first)
    worn(obs, names[0])
    send(obs, off)
    obs.wait_status("the cover", lambda s: s["state"] == "cover" and s["reason"] == "swap is off")
    send(obs, on)
    obs.wait_status("the swapped face", is_live, seconds=60)
    send(obs, following)
    worn(obs, names[1])
    send(obs, previous)
    worn(obs, names[0])
    send(obs, previous)
    worn(obs, names[-1])
    source["requestData"]["inputName"] = CAMERA
    send(obs, source)


def test_a_filter_on_a_scene_wears_its_own_persona(obs: ObsSession, home: Home) -> None:
    """As the page's recipe for one persona a scene."""
    other = home.persona_names()[2]
    obs.client.create_source_filter("Anna", SCENE_FILTER, "facelive_filter", {"persona": other})
    obs.client.set_current_program_scene("Anna")
    status = obs.wait_status(
        "the scene's persona", lambda s: is_live(s) and s["persona"] == other, name=SCENE_FILTER, seconds=90
    )
    assert (status["source"], status["raw_frames_shown"]) == ("Anna", 0)
    obs.client.set_current_program_scene("Scene")
    obs.wait_status("the camera's own", is_live, seconds=60)
