"""Which swapper settings give: the embedded one, a network for the persona, a trained face for the one that it belongs to."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from obs_facelive.brought import add_model, find_model, remove_model
from obs_facelive.catalog import ModelError
from obs_facelive.cli import app
from obs_facelive.engine.stages import Stages
from obs_facelive.frame import Frame
from obs_facelive.home import Home
from obs_facelive.personas.consent import ConsentError
from obs_facelive.personas.library import load_info, load_persona
from obs_facelive.settings import Settings
from tests.real_person import NAME, add_real_persona, consent_to, home_with
from tools.stand_ins.build import write

WIDTH = 0.0625
SWAPPER, HYPERSWAP, RECOGNISER, DFM = "inswapper_128.onnx", "hyperswap_1a_256.onnx", "w600k_r50.onnx", "saehd_224.dfm"
GHOST, CONVERTER, UNIFACE = "ghost_1_256.onnx", "crossface_ghost.onnx", "uniface_256.onnx"


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("networks")
    for file in (SWAPPER, HYPERSWAP, RECOGNISER, DFM, GHOST, CONVERTER, UNIFACE):
        write(folder, file, WIDTH)
    return folder


@pytest.fixture
def own(models: Path, networks: Path, tmp_path: Path) -> Home:
    """A home of its own with all the networks."""
    home = Home.find()
    if len(home.persona_names()) < 2:
        pytest.skip(f"no personas in {home.root}: run 'python3 install.py'")
    made = home_with(home, tmp_path / "home")
    (made.root / "models").unlink()
    shutil.copytree(models, made.models)
    for file in sorted(networks.iterdir()):
        add_model(made, file)
    return made


def settings(engine: str, persona: str = "") -> Settings:
    return Settings(engine=engine, persona=persona, device="cpu", badge="off")


def worn(stages: Stages, chosen: Settings, frame: Frame) -> np.ndarray:
    """The patches of the face that a pipeline makes of ``frame``."""
    outcome = stages.pipeline(chosen).process(frame, chosen)
    assert len(outcome.faces) == 1 and outcome.patches
    return outcome.patches[0].pixels.astype(int)


@pytest.fixture(scope="module")
def frame() -> Frame:
    """Somebody in front of the demo's camera."""
    import av

    clip = Home.find().root / "demo" / "camera.mp4"
    if not clip.exists():
        pytest.skip(f"{clip} is missing: run 'python3 install.py'")
    with av.open(clip) as container:
        return Frame(next(container.decode(video=0)).to_ndarray(format="bgra").astype(np.uint8), 0, 0.0)


@pytest.mark.parametrize("engine", [SWAPPER, HYPERSWAP, GHOST, UNIFACE])
def test_a_network_makes_the_face_of_the_persona(own: Home, engine: str, frame: Frame) -> None:
    stages = Stages(own, "cpu")
    first, second = own.persona_names()
    one, other = (worn(stages, settings(engine, name), frame) for name in (first, second))
    assert one.shape == other.shape and np.abs(one - other).mean() > 0.05, "it does not depend on the persona"
    again = worn(stages, settings(engine, first), frame)
    np.testing.assert_array_equal(one, again)
    assert stages.provider(settings(engine)).startswith("CPU: ") and stages.provider(settings("mesh")) == "CPU"


def test_without_a_recogniser_the_words_say_what_to_do(own: Home) -> None:
    remove_model(own, RECOGNISER)
    with pytest.raises(ModelError, match=r"recogniser.*facelive model add"):
        Stages(own, "cpu").pipeline(settings(SWAPPER))


def test_without_its_converter_the_words_say_what_to_do(own: Home) -> None:
    remove_model(own, CONVERTER)
    with pytest.raises(ModelError, match=f"{GHOST} needs a second model.*facelive model get {CONVERTER}"):
        Stages(own, "cpu").pipeline(settings(GHOST))


@pytest.mark.parametrize("companion", [RECOGNISER, CONVERTER])
def test_what_serves_a_swapper_is_no_engine(own: Home, companion: str) -> None:
    with pytest.raises(ModelError, match="makes no face"):
        Stages(own, "cpu").pipeline(settings(companion))


def test_a_swapper_that_looks_at_the_photo_needs_no_recogniser(own: Home, frame: Frame) -> None:
    remove_model(own, RECOGNISER)
    assert worn(Stages(own, "cpu"), settings(UNIFACE), frame).size


def test_identity_strength_shows(own: Home, frame: Frame) -> None:
    stages, name = Stages(own, "cpu"), own.persona_names()[0]
    whole = settings(GHOST, name)
    strong = msgspec.structs.replace(whole, identity_strength=200)
    one, other = (worn(stages, chosen, frame) for chosen in (whole, strong))
    assert np.abs(one - other).mean() > 0.02
    again = worn(stages, whole, frame)
    np.testing.assert_array_equal(one, again)


@pytest.mark.parametrize("engine", ["nobody.onnx", "../mesh", ""])
def test_an_engine_that_is_not_there_is_named(own: Home, engine: str) -> None:
    with pytest.raises(ModelError, match=f"no model '{engine}'.*{SWAPPER}"):
        Stages(own, "cpu").pipeline(settings(engine))


def test_a_file_that_was_changed_is_refused(own: Home) -> None:
    path = own.models / SWAPPER
    content = bytearray(path.read_bytes())
    content[-9] ^= 1  # in the last weights: still a model
    path.write_bytes(content)
    with pytest.raises(ModelError, match="changed or damaged"):
        Stages(own, "cpu").pipeline(settings(SWAPPER))


def trained(own: Home, monkeypatch: pytest.MonkeyPatch, name: str, file: str) -> tuple[int, str]:
    """What ``facelive persona trained`` says, and its exit status."""
    monkeypatch.setenv("FACELIVE_HOME", str(own.root))
    result = CliRunner().invoke(app, ["persona", "trained", name, file])
    return result.exit_code, result.output


def test_a_trained_face_is_worn_with_its_persona_and_its_consent_only(
    own: Home, monkeypatch: pytest.MonkeyPatch, frame: Frame
) -> None:
    add_real_persona(own, own.personas)
    consent_to(own.personas / NAME)
    stages, chosen = Stages(own, "cpu"), settings(DFM, NAME)
    with pytest.raises(ModelError, match=f"facelive persona trained {NAME} {DFM}"):
        stages.pipeline(chosen)

    status, words = trained(own, monkeypatch, NAME, DFM)
    assert status == 0 and f"persona consent add {NAME}" in words
    assert load_info(own.personas / NAME).trained == find_model(own, DFM).sha256
    with pytest.raises(ConsentError):  # the record was for the photo's face alone
        stages.pipeline(chosen)
    consent_to(own.personas / NAME)
    assert worn(stages, chosen, frame).size

    assert trained(own, monkeypatch, NAME, "")[0] == 0
    consent_to(own.personas / NAME)
    with pytest.raises(ModelError, match="nobody said whose"):
        stages.pipeline(chosen)


def test_nobody_who_does_not_exist_lends_a_trained_face_their_name(own: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = own.persona_names()[0]
    status, words = trained(own, monkeypatch, shipped, DFM)
    assert status != 0 and "somebody's" in words

    persona = load_persona(own.personas / shipped)
    info = msgspec.structs.replace(persona.info, trained=find_model(own, DFM).sha256)
    (own.personas / shipped / "persona.json").write_bytes(msgspec.json.encode(info))  # as a hostile pack would
    with pytest.raises(ModelError, match="nobody said whose"):
        Stages(own, "cpu").pipeline(settings(DFM, shipped))


def test_only_trained_faces_are_trained(own: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    add_real_persona(own, own.personas)
    for file, words in ((SWAPPER, "no trained face"), ("nobody.dfm", "no model")):
        status, said = trained(own, monkeypatch, NAME, file)
        assert status != 0 and words in said
