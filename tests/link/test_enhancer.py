"""Enhancers in the real engine process, chosen while frames come in: each frame is swapped, whatever becomes of its detail."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from obs_facelive.brought import add_model
from obs_facelive.frame import Pixels
from obs_facelive.home import Home
from obs_facelive.link import layout as at
from obs_facelive.obs.status import Report, engine_report
from tests.link.test_engine import Obs, wait
from tests.real_person import home_with
from tests.unit.tiny_models import codeformer, restorer

GOOD, FAITHFUL, STRANGER, NUMBERLESS = "good.onnx", "codeformer.onnx", "stranger.onnx", "nan.onnx"


@pytest.fixture
def own(tmp_path: Path) -> Home:
    """A home of its own, with enhancers."""
    home = Home.find()
    if not home.python.exists() or len(home.persona_names()) < 2:
        pytest.skip(f"no complete installation in {home.root}: run 'python3 install.py'")
    made = home_with(home, tmp_path / "home")
    (made.root / "models").unlink()
    shutil.copytree(home.models, made.models)
    contents = {
        GOOD: restorer(256),
        FAITHFUL: codeformer([], 256),
        STRANGER: restorer(256, brighter=1.5),
        NUMBERLESS: restorer(256, brighter=float("nan")),
    }
    for file, content in contents.items():
        (tmp_path / file).write_bytes(content)
        add_model(made, tmp_path / file)
    return made


@pytest.fixture
def picture(own: Home) -> Pixels:
    good, first = cv2.VideoCapture(str(own.root / "demo" / "camera.mp4")).read()
    assert good
    return np.ascontiguousarray(cv2.cvtColor(first, cv2.COLOR_BGR2BGRA))


@pytest.fixture
def obs(own: Home, picture: Pixels) -> Iterator[Obs]:
    height, width = picture.shape[:2]
    both = Obs(own, width, height)
    yield both
    both.close()


@pytest.mark.slow
def test_enhancers_come_go_and_fail_and_every_frame_is_swapped(obs: Obs, picture: Pixels) -> None:
    assert obs.swap_when_loaded(picture)[0] == at.SWAPPED

    def report() -> Report:
        status, rectangles = obs.swap(picture)
        assert status == at.SWAPPED and rectangles
        return engine_report(obs.memory)

    def choose(file: str, **more: object) -> None:
        obs.settings(json.dumps({"enhancer": file, "quality": "full", **more}))

    def enhanced(said: Report) -> bool:
        return "enhance" in said.stages_ms and said.error == ""

    choose(GOOD)
    wait("detail", lambda: enhanced(report()))
    assert "enhancer: CPU: " in report().provider
    choose(FAITHFUL, fidelity=90)
    wait("the other one", lambda: obs.word(at.APPLIED_SEQ) == obs.word(at.SETTINGS_SEQ) and enhanced(report()))
    choose(STRANGER)
    wait("what is wrong with it", lambda: "another one than the face's" in report().error)
    choose(GOOD)
    wait("detail again", lambda: enhanced(report()))
    choose(NUMBERLESS)
    wait("why it cannot be had", lambda: NUMBERLESS in report().error and "NaN" in report().error)
    assert "enhance" in report().stages_ms, "the one before goes on"
    choose("gone.onnx")
    wait("what is not there", lambda: "gone.onnx" in report().error)
    choose("")
    wait("no detail", lambda: not enhanced(report()) and report().error == "")
