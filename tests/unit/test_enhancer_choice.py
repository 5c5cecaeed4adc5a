"""Which enhancer settings give, and what becomes of a swap whose enhancer cannot be had."""

from __future__ import annotations

import shutil
from pathlib import Path

import av
import msgspec
import numpy as np
import pytest

from obs_facelive.brought import add_model, remove_model
from obs_facelive.engine import enhancers
from obs_facelive.engine.enhancers import EnhancerError
from obs_facelive.engine.loading import load
from obs_facelive.engine.stages import Stages
from obs_facelive.frame import Floats, Frame
from obs_facelive.home import Home
from obs_facelive.runtime.providers import Place
from obs_facelive.settings import Settings
from tests.real_person import home_with
from tests.unit.tiny_models import arcface, codeformer, restorer

RESTORER, CODEFORMER, RECOGNISER = "GPEN-BFR-256.onnx", "codeformer.onnx", "w600k_r50.onnx"
PLAIN = Settings(device="cpu", badge="off")
CHOSEN = msgspec.structs.replace(PLAIN, enhancer=RESTORER, enhancer_blend=100)


@pytest.fixture
def own(models: Path, tmp_path: Path) -> Home:
    """A home of its own with enhancers."""
    home = Home.find()
    if len(home.persona_names()) < 2:
        pytest.skip(f"no personas in {home.root}: run 'python3 install.py'")
    made = home_with(home, tmp_path / "home")
    (made.root / "models").unlink()
    shutil.copytree(models, made.models)
    for file, content in ((RESTORER, restorer(256)), (CODEFORMER, codeformer([])), (RECOGNISER, arcface())):
        (tmp_path / file).write_bytes(content)
        add_model(made, tmp_path / file)
    return made


@pytest.fixture(scope="module")
def frame() -> Frame:
    """Somebody in front of the demo's camera."""
    clip = Home.find().root / "demo" / "camera.mp4"
    if not clip.exists():
        pytest.skip(f"{clip} is missing: run 'python3 install.py'")
    with av.open(clip) as container:
        return Frame(next(container.decode(video=0)).to_ndarray(format="bgra").astype(np.uint8), 0, 0.0)


def worn(stages: Stages, settings: Settings, frame: Frame) -> Floats:
    """The patch of the face."""
    outcome = stages.pipeline(settings).process(frame, settings)
    assert len(outcome.faces) == 1 and outcome.patches
    return outcome.patches[0].pixels[..., :3].astype(np.float32)


def test_an_enhancer_changes_the_swapped_face_and_the_frame_stays(own: Home, frame: Frame) -> None:
    stages = Stages(own, "cpu")
    plain, enhanced = (worn(stages, settings, frame) for settings in (PLAIN, CHOSEN))
    assert plain.shape == enhanced.shape
    change = enhanced - plain
    assert change.max() > 9, "brighter by 12.75 levels, where the persona is seen whole"
    assert not change[[0, -1]].any() and not change[:, [0, -1]].any()
    assert "enhancer: CPU: " in stages.provider(CHOSEN) and "enhancer" not in stages.provider(PLAIN)
    assert own.enhancer_titles() == {RESTORER: "GPEN-BFR-256", CODEFORMER: "codeformer"}


@pytest.mark.parametrize(("file", "words"), [("nobody.onnx", "no model 'nobody.onnx'"), (RECOGNISER, "no enhancer")])
def test_what_is_no_enhancer_is_named(own: Home, file: str, words: str) -> None:
    with pytest.raises(EnhancerError, match=words):
        Stages(own, "cpu").pipeline(msgspec.structs.replace(PLAIN, enhancer=file))


def test_a_camera_does_not_wait_for_an_enhancer_that_takes_seconds(own: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enhancers, "SLOWEST_MS", 0.0)
    stages = Stages(own, "cpu")
    assert "too slow for a camera" in load(stages, CHOSEN, None).problem
    assert stages.pipeline(CHOSEN).enhancing is not None, "files may"


def test_without_its_enhancer_a_face_is_loaded_all_the_same(own: Home, frame: Frame) -> None:
    stages = Stages(own, "cpu")
    remove_model(own, RESTORER)
    loaded = load(stages, CHOSEN, None)
    assert RESTORER in loaded.problem and loaded.settings == CHOSEN and loaded.pipeline.enhancing is None
    assert loaded.pipeline.process(frame, CHOSEN).patches
    other = msgspec.structs.replace(CHOSEN, persona=own.persona_names()[1])
    assert RESTORER in load(stages, other, CHOSEN).problem, "another persona does not wait for it"
    with pytest.raises(EnhancerError):  # what is worn goes on, and this is tried again
        load(stages, CHOSEN, CHOSEN)
    with pytest.raises(EnhancerError):
        load(stages, CHOSEN, PLAIN)
    assert load(stages, PLAIN, CHOSEN).problem == ""


def test_a_network_stays_open_only_while_somebody_uses_it(own: Home) -> None:
    made = enhancers.Enhancers(own)
    used = made.make(CHOSEN, Place("cpu"))
    assert used is not None and made.make(CHOSEN, Place("cpu")) is used
    file = own.models / RESTORER
    file.write_bytes(file.read_bytes()[:100])
    assert made.make(CHOSEN, Place("cpu")) is used, "it is open already"
    del used
    with pytest.raises(EnhancerError, match=RESTORER):
        made.make(CHOSEN, Place("cpu"))
