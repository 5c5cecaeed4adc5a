"""What is not a face comes through the filter byte for byte: opaque and transparent, alone and composed in a scene."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from obs_facelive.frame import Pixels
from tests.obs.conftest import SCRIPT
from tools.obs_config import Collection, Filter, Item, Scene, Source
from tools.obs_session import ObsSession
from tools.waiting import wait_for

WIDTH, HEIGHT = 640, 360


def _noise(alpha: bool) -> Pixels:
    small = np.random.default_rng(0).integers(0, 256, (18, 32, 4), np.uint8)
    picture = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
    picture[..., 3] = np.linspace(0, 255, WIDTH).astype(np.uint8)[None] if alpha else 255
    return np.asarray(picture, np.uint8)


@pytest.fixture(scope="module")
def obs(tmp_path_factory: pytest.TempPathFactory, obs_env: dict[str, str]) -> Iterator[ObsSession]:
    folder = tmp_path_factory.mktemp("pixels")
    sources, items = [], []
    for kind in ("opaque", "transparent"):
        file = folder / f"{kind}.png"
        cv2.imwrite(str(file), _noise(kind == "transparent"))
        shown = Filter(f"FaceLive {kind}", {"no_face": "camera", "badge": "off"})
        for name, filters in ((kind, []), (f"{kind} filtered", [shown])):
            sources.append(Source(name, "image_source", {"file": str(file)}, filters))
            items.append(Item(name))
    collection = Collection("Pixels", sources, [Scene("Scene", items)], [SCRIPT])
    with ObsSession(folder / "obs", [collection], env=obs_env) as session:
        for kind in ("opaque", "transparent"):
            session.wait_status("the bare picture", lambda s: s["state"] == "bypass", name=f"FaceLive {kind}")
        yield session
        session.quit()
        assert session.leaks() == 0


def _picture(obs: ObsSession, name: str) -> Pixels:
    answer = obs.client.get_source_screenshot(name, "png", WIDTH, HEIGHT, -1)
    data = base64.b64decode(answer.image_data.split(",")[1])
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED), np.uint8)


@pytest.mark.parametrize("kind", ["opaque", "transparent"])
def test_the_source_alone(obs: ObsSession, kind: str) -> None:
    bare = _picture(obs, kind)
    assert bare.std() > 30
    np.testing.assert_array_equal(_picture(obs, f"{kind} filtered"), bare)


@pytest.mark.parametrize("kind", ["opaque", "transparent"])
def test_the_source_in_a_scene(obs: ObsSession, kind: str) -> None:
    def scene(shown: str) -> Pixels:
        for item in obs.client.get_scene_item_list("Scene").scene_items:
            obs.client.set_scene_item_enabled("Scene", item["sceneItemId"], item["sourceName"] == shown)
        return _picture(obs, "Scene")

    bare = scene(kind)
    assert bare.std() > 30

    def same() -> bool:
        return bool((scene(f"{kind} filtered") == bare).all())

    # A source that was hidden is covered until the engine has seen it again.
    assert wait_for("the same bytes", same, 15)


def test_nothing_bare_was_shown_against_the_settings(obs: ObsSession) -> None:
    statuses = obs.statuses()
    assert len(statuses) == 2 and all(s["raw_frames_shown"] == 0 for s in statuses.values())
