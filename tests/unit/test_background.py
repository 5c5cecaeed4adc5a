"""A network in the background."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

import pytest

from obs_facelive.catalog import ModelError
from obs_facelive.runtime.background import NICE, Background


class Session:
    """Says which thread opened it, which ran it, and how nice that is."""

    def __init__(self) -> None:
        self.opened_by = threading.get_ident()

    def get_inputs(self) -> list[str]:
        return ["x"]

    def run(self, outputs: Any, given: Any) -> list[Any]:
        return [self.opened_by, threading.get_ident(), os.getpriority(os.PRIO_PROCESS, 0), given["x"]]


@pytest.mark.skipif(sys.platform != "linux", reason="niceness by thread")
def test_its_thread_is_nicer_and_only_that() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    background = Background(Session)
    opened_by, run_by, nice, x = background.run(None, {"x": 5})
    assert opened_by == run_by != threading.get_ident() and x == 5
    assert nice == min(before + NICE, 19) and os.getpriority(os.PRIO_PROCESS, 0) == before
    assert background.get_inputs() == ["x"]


def test_what_goes_wrong_in_it_comes_out() -> None:
    def fail() -> Any:
        raise ModelError("broken")

    with pytest.raises(ModelError, match="broken"):
        Background(fail)
    with pytest.raises(KeyError):
        Background(Session).run(None, {})
