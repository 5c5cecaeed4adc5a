"""What was measured once is not measured again, as long as it holds; and a network that ends the process is left alone.

No GPU can be had here: the devices are one CPU session with faults before it, as in `tests.unit.test_choice`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnxruntime as ort
import pytest

from obs_facelive.catalog import ModelError
from obs_facelive.runtime.attempts import MOST, WHILE, Attempts
from obs_facelive.runtime.choice import Choice
from obs_facelive.runtime.hardware import hardware
from obs_facelive.runtime.providers import Device, Place
from obs_facelive.runtime.remembered import Remembered
from tests.unit.test_choice import SIDE, Clock, opener
from tests.unit.test_choice import session as session

NETWORK = "ab" * 32
WAYS: dict[Device, str] = {"cuda": "fast", "cpu": "cpu"}


class Machine:
    """A computer whose devices can be broken, and that counts what is opened."""

    def __init__(self, opened: Any, folder: Path) -> None:
        self.ways, self.about, self.folder = dict(WAYS), "a card, driver 1", folder
        self._session = opened
        self.opened: list[Device] = []

    def choose(self, place: Place = Place("auto"), network: str = NETWORK, size: int = SIDE) -> tuple[Any, Choice]:  # noqa: B008
        """As an engine that was just started."""
        self.opened = []
        clock = Clock()
        open_on: Callable[[Device], Any] = opener(self._session, self.ways, clock)

        def counted(device: Device) -> Any:
            self.opened.append(device)
            return open_on(device)

        remembered = Remembered(self.folder, lambda: self.about)
        return remembered.choose(network, list(WAYS), place, counted, size, clock)


@pytest.fixture
def machine(session: Any, tmp_path: Path) -> Machine:  # noqa: F811
    return Machine(session, tmp_path / "cache" / "devices")


def test_it_is_measured_once(machine: Machine) -> None:
    opened, choice = machine.choose()
    assert machine.opened == ["cpu", "cuda"] and choice.device == "cuda"
    again, remembered = machine.choose()
    assert machine.opened == ["cuda"], "it was measured again"
    assert remembered == choice and remembered.words == "CUDA: 4 ms; CPU: 40 ms"
    assert again._way == opened._way == "fast"
    assert Remembered(machine.folder).told(NETWORK) == choice.words
    assert [path.name for path in machine.folder.iterdir()] == [f"{NETWORK}.json"]


@pytest.mark.parametrize("changed", ["driver", "runtime", "card", "memory", "network", "size", "devices"])
def test_it_is_measured_anew_when_something_changes(
    machine: Machine, changed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.choose()
    place, more = Place("auto"), dict[str, Any]()
    match changed:
        case "driver":
            machine.about = "a card, driver 2"
        case "runtime":
            monkeypatch.setattr(ort, "__version__", "9.9.9")
        case "devices":
            monkeypatch.setattr(ort, "get_available_providers", lambda: ["CPUExecutionProvider"])
        case "card":
            place = Place("auto", gpu=1)
        case "memory":
            place = Place("auto", memory_mb=500)
        case "network":
            more = {"network": "cd" * 32}
        case "size":
            more = {"size": SIDE * 2}
    machine.choose(place, **more)
    assert machine.opened == ["cpu", "cuda"]
    machine.choose(place, **more)
    assert machine.opened == ["cuda"]


@pytest.mark.parametrize("way", ["raises", "absent", "nan", "wrong"])
def test_what_is_remembered_must_still_be_right(machine: Machine, way: str) -> None:
    machine.choose()
    machine.ways["cuda"] = way
    opened, choice = machine.choose()
    assert machine.opened == ["cuda", "cpu", "cuda"] and choice.device == "cpu" and opened._way == "cpu"
    assert choice.words.startswith("CPU: 40 ms; CUDA: ")
    machine.ways["cuda"] = "fast"
    assert machine.choose()[1].device == "cpu", "the new choice is the one that is remembered"


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff" * 50, b"[" * 100_000, b"x" * (1 << 19)])
def test_a_damaged_note_is_none(machine: Machine, damage: bytes) -> None:
    machine.choose()
    (machine.folder / f"{NETWORK}.json").write_bytes(damage)
    assert Remembered(machine.folder).told(NETWORK) == ""
    assert machine.choose()[1].device == "cuda" and machine.opened == ["cpu", "cuda"]
    machine.choose()
    assert machine.opened == ["cuda"]


def test_it_can_be_forgotten_and_a_folder_that_cannot_be_written_is_no_matter(machine: Machine, tmp_path: Path) -> None:
    machine.choose()
    Remembered(machine.folder).forget(NETWORK)
    machine.choose()
    assert machine.opened == ["cpu", "cuda"]
    (tmp_path / "file").write_bytes(b"")
    machine.folder = tmp_path / "file" / "devices"
    assert machine.choose()[1].device == "cuda"


def test_the_hardware_is_told_by_its_drivers(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("Linux's files")
    driver = tmp_path / "proc/driver/nvidia"
    (driver / "gpus/0000:01:00.0").mkdir(parents=True)
    (driver / "gpus/0000:01:00.0/information").write_text(
        "Model: \t\t NVIDIA H100\nIRQ:   \t\t 77\nGPU UUID: \t GPU-1\n"
    )
    (driver / "version").write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54\nGCC version: 12\n")
    card = tmp_path / "sys/class/drm/card0/device"
    card.mkdir(parents=True)
    (card / "vendor").write_text("0x8086\n")
    (card / "device").write_text("0x56a0\n")
    said = hardware(tmp_path)
    assert "550.54" in said and "NVIDIA H100 GPU-1" in said and "card0 0x8086:0x56a0" in said and "77" not in said
    (driver / "version").write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  560.1\n")
    assert hardware(tmp_path) != said
    assert hardware() == hardware()


DIES = """
import os, signal, sys
from pathlib import Path
from obs_facelive.runtime.attempts import Attempts
with Attempts(Path(sys.argv[1])).trying("ab" * 32, "huge.onnx"):
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a signal that nobody can catch")
def test_a_network_that_ends_the_process_is_left_alone(tmp_path: Path) -> None:
    for _ in range(MOST):
        ended = subprocess.run([sys.executable, "-c", DIES, tmp_path], check=False)
        assert ended.returncode == -signal.SIGKILL
    attempts = Attempts(tmp_path)
    with (
        pytest.raises(ModelError, match=r"ended 2 times while it opened huge\.onnx.*memory"),
        attempts.trying(NETWORK, "huge.onnx"),
    ):
        pytest.fail("it was opened again")
    with attempts.trying("cd" * 32, "another.onnx"):
        pass
    later = os.path.getmtime(tmp_path / f"{NETWORK}.opening") + WHILE + 60
    with Attempts(tmp_path, lambda: later).trying(NETWORK, "huge.onnx"):
        pass
    assert not list(tmp_path.iterdir())


def test_what_fails_in_words_is_tried_as_often_as_somebody_likes(tmp_path: Path) -> None:
    for _ in range(MOST + 2):
        with pytest.raises(ModelError, match="broken"), Attempts(tmp_path).trying(NETWORK, "broken.onnx"):
            raise ModelError("broken")
