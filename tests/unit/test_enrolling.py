"""Enrolling live: what the panel is told, and what is kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from obs_facelive.engine import enrolling as module
from obs_facelive.engine.enrolling import EnrolmentDesk
from obs_facelive.frame import Floats, Pixels
from obs_facelive.identity.enrolment import Enrolment, EnrolmentError


class Embedder:
    def embed(self, pixels: Pixels, points: Floats) -> Floats:
        raise AssertionError("nobody is looked at here")


class Pipeline:
    collector: Any = None


def one_person(count: int) -> list[Floats]:
    return [np.eye(1, 128, dtype=np.float32)[0]] * count


class Desk:
    """A desk whose savings are kept here."""

    def __init__(self) -> None:
        self.kept: list[Enrolment] = []
        self.full = False
        self.pipeline: Any = Pipeline()  # only its collector is of interest
        self.worker = ThreadPoolExecutor(1)
        self.desk = EnrolmentDesk(Embedder, self.save, self.worker)

    def save(self, enrolment: Enrolment) -> Enrolment:
        if self.full:
            raise EnrolmentError("the disk is full")
        self.kept.append(enrolment)
        return enrolment

    def collector(self) -> Any:
        return self.pipeline.collector

    def tend(self) -> None:
        self.desk.tend(self.pipeline)

    def settle(self) -> None:
        self.tend()
        self.worker.submit(lambda: None).result()
        self.tend()


@pytest.fixture
def at() -> Desk:
    return Desk()


def test_a_face_is_remembered_and_said_so(at: Desk) -> None:
    at.tend()
    assert at.desk.words == "" and at.pipeline.collector is None
    at.desk.open()
    at.tend()
    assert "look into the camera" in at.desk.words
    collector = at.collector()
    collector.poses += one_person(12)
    at.tend()
    assert not at.kept
    collector.finished = True
    at.settle()

    assert at.pipeline.collector is None and len(at.kept) == 1
    assert at.desk.words == "your face is remembered (12 pictures)"


def test_a_pipeline_that_is_made_meanwhile_goes_on(at: Desk) -> None:
    at.desk.open()
    at.tend()
    before, at.pipeline = at.pipeline.collector, Pipeline()
    at.tend()
    assert at.pipeline.collector is before


def test_what_went_wrong_is_said(at: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    at.desk.open()
    at.tend()
    at.pipeline.collector.finished = True
    at.settle()
    assert "look into the camera" in at.desk.words and not at.kept, "nobody was seen"

    at.full = True
    at.desk.open()
    at.tend()
    collector = at.collector()
    collector.poses += one_person(9)
    collector.finished = True
    at.settle()
    assert at.desk.words == "the disk is full"
    monkeypatch.setattr(module, "_SAID_FOR", -1.0)
    at.tend()
    assert at.desk.words == ""


def test_it_ends_where_no_pictures_come(at: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", -1.0)
    at.pipeline = None
    at.desk.open()
    at.settle()
    assert "good looks" in at.desk.words and not at.kept
