"""`facelive obs launch` and `setup`, with a program in OBS's place that writes down what it is told."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from obs_facelive.cli import app
from obs_facelive.cli import obs as commands
from obs_facelive.home import Home
from obs_facelive.launch import opening, virtual_camera
from obs_facelive.launch.cameras import Camera
from obs_facelive.launch.opening import Obs, command
from obs_facelive.launch.scene import Collection
from obs_facelive.launch.virtual_camera import Linux
from obs_facelive.obs_home import Configuration
from obs_facelive.obs_program import Program, running
from obs_facelive.registration import scripts
from tools.waiting import wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux only")

OBS = """#!/bin/sh
[ "$1" = --version ] && { echo "OBS Studio - 32.0.1"; exit 0; }
printf '%s\\n' "$@" "PYTHONPATH=$PYTHONPATH" > "$0.told"
mkdir "$0.d"
cp "$(command -v sleep)" "$0.d/obs"
exec "$0.d/obs" 600
"""


class Machine:
    """A person's computer with an OBS that was never started."""

    def __init__(self, root: Path) -> None:
        self.program = root / "opt/bin/obs"
        self.configuration = Configuration(root / "config/obs-studio")
        self.told = Path(f"{self.program}.told")
        self.scene = self.configuration.scenes / "FaceLive.json"

    def run(self, *arguments: str, answers: str = "") -> tuple[int, str]:
        """Exit status and output of ``facelive obs``."""
        folder = ["--obs", str(self.program.parents[1])]
        result = CliRunner().invoke(app, ["obs", arguments[0], *folder, *arguments[1:]], input=answers)
        assert "Traceback" not in result.output
        return result.exit_code, result.output

    def built(self) -> dict[str, Any]:
        """The collection's JSON."""
        return dict(json.loads(self.scene.read_text()))

    def worn(self) -> Any:
        """The persona of the filter in it."""
        return self.built()["sources"][0]["filters"][0]["settings"].get("persona")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.setenv("PYTHONPATH", "/of/this/python")
    monkeypatch.setattr(opening, "cameras", lambda version: CAMERAS)
    monkeypatch.setattr(commands, "cameras", lambda version: CAMERAS)
    monkeypatch.setattr(opening, "_AT_ONCE", 0.2)
    found = Machine(tmp_path)
    found.program.parent.mkdir(parents=True)
    found.program.write_text(OBS)
    found.program.chmod(0o755)
    return found


CAMERAS = [Camera(name, f"/dev/{name}", "v4l2_input", {"device_id": f"/dev/{name}"}) for name in ("video0", "video2")]
HAS, LACKS = Linux(True, True, ("/dev/video10",)), Linux(False, False, distribution=("debian",))


@pytest.fixture
def with_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual_camera, "gather", lambda program: HAS)


@pytest.fixture
def without_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual_camera, "gather", lambda program: LACKS)


@pytest.fixture
def ended() -> Iterator[list[int]]:
    """Processes that are ended with the test."""
    numbers: list[int] = []
    yield numbers
    for number in numbers:
        os.kill(number, signal.SIGKILL)
        os.waitpid(number, 0)


def _number(text: str) -> int:
    found = re.search(r"process (\d+)", text)
    assert found, text
    return int(found[1])


def test_launch(machine: Machine, with_camera: None, ended: list[int]) -> None:
    code, text = machine.run(
        "launch", "--persona", "clara", "--camera", "video2", "--minimize-to-tray", "--", "--multi"
    )
    assert code == 0, text
    ended.append(_number(text))
    wait_for("OBS to be told", machine.told.exists, 10)
    assert machine.told.read_text().splitlines() == [
        *("--collection", "FaceLive", "--scene", "FaceLive"),
        *("--startvirtualcam", "--minimize-to-tray", "--multi", "PYTHONPATH="),
    ]
    assert "never started" in text and "FaceLive.json" in text and "OBS Virtual Camera" in text and "Zoom" in text
    assert machine.worn() == "clara"
    assert machine.built()["sources"][0]["settings"] == {"device_id": "/dev/video2"}
    assert scripts(machine.scene) == [opening.SCRIPT]
    assert (machine.configuration.root / "global.ini").read_text().startswith("[General]\nFirstRun=true\n")
    # And while it runs: nothing more.
    wait_for("it to run", lambda: running(machine.configuration), 10)
    before = machine.scene.read_bytes()
    for again in ("launch", "setup"):
        code, text = machine.run(again, "--collection", "Another")
        assert code == 1 and "running already" in text
    assert machine.scene.read_bytes() == before and len(machine.configuration.collections) == 1


def test_without_a_virtual_camera(machine: Machine, without_camera: None, ended: list[int]) -> None:
    code, text = machine.run("launch")
    assert code == 0, text
    ended.append(_number(text))
    wait_for("OBS to be told", machine.told.exists, 10)
    assert "--startvirtualcam" not in machine.told.read_text()
    assert "sudo apt install v4l2loopback-dkms" in text and "Zoom" not in text


def test_an_obs_that_ends_at_once(machine: Machine, with_camera: None) -> None:
    machine.program.write_text("#!/bin/sh\nexit 3\n")
    code, text = machine.run("launch")
    assert code == 1 and "ended at once (3)" in text


def test_no_desktop(machine: Machine, with_camera: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    code, text = machine.run("launch")
    assert code == 1 and "DISPLAY" in text


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["--persona", "nobody"], "there is no persona 'nobody'; there are amina, "),
        (["--camera", "video7"], "video0, video2"),
        (["--scene", "Two"], "it has FaceLive"),
        (["--obs", "/nowhere"], "not found"),
    ],
)
def test_refused_before_anything_is_made(machine: Machine, with_camera: None, wrong: list[str], words: str) -> None:
    if "--obs" in wrong:
        machine.program = Path(wrong.pop()) / "bin/obs"
        wrong.pop()
    code, text = machine.run("launch", *wrong)
    assert code == 1 and words in text
    assert not machine.configuration.root.exists()


@pytest.fixture
def own(machine: Machine) -> dict[str, Any]:
    """A collection FaceLive that the person made, and settings of an OBS that was started before."""
    data = {"name": "FaceLive", "sources": [{"id": "scene", "name": "Mine"}], "scene_order": [], "modules": {"a": 1}}
    machine.scene.parent.mkdir(parents=True)
    machine.scene.write_text(json.dumps(data))
    (machine.configuration.root / "global.ini").write_text("[General]\nLastVersion=1\n")
    return data


def test_scenes_of_the_person_stay(machine: Machine, own: dict[str, Any], with_camera: None, ended: list[int]) -> None:
    code, text = machine.run("launch", "--persona", "clara")
    assert code == 1 and "left as it is" in text and json.loads(machine.scene.read_text()) == own
    code, text = machine.run("launch", "--scene", "Ours")
    assert code == 1 and "no scene 'Ours'; it has Mine" in text and json.loads(machine.scene.read_text()) == own
    code, text = machine.run("launch")
    assert code == 0, text
    ended.append(_number(text))
    assert "has no FaceLive in it" in text and "script was added" in text
    changed = machine.built()
    assert scripts(machine.scene) == [opening.SCRIPT] and changed["modules"].pop("scripts-tool") and changed == own
    assert (machine.configuration.root / "global.ini").read_text() == "[General]\nLastVersion=1\n"
    wait_for("OBS to be told", machine.told.exists, 10)
    assert "--scene" not in machine.told.read_text()


def test_a_file_that_cannot_be_written(machine: Machine, own: dict[str, Any], with_camera: None) -> None:
    machine.scene.chmod(stat.S_IREAD)
    code, text = machine.run("launch")
    assert code == 1 and "read-only" in text


def test_setup_asks(machine: Machine, without_camera: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(commands, "_asks", lambda: True)
    people = Home.find().persona_names()
    code, text = machine.run("setup", answers="2\n99\n3\ny\n")
    assert code == 0, text
    assert machine.worn() == people[2]
    assert machine.built()["sources"][0]["settings"] == {"device_id": "/dev/video2"}
    assert (tmp_path / "data/applications/facelive.desktop").is_file()
    for program in ("Zoom", "Meet", "Teams", "Discord"):
        assert program in text
    before = machine.scene.read_bytes()
    code, text = machine.run("setup")
    assert code == 0 and "left as it is" in text and machine.scene.read_bytes() == before


def test_setup_without_a_terminal(machine: Machine, without_camera: None, tmp_path: Path) -> None:
    code, text = machine.run("setup", "--persona", "bruno")
    assert code == 0, text
    assert machine.worn() == "bruno" and machine.built()["sources"][0]["settings"] == {"device_id": "/dev/video0"}
    assert not (tmp_path / "data").exists()


def test_check_and_cameras(machine: Machine, without_camera: None) -> None:
    run = CliRunner().invoke
    found = json.loads(run(app, ["obs", "check", "--json"]).output)
    assert {finding["name"] for finding in found} == {"OBS configuration", "virtual camera"}
    assert run(app, ["obs", "cameras"]).output.splitlines()[1] == "2  video2  /dev/video2"


def test_shortcut(machine: Machine, tmp_path: Path) -> None:
    file = tmp_path / "data/applications/facelive.desktop"
    run = CliRunner().invoke
    assert run(app, ["obs", "shortcut", "--minimize-to-tray"]).exit_code == 0
    assert '"--minimize-to-tray"' in file.read_text()
    assert run(app, ["obs", "shortcut", "--remove"]).exit_code == 0 and not file.exists()


def test_macos_opens_the_application() -> None:
    obs = Obs(Program(Path("/Applications/OBS.app/Contents/MacOS/OBS"), (32, 0, 0)), Configuration(Path("/c")))
    ready = Collection(Path("/c/a.json"), "Show", ("One",), True)
    words = command(obs, ready, "One", virtual_camera=False, system="darwin")
    assert words == ["open", "-a", "/Applications/OBS.app", "--args", "--collection", "Show", "--scene", "One"]
    portable = Obs(obs.program, Configuration(Path("/c"), "portable"))
    assert command(portable, ready, system="win32")[-1] == "--portable"
