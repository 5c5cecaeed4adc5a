"""What the tests in a real OBS share: the installation under test, clips, and one collection."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import obs_facelive
from obs_facelive.home import Home
from tests.obs.recording import numbered
from tools.demo_clip import Clip, encode
from tools.obs_config import Collection, Filter, Item, Scene, media

SCRIPT = Path(obs_facelive.__file__).parent / "script" / "facelive.py"
"""FaceLive's script, as a person adds it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs OBS."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.obs)


@pytest.fixture(scope="session")
def home() -> Home:
    """The installation whose engine runs: models and personas must be there."""
    if shutil.which("obs") is None or shutil.which("Xvfb") is None:
        pytest.skip("OBS Studio or Xvfb is not installed (Debian, Ubuntu: apt install obs-studio xvfb)")
    home = Home.find()
    if not home.python.exists() or len(home.persona_names()) < 2:
        pytest.skip(f"no complete installation in {home.root}: run 'python3 install.py'")
    return home


@pytest.fixture(scope="session")
def obs_env(home: Home) -> dict[str, str]:
    """What OBS's environment must say, since its HOME is not ours."""
    return {"FACELIVE_HOME": str(home.root), "PYTHONFAULTHANDLER": "1"}


@pytest.fixture(scope="session")
def camera_clip(home: Home) -> Path:
    """The demo's camera: a person who does not exist, 1280x720, 30 fps."""
    clip = home.root / "demo" / "camera.mp4"
    if not clip.exists():
        pytest.skip(f"{clip} is missing: run 'python3 install.py'")
    return clip


@pytest.fixture(scope="session")
def barcode_clip(camera_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's camera with each frame's number in the picture (`tools.barcode`), top left."""
    out = tmp_path_factory.mktemp("clips") / "barcode.mp4"
    encode(Clip(numbered=True), numbered(camera_clip), out)
    return out


def one_camera(clip: Path, *filters: Filter, name: str = "Test", scripts: tuple[Path, ...] = (SCRIPT,)) -> Collection:
    """A collection with one scene that shows a looping clip, named ``camera``."""
    return Collection(name, [media("camera", clip, filters)], [Scene("Scene", [Item("camera")])], scripts)
