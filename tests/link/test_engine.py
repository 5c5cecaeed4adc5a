"""The real engine process at the other end of the link, without OBS: frames in, patches out, and its end."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from obs_facelive.frame import Pixels
from obs_facelive.home import Home
from obs_facelive.link import layout as at
from obs_facelive.obs.status import Report, engine_report
from obs_facelive.quality import LADDER
from tools.stand_in import Result, StandIn

LIMIT = 60.0


def wait(what: str, test: Callable[[], object], seconds: float = LIMIT) -> None:
    end = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.02)


class Obs(StandIn):
    """Waits for what the engine makes of a picture."""

    def swap(self, picture: Pixels) -> tuple[int, list[tuple[int, int, int, int]]]:
        """(status, rectangles of the patches) for ``picture``."""
        self.show(picture)
        answer: list[Result] = []

        def answered() -> bool:
            result = self.result()
            if result and result.frame == self.frame:
                answer.append(result)
            return bool(answer)

        wait(f"a result for frame {self.frame}", answered)
        return answer[-1].status, answer[-1].rectangles

    def swap_when_loaded(self, picture: Pixels) -> tuple[int, list[tuple[int, int, int, int]]]:
        answers = []

        def loaded() -> bool:
            answers.append(self.swap(picture))
            return answers[-1][0] != at.LOADING

        wait("the engine to load", loaded)
        return answers[-1]


@pytest.fixture(scope="module")
def home() -> Home:
    home = Home.find()
    if not home.python.exists() or not home.persona_names():
        pytest.skip(f"no complete installation in {home.root}: run 'python3 install.py'")
    return home


@pytest.fixture(scope="module")
def pictures(home: Home) -> list[Pixels]:
    video = cv2.VideoCapture(str(home.root / "demo" / "camera.mp4"))
    frames = [video.read()[1] for _ in range(3)]
    return [np.ascontiguousarray(cv2.cvtColor(f, cv2.COLOR_BGR2BGRA)) for f in frames]


@pytest.fixture(scope="module")
def obs(home: Home, pictures: list[Pixels]) -> Iterator[Obs]:
    height, width = pictures[0].shape[:2]
    both = Obs(home, width, height)
    yield both
    both.close()


def test_a_face_comes_back_as_patches_inside_of_the_frame(obs: Obs, pictures: list[Pixels]) -> None:
    status, rectangles = obs.swap_when_loaded(pictures[0])
    assert status == at.SWAPPED
    assert len(rectangles) == 2  # the face and the badge
    x, y, w, h = rectangles[0]
    assert w > 100 and h > 100 and x + w <= obs.size[0] and y + h <= obs.size[1]


def test_an_empty_picture_has_no_face(obs: Obs, pictures: list[Pixels]) -> None:
    obs.swap_when_loaded(pictures[0])
    assert obs.swap(np.full_like(pictures[0], 90)) == (at.NO_FACE, [])


def test_settings_take_effect_and_are_acknowledged(obs: Obs, pictures: list[Pixels]) -> None:
    obs.swap_when_loaded(pictures[0])
    obs.settings('{"badge": "off"}')
    wait("the settings", lambda: obs.word(at.APPLIED_SEQ) == obs.word(at.SETTINGS_SEQ))
    assert len(obs.swap(pictures[1])[1]) == 1
    obs.settings('{"badge": "off", "persona": "nobody"}')
    wait("the settings", lambda: obs.word(at.APPLIED_SEQ) == obs.word(at.SETTINGS_SEQ))
    assert obs.swap(pictures[2])[0] == at.SWAPPED  # what was loaded before goes on

    def complains() -> bool:
        obs.swap(pictures[0])
        return b"there is no persona 'nobody'" in bytes(obs.memory.buffer[at.STATUS_TEXT : at.STATUS_TEXT + 2000])

    wait("the complaint", complains)
    obs.settings("{}")


def test_garbage_on_the_control_channel_is_survived(obs: Obs, pictures: list[Pixels]) -> None:
    stdin = obs.engine._process.stdin
    assert stdin is not None
    stdin.write(b"nonsense\n[]\n" + b'{"open": "fl-none", "capacity": 4096, "patch_capacity": 4096}\n{"open": "x"}\n')
    stdin.flush()
    assert obs.swap_when_loaded(pictures[0])[0] == at.SWAPPED


def test_the_engine_lives_while_it_has_nothing_to_do(obs: Obs) -> None:
    before = obs.word(at.HEARTBEAT)
    wait("the heartbeat", lambda: obs.word(at.HEARTBEAT) != before)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_the_engine_goes_when_obs_is_killed(home: Home, tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from obs_facelive.home import Home; from obs_facelive.link.bell import Bell\n"
        "from obs_facelive.obs.engine_process import EngineProcess\n"
        "engine = EngineProcess(Home(Path(sys.argv[1])), 'auto', Bell()); print(engine.pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, str(home.root)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()

    def gone() -> bool:
        stat = Path(f"/proc/{pid}/stat")
        return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"

    wait("the engine to end", gone)


@pytest.fixture()
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """How long a swap takes in engines that are started from now on, milliseconds; as if there were no other load."""
    file = tmp_path / "slow"
    monkeypatch.setenv("FACELIVE_TEST_SLOW_SWAP", str(file))
    return file


def test_a_slow_swapper_does_not_slow_the_picture(home: Home, pictures: list[Pixels], slow: Path) -> None:
    height, width = pictures[0].shape[:2]
    obs = Obs(home, width, height)
    try:
        obs.swap_when_loaded(pictures[0])
        slow.write_text("400")

        def report() -> Report:
            obs.show(pictures[0])
            return engine_report(obs.memory)

        wait("the last rung", lambda: report().rung == LADDER[-1].name)
        assert report().rung_why
        wait("the swaps to be counted", lambda: 0 < report().swap_fps < 3)
        wait("the picture to be quicker than the swaps", lambda: report().fps > 3 * report().swap_fps)
        obs.settings('{"quality": "full"}')
        wait("full quality", lambda: report().rung == LADDER[0].name)
    finally:
        obs.close()


def test_a_persona_that_comes_back_is_found_without_being_asked_for_again(
    home: Home, pictures: list[Pixels], tmp_path: Path
) -> None:
    height, width = pictures[0].shape[:2]
    other = Home(tmp_path / "home")
    other.root.mkdir()
    for name in ("env", "models"):
        (other.root / name).symlink_to(home.root / name)
    obs = Obs(other, width, height)
    try:

        def complains() -> bool:
            return obs.swap(pictures[0])[0] == at.FAILED and "no persona" in engine_report(obs.memory).error

        wait("the complaint", complains)
        shutil.copytree(home.personas, other.personas)
        wait("a swapped face", lambda: obs.swap(pictures[0])[0] == at.SWAPPED)
        wait("no complaint", lambda: engine_report(obs.memory).error == "")
    finally:
        obs.close()
