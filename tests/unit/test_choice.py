"""The choice of a device: every way in which one may be there, fail, be wrong or be slow.

No GPU can be had here: the devices are one CPU session with faults before it. The clock is ours, so that "slow" is certain.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from obs_facelive.catalog import ModelError
from obs_facelive.runtime.choice import OFF, choose, sample
from obs_facelive.runtime.providers import Device
from obs_facelive.runtime.session import open_session

MS: dict[str, float] = {"cpu": 40, "fast": 4, "slow": 90}
SIDE = 16
WAYS = "fast", "slow", "wrong", "nan", "raises", "absent", "half"


class Clock:
    """Goes on only when a session runs."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Faulty:
    """A real session on the CPU, with something wrong about it."""

    def __init__(self, session: Any, way: str, clock: Clock) -> None:
        self._session, self._way, self._clock = session, way, clock

    def get_inputs(self) -> Any:
        return self._session.get_inputs()

    def run(self, outputs: Any, given: Any) -> Any:
        self._clock.now += MS.get(self._way, 4) / 1000
        if self._way == "raises":
            raise RuntimeError("CUDA failure 2: out of memory")
        answer = [np.asarray(array) for array in self._session.run(outputs, given)]
        if self._way == "wrong":
            return [array + 3 * OFF * array.std() for array in answer]
        if self._way == "nan":
            return [np.where(np.arange(array.size).reshape(array.shape) == 5, np.nan, array) for array in answer]
        if self._way == "half":
            return [array.astype(np.float16) for array in answer]
        return answer


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Twice what it gets."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, "side", "side"]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "twice", ends[:1], ends[1:])
    file = tmp_path_factory.mktemp("model") / "twice.onnx"
    opsets = [helper.make_opsetid("", 13)]
    file.write_bytes(helper.make_model(graph, ir_version=8, opset_imports=opsets).SerializeToString())
    return open_session(file, "cpu")


def opener(session: Any, ways: dict[Device, str], clock: Clock) -> Callable[[Device], Any]:
    def open_on(device: Device) -> Any:
        if ways[device] == "absent":
            raise ModelError("its package is not installed")
        return Faulty(session, ways[device], clock)

    return open_on


@pytest.mark.parametrize(("cuda", "directml", "coreml"), list(product(WAYS, repeat=3)))
def test_the_fastest_that_is_right(session: Any, cuda: str, directml: str, coreml: str) -> None:
    ways: dict[Device, str] = {"cuda": cuda, "directml": directml, "coreml": coreml, "cpu": "cpu"}
    clock = Clock()

    opened, choice = choose(list(ways), opener(session, ways, clock), SIDE, clock)

    good = [device for device, way in ways.items() if way in ("fast", "half")]
    assert choice.device == (good[0] if good else "cpu")
    assert opened._way == ways[choice.device]
    assert {trial.device: not trial.why for trial in choice.trials} == {
        device: way in ("fast", "half", "slow", "cpu") for device, way in ways.items()
    }
    words = {
        "raises": "out of memory",
        "absent": "not installed",
        "wrong": "wrong",
        "nan": "NaN",
        "slow": "90 ms",
        "fast": "4 ms",
        "half": "4 ms",
        "cpu": "40 ms",
    }
    told = {trial.device: trial.words for trial in choice.trials}
    assert all(words[way] in told[device] for device, way in ways.items())
    assert choice.words.startswith(told[choice.device])


@pytest.mark.parametrize("way", ["wrong", "nan", "raises", "absent"])
def test_no_device_that_may_be_used_is_right(session: Any, way: str) -> None:
    clock = Clock()
    ways: dict[Device, str] = {"cuda": way, "cpu": "cpu"}
    with pytest.raises(ModelError, match="no device that may be used is right: CPU: 40 ms; CUDA: "):
        choose(["cuda"], opener(session, ways, clock), SIDE, clock)


@pytest.mark.parametrize(("way", "words"), [("nan", "already on the CPU"), ("raises", "not enough memory for it")])
def test_what_is_wrong_on_the_cpu_is_wrong(session: Any, way: str, words: str) -> None:
    clock = Clock()
    with pytest.raises(ModelError, match=words):
        choose(["cpu"], opener(session, {"cpu": way}, clock), SIDE, clock)


def test_the_sample_is_always_the_same_and_fits(session: Any) -> None:
    first, second = sample(session, SIDE), sample(session, SIDE)
    assert {name: array.shape for name, array in first.items()} == {"x": (1, 3, SIDE, SIDE)}
    assert all((first[name] == second[name]).all() and first[name].min() >= 0 for name in first)
