"""`facelive doctor`: says what is wrong with an installation that has something wrong, and nothing otherwise."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from obs_facelive.doctor import examine
from obs_facelive.finding import Finding
from obs_facelive.home import Home


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """OBS's configuration folder, with nothing in it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    root = tmp_path / "config/obs-studio"
    (root / "basic/scenes").mkdir(parents=True)
    return root


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A copy of the models and of two personas of the installation under test."""
    real, copy = Home.find(), Home(tmp_path / "home")
    shutil.copytree(real.models, copy.models)
    for name in real.persona_names()[:2]:
        shutil.copytree(real.personas / name, copy.personas / name)
    return copy


def _by_name(home: Home) -> dict[str, Finding]:
    findings = examine(home)
    assert all((finding.status == "ok") == (not finding.remedy) for finding in findings)
    return {finding.name: finding for finding in findings}


def test_a_good_installation(home: Home, config: Path, tmp_path: Path) -> None:
    script = tmp_path / "obs_facelive/script/facelive.py"
    script.parent.mkdir(parents=True)
    script.touch()
    data = {"modules": {"scripts-tool": [{"path": str(script), "settings": {}}]}}
    (config / "basic/scenes/Mine.json").write_text(json.dumps(data))
    found = _by_name(home)
    assert {name for name, finding in found.items() if finding.status != "ok"} <= {"OBS", "virtual camera"}
    assert found["scene collection Mine"].found == str(script)
    assert found["landmarks on cpu"].found.endswith("ms, one thread")
    assert "CPUExecutionProvider" in found["ONNX Runtime"].found
    if shutil.which("obs"):
        assert "OBS embeds Python 3." in found["OBS"].found


def test_nothing_there(tmp_path: Path, config: Path) -> None:
    shutil.rmtree(config)
    found = _by_name(Home(tmp_path / "home"))
    assert found["OBS configuration"].status == "warn"
    assert found["personas"].status == "bad"
    assert {f.found for name, f in found.items() if name.startswith("model ")} == {"missing"}
    assert "install.py" in found["landmarks on cpu"].remedy
    assert "has not run" in found["engine's log"].found


def test_damage_is_seen(home: Home, config: Path) -> None:
    model = home.models / "face_blendshapes_v2.onnx"
    model.write_bytes(model.read_bytes()[:-1] + b"\x00\x01")
    first, second = home.persona_names()
    mesh = home.personas / first / "mesh.npz"
    mesh.write_bytes(mesh.read_bytes()[1:])
    scenes = config / "basic/scenes"
    gone = {"modules": {"scripts-tool": [{"path": "/gone/obs_facelive/script/facelive.py"}]}}
    for name, content in (("Gone", json.dumps(gone)), ("Bare", "{}"), ("Torn", "{")):
        (scenes / f"{name}.json").write_text(content)
    found = _by_name(home)
    assert found["model face_blendshapes_v2.onnx"].status == "bad"
    assert found["model face_blendshapes_v2.onnx"].found == "damaged"
    assert found["model face_landmarks_v2_478.onnx"].status == "ok"
    assert found[f"persona {first}"].status == "warn"
    assert found["personas"].found.lower() == second
    assert found["scene collection Gone"].status == "bad"
    assert found["scene collection Bare"].status == "warn"
    assert "left as it is" in found["scene collection Torn"].remedy


def test_a_flatpak_obs(home: Home, config: Path, tmp_path: Path) -> None:
    flatpak = tmp_path / ".var/app/com.obsproject.Studio/config/obs-studio/basic"
    flatpak.mkdir(parents=True)
    if os.name == "posix":
        assert "cannot work" in _by_name(home)["OBS configuration (flatpak)"].remedy


def test_errors_of_the_last_run_only(home: Home, config: Path) -> None:
    home.logs.mkdir()
    log = home.logs / "engine.log"
    start = "2026-01-01 10:00:00,000 7 INFO obs_facelive.engine.main: engine starts, device auto\n"
    error = (
        "2026-01-01 10:00:01,000 7 ERROR obs_facelive.engine.session: it broke\nTraceback (most recent call last):\n"
    )
    log.write_text(start + error + start)
    assert _by_name(home)["engine's log"].status == "ok"
    log.write_text(start + start + error + error)
    finding = _by_name(home)["engine's log"]
    assert finding.status == "warn"
    assert "2 errors" in finding.found and "it broke" in finding.found
