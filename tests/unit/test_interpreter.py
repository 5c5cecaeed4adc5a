"""Which Python the environment gets."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from obs_facelive.interpreter import NoPythonError, choose_python, interpreters, wanted_minors
from obs_facelive.obs_program import Program, embedded_python, find_programs

OWN = sys.version_info[1]

# Debian's python3 without python3-venv has no ensurepip. It cannot be taken out, so nobody may find it.
_WITHOUT_ENSUREPIP = """
import sys
class Blind:
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, *more):
        return None if name == "ensurepip" else self.finder.find_spec(name, *more)
sys.meta_path[:] = [Blind(finder) for finder in sys.meta_path]
"""


@pytest.mark.parametrize(
    ("version", "minors"),
    [((28, 0, 0), [10]), ((29, 1, 0), [11, 10]), ((31, 0, 0), [12, 11, 10]), (None, [12, 11, 10])],
)
@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_windows_and_macos_by_obs_version(system: str, version: tuple[int, int, int] | None, minors: list[int]) -> None:
    assert wanted_minors(Program(Path("OBS"), version), "", system)[0] == minors


def test_too_old_an_obs() -> None:
    with pytest.raises(NoPythonError, match="Update OBS"):
        wanted_minors(Program(Path("OBS"), (27, 2, 4)), "", "win32")


def test_the_python_that_is_set_in_obs_decides(tmp_path: Path) -> None:
    program = Program(Path("OBS"), (32, 0, 0))
    (tmp_path / "python311.dll").touch()
    assert wanted_minors(program, str(tmp_path), "win32")[0] == [11]
    (tmp_path / "python311.dll").rename(tmp_path / "python313.dll")
    with pytest.raises(NoPythonError, match="Empty that field in OBS"):
        wanted_minors(program, str(tmp_path), "win32")


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
def test_linux_takes_what_obs_is_linked_to(tmp_path: Path) -> None:
    if not (programs := find_programs()):
        pytest.skip("OBS Studio is not installed")
    embedded = embedded_python(programs[0])
    assert wanted_minors(programs[0], "ignored")[0] == [embedded]
    assert choose_python(programs[0], "").minor == embedded
    without = Program(tmp_path / "bin" / "obs", (30, 0, 0))
    with pytest.raises(NoPythonError, match="without Python scripting"):
        choose_python(without, "")


def test_this_python_comes_first() -> None:
    found = next(iter(interpreters([OWN])))
    assert found.command == (sys.executable,)
    assert found.minor == OWN and found.whole
    assert list(interpreters([OWN + 50])) == []


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
def test_a_python_without_venv_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text(_WITHOUT_ENSUREPIP)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert not next(iter(interpreters([OWN]))).whole
    with pytest.raises(NoPythonError, match="cannot make environments") as caught:
        choose_python(None, "", "linux")
    has_apt = any(Path(folder, "apt-get").exists() for folder in os.environ["PATH"].split(os.pathsep))
    assert caught.value.package == (f"python3.{OWN}-venv" if has_apt else "")
