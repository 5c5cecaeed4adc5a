"""install.py: what it says when something is wrong, what it takes away, and that one ONNX Runtime is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from obs_facelive.home import Home
from obs_facelive.interpreter import interpreters
from obs_facelive.launch import shortcut
from obs_facelive.obs_home import Configuration
from obs_facelive.registration import add_everywhere, scripts
from tests.unit.test_obs_program import process_named_obs
from tools import environment
from tools.environment import Environment, Problem, debian_install

SCENES = {"name": "A", "sources": []}


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """The environment variables of a person with an OBS and a FaceLive of their own, none of it set up."""
    root = tmp_path / "config/obs-studio"
    (root / "basic/scenes").mkdir(parents=True)
    (root / "global.ini").write_text("[General]\n")
    (root / "basic/scenes/A.json").write_text(json.dumps(SCENES))
    keep = {name: value for name, value in os.environ.items() if name != "SUDO_USER"}
    folders = {"XDG_CONFIG_HOME": "config", "XDG_DATA_HOME": "data", "FACELIVE_HOME": "home"}
    return {**keep, **{name: str(tmp_path / folder) for name, folder in folders.items()}}


def _run(machine: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(environment.CHECKOUT / "install.py"), *arguments]
    done = subprocess.run(command, env=machine, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    return done


def test_run_before_set_up(machine: dict[str, str]) -> None:
    done = _run(machine, "run", "doctor", "--json")
    assert done.returncode == 1
    assert "not set up" in done.stderr and "python3 install.py" in done.stderr


def test_run_passes_everything_on(machine: dict[str, str]) -> None:
    done = _run({**machine, "FACELIVE_HOME": str(Home.find().root)}, "run", "persona", "list", "--help")
    assert done.returncode == 0, done.stderr
    assert "persona list" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
@pytest.mark.parametrize("command", [[], ["uninstall"]])
def test_refuses_while_obs_runs(machine: dict[str, str], tmp_path: Path, command: list[str]) -> None:
    with process_named_obs(tmp_path, machine):
        done = _run(machine, *command)
    assert done.returncode == 1
    assert "OBS is running" in done.stderr and "Close it" in done.stderr
    assert not (tmp_path / "home").exists()
    assert (tmp_path / "config/obs-studio/basic/scenes/A.json").read_text() == json.dumps(SCENES)


def test_refuses_sudo(machine: dict[str, str], tmp_path: Path) -> None:
    done = _run({**machine, "SUDO_USER": "me"})
    assert done.returncode == 1 and "without sudo" in done.stderr
    assert not (tmp_path / "home").exists()


def test_something_in_the_way_is_not_deleted(machine: dict[str, str], tmp_path: Path) -> None:
    photos = tmp_path / "home/env/photos.txt"
    photos.parent.mkdir(parents=True)
    photos.touch()
    done = _run(machine)
    assert done.returncode == 1 and "in the way" in done.stderr
    assert photos.exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="writes where only root may")
def test_an_unwritable_home(machine: dict[str, str]) -> None:
    done = _run({**machine, "FACELIVE_HOME": "/proc/facelive"})
    assert done.returncode == 1 and "/proc/facelive" in done.stderr


def _set_up_by_hand(home: Home, root: Path) -> None:
    """What set-up leaves behind, without its weight, and things of the person's own beside it."""
    script = home.env / "lib/python3.11/site-packages/obs_facelive/script/facelive.py"
    for file in [script, home.env / "pyvenv.cfg", home.logs / "engine.log", home.root / "cache/wheels/a.whl"]:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    people = {
        "amina": {"origin": "shipped"},
        "bruno": {"origin": "mix", "pack": "FaceLive"},
        "my-mix": {"origin": "mix", "pack": ""},
        "me": {"origin": "photo"},
        "broken": {},
    }
    for name, info in people.items():
        (home.personas / name).mkdir(parents=True)
        (home.personas / name / "persona.json").write_text(json.dumps(info))
    home.models.mkdir()
    for model in ("net.onnx", "mine.onnx"):
        (home.models / model).touch()
    (home.models / "manifest.json").write_text('{"net.onnx": {}}')
    assert not any(n.bad for n in add_everywhere([Configuration(root)], script, None, home.root / "obs.json"))
    assert scripts(root / "basic/scenes/A.json") == [script]


@pytest.mark.parametrize("everything", [False, True])
def test_uninstall(machine: dict[str, str], tmp_path: Path, everything: bool) -> None:
    home, root = Home(tmp_path / "home"), tmp_path / "config/obs-studio"
    before = {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}
    _set_up_by_hand(home, root)
    icon = shortcut.shortcut_file("linux", tmp_path, machine)
    shortcut.add_shortcut(icon, shortcut.shortcut_text(home.program, system="linux"))
    done = _run(machine, "uninstall", *["--all"] * everything)
    assert done.returncode == 0, done.stderr
    assert {p: p.read_bytes() for p in root.rglob("*") if p.is_file()} == before
    left = {p.relative_to(home.root).as_posix() for p in home.root.rglob("*") if p.is_file()}
    mine = {f"personas/{name}/persona.json" for name in ("me", "my-mix", "broken")} | {"models/mine.onnx"}
    assert left == (set() if everything else mine)
    assert home.root.exists() is not everything
    assert not icon.exists() and str(icon) in done.stdout
    assert _run(machine, "uninstall").returncode == 0


def _wheel(folder: Path, name: str, version: str, needs: str = "") -> None:
    """A wheel of ``name`` that owns the package ``onnxruntime``, as all ONNX Runtimes do."""
    stem = f"{name.replace('-', '_')}-{version}"
    files = {
        "onnxruntime/__init__.py" if name.startswith("onnx") else f"{name}.py": f"made_by = {name!r}",
        f"{stem}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{stem}.dist-info/RECORD"])
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
        for file, content in {**files, f"{stem}.dist-info/RECORD": record}.items():
            wheel.writestr(file, content)


@pytest.mark.slow
def test_one_onnx_runtime_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new graphics card: plain ONNX Runtime is installed, the other is wanted, and both own the same files."""
    _wheel(tmp_path, "onnxruntime", "1.0")
    _wheel(tmp_path, "onnxruntime-gpu", "1.0")
    _wheel(tmp_path, "app", "1.0", "Requires-Dist: onnxruntime-gpu\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    env = Environment(Home(tmp_path / "home"))
    python = next(iter(interpreters([sys.version_info[1]])))
    env.home.root.mkdir()
    env.make_empty(python)
    env.pip("install", "onnxruntime")
    env.pip("install", "app")
    env.keep_only("onnxruntime-gpu", ["app"])
    done = env.ask(
        "import importlib.metadata as m, onnxruntime; print(onnxruntime.made_by, m.version('onnxruntime-gpu'))"
    )
    assert done.stdout.split() == ["onnxruntime-gpu", "1.0"]
    assert env.ask("import importlib.metadata as m; m.version('onnxruntime')").returncode != 0
    with pytest.raises(Problem, match=r"(?s)No matching distribution.*Is this computer online.*install\.log"):
        env.pip("install", "no-such-package")


def test_the_fingerprint_follows_the_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "CHECKOUT", tmp_path)
    for name in (
        "pyproject.toml",
        "obs_facelive/a.py",
        "obs_facelive/obs/captions/1.png",
        "models/m.toml",
        "tools/t.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    fingerprints = [environment.fingerprint(tests=False)]
    for name in ("tools/t.py", "obs_facelive/__pycache__/a.pyc"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("changed")
        assert environment.fingerprint(tests=False) == fingerprints[0]
    in_place = environment.fingerprint(tests=True)
    for name in ("obs_facelive/a.py", "obs_facelive/obs/captions/1.png", "models/m.toml"):
        (tmp_path / name).write_text("changed")
        assert environment.fingerprint(tests=True) == in_place
        fingerprints.append(environment.fingerprint(tests=False))
    (tmp_path / "pyproject.toml").write_text("changed")
    assert environment.fingerprint(tests=True) != in_place
    fingerprints.append(environment.fingerprint(tests=False))
    assert len(set(fingerprints)) == len(fingerprints)


@pytest.mark.parametrize("tests", [False, True])
def test_kernels_of_other_sources_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tests: bool) -> None:
    monkeypatch.setattr(environment, "CHECKOUT", tmp_path / "checkout")
    env = Environment(Home(tmp_path / "home"), tests)
    place = tmp_path / "checkout" if tests else env.home.env / "lib" / "python3.11" / "site-packages"
    source, constants = (tmp_path / "checkout" / "obs_facelive" / name for name in ("kernel.py", "constants.py"))
    kernels = [
        place / "obs_facelive" / "swap" / "__pycache__" / f"kernel.draw-1.py311.{end}" for end in ("nbi", "1.nbc")
    ]
    for file in (source, constants, tmp_path / "checkout" / "pyproject.toml", *kernels):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("first")
    env.home.env.mkdir(exist_ok=True, parents=True)
    env.forget_kernels()
    assert not any(kernel.exists() for kernel in kernels), "nobody knows of which sources they are"
    for kernel in kernels:
        kernel.write_text("compiled")
    env.forget_kernels()
    assert all(kernel.exists() for kernel in kernels)
    constants.write_text("second")
    env.forget_kernels()
    assert not any(kernel.exists() for kernel in kernels)


def test_the_script_is_in_the_environment() -> None:
    script = Environment(Home.find()).script
    assert script.is_relative_to(Home.find().env) and script.name == "facelive.py"
    assert Environment(Home.find(), tests=True).script.is_file()


def test_debian_packages_are_named_where_we_may_not_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    with pytest.raises(Problem, match=r"sudo apt-get install xvfb obs-studio"):
        debian_install("Missing.", "xvfb", "obs-studio")
