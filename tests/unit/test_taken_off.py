"""A face that may not be worn any more is in no result, whatever was on its way when that became known."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from obs_facelive.engine import session as module
from obs_facelive.engine.line import Job
from obs_facelive.engine.session import Session
from obs_facelive.engine.worn import Refusal
from obs_facelive.frame import Frame, Patch
from obs_facelive.link.layout import SWAPPED, WITHDRAWN
from obs_facelive.pipeline import Pipeline
from obs_facelive.settings import Settings
from obs_facelive.steps import Outcome

FRAME = Frame(np.zeros((8, 8, 4), np.uint8), 0, 0.0)


class End:
    """OBS's side: what it was told."""

    def __init__(self) -> None:
        self.refused = 0
        self.results: list[tuple[int, int]] = []

    def refuse(self, status: int) -> None:
        self.refused = status

    def whole(self, frame: Frame) -> bool:
        return True

    def put(self, frame: Frame, status: int, patches: list[Patch], faces: int, seq: int) -> None:
        self.results.append((status, len(patches)))

    def put_status(self, text: bytes) -> None:
        pass


class Stages:
    recogniser = remember = add = fetch = fetcher = persona_folder = is_owner = None

    def provider(self, settings: Settings) -> str:
        return "CPU"


class Worn:
    def __init__(self) -> None:
        self.stages_ms: dict[str, float] = {}


class Withdrawn:
    fading = False

    def refusal(self, now: float) -> Refusal:
        return Refusal(WITHDRAWN, "withdrawn")


def swapped(pipeline: Any) -> Job:
    """A frame that this pipeline has just finished."""
    outcome = Outcome([cast(Any, None)], [Patch(0, 0, np.zeros((2, 2, 4), np.uint8))])
    return Job(FRAME, Settings(), 1, cast(Pipeline, pipeline), outcome=outcome)


@pytest.mark.parametrize("another", [False, True], ids=["nothing else is worn", "another one was put on meanwhile"])
def test_what_was_on_its_way_is_not_shown(monkeypatch: pytest.MonkeyPatch, another: bool) -> None:
    monkeypatch.setattr(module, "Wardrobe", Withdrawn)
    end, old, new = End(), Worn(), Worn()
    with ThreadPoolExecutor(1) as loader:
        session = Session(cast(Any, end), cast(Any, Stages()), loader)
        session._orders = replace(session._orders, seq=1, pipeline=cast(Any, old))
        session._done(swapped(old))
        assert end.results == [(SWAPPED, 1)]
        session._look_after(1.0)
        assert end.refused == WITHDRAWN
        if another:
            session._orders = replace(session._orders, pipeline=cast(Any, new), refused=0)
        session._done(swapped(old))
        assert end.results == [(SWAPPED, 1)]
        if another:
            session._done(swapped(new))
            assert end.results == [(SWAPPED, 1)] * 2
