"""A photo's way from the panel's settings to the library: what is no order, what is said, and that it never waits."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_facelive.engine.adding import AddingDesk
from obs_facelive.engine.stages import Stages
from obs_facelive.frame import Pixels
from obs_facelive.home import Home
from obs_facelive.link.order import Order, read_order
from obs_facelive.personas.add import AddReport, Progress
from obs_facelive.personas.consent import read_consent
from obs_facelive.personas.errors import PersonaError
from obs_facelive.personas.library import load_persona
from tests.real_person import home_with

GOOD: dict[str, Any] = {
    "add_photo": "/photos/anna.jpg",
    "add_name": "Anna",
    "add_whose": "granted",
    "add_by": "Anna",
    "add_for": "talks",
}


def test_an_order_is_read_beside_all_other_settings() -> None:
    text = json.dumps({"opacity": 50, "persona": "clara", **GOOD}).encode()
    assert read_order(text) == Order("/photos/anna.jpg", "Anna", "granted", "Anna", "talks")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"add_photo": ""}, "choose a photo"),
        ({"add_photo": "a\0b"}, "choose a photo"),
        ({"add_name": "  "}, "a name"),
        ({"add_whose": ""}, "whose face"),
        ({"add_whose": "stolen"}, "whose face"),
        ({"add_photo": 7}, "cannot be read"),
        ({"add_photo": "x" * 5000}, "cannot be read"),
        ({"add_by": ["me"]}, "cannot be read"),
    ],
)
def test_what_is_no_order_is_said(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_order(json.dumps({**GOOD, **change}).encode())


@given(st.binary(max_size=300))
def test_garbage_is_no_order(text: bytes) -> None:
    with pytest.raises(ValueError):
        read_order(text)


def desk(add: Callable[[Order, Progress], AddReport]) -> tuple[AddingDesk, ThreadPoolExecutor]:
    worker = ThreadPoolExecutor(1)
    return AddingDesk(add, worker), worker


def test_it_says_how_it_goes_and_never_waits() -> None:
    going, told = threading.Event(), threading.Event()

    def add(order: Order, progress: Progress) -> AddReport:
        progress(0, 3, "looking at anna.jpg")
        told.set()
        going.wait(20)
        raise PersonaError("two people are on it")

    both, worker = desk(add)
    both.open(json.dumps(GOOD).encode())
    assert told.wait(20)
    both.tend(1.0)
    assert "step 1 of 3: looking at anna.jpg" in both.words
    both.open(b"{}")  # pressed again: the one in hand goes on
    assert "step 1 of 3" in both.words
    going.set()
    worker.shutdown()
    both.tend(2.0)
    assert both.words == "Nothing was added: two people are on it" and both.added == ""
    both.tend(60.0)
    assert both.words
    both.tend(1000.0)
    assert both.words == ""


def test_an_error_in_the_work_is_said_and_ends_nothing() -> None:
    def add(order: Order, progress: Progress) -> AddReport:
        raise RuntimeError("out of luck")

    both, worker = desk(add)
    both.open(json.dumps(GOOD).encode())
    worker.shutdown()
    both.tend(1.0)
    assert both.words == "Nothing was added: out of luck"


def test_what_is_missing_is_said_at_once() -> None:
    both, _ = desk(lambda order, progress: pytest.fail("nothing was ordered"))
    both.open(b"{}")
    both.tend(1.0)
    assert both.words == "Nothing was added: choose a photo first."


def test_a_photo_becomes_a_persona_with_its_record(models: Path, tmp_path: Path, portraits: dict[str, Pixels]) -> None:
    home = home_with(Home.find(), tmp_path / "home")
    photo = tmp_path / "anna.jpg"
    cv2.imwrite(str(photo), portraits["female_33"])
    stages = Stages(home, "cpu")
    both, worker = desk(stages.add)
    two = tmp_path / "two.jpg"
    cv2.imwrite(str(two), np.hstack([portraits["female_33"], portraits["male_4"]]))
    for path, words in ((two, "another face"), (photo, "Anna was added: the photo is")):
        both.open(json.dumps({**GOOD, "add_photo": str(path)}).encode())
        worker.submit(lambda: None).result(120)
        both.tend(1.0)
        assert words in both.words
    assert both.added == "anna"
    persona = load_persona(home.personas / "anna")
    assert persona.info.real and persona.consent == read_consent(home.personas / "anna")
    both.open(json.dumps({**GOOD, "add_photo": str(photo), "add_by": ""}).encode())
    worker.submit(lambda: None).result(120)
    both.tend(1.0)
    assert "who gave permission" in both.words and both.added == ""
    assert home.persona_names().count("anna") == 1 and "anna-2" not in home.persona_names()
