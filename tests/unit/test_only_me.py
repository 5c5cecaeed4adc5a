"""Only the owner is swapped, from pixels to pixels: talking heads who change places, and one who leaves and returns."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.engine.stages import Stages
from obs_facelive.geometry import box_of, overlap
from obs_facelive.home import Home
from obs_facelive.offline import Swapping, cover
from obs_facelive.settings import Settings
from obs_facelive.view import compose
from tools.company import Role, Scene, Shot, goes_out, load_cast, shots, sits, walks
from tools.only_me_report import OWNER, enrolled, judge
from tools.talking_head.renderer import Renderer

GUEST = "P008"
SETTINGS = Settings(only_me=True, persona="leila", badge="off")
PASS = Scene("they pass", 3, (Role(OWNER, walks(0.25, 0.75, 0.4, 2.2)), Role(GUEST, walks(0.75, 0.25, 0.4, 2.2), 8)))
RETURN = Scene("owner returns", 4, (Role(GUEST, sits(0.72), 5), Role(OWNER, goes_out(0.3, 0.4, 2.2, -0.25))))


@pytest.fixture(scope="module")
def cast(models: Path) -> dict[str, Renderer]:
    return load_cast(PASS, models, Home.find().root / "cache" / "wheels", 640, 360)


@pytest.fixture(scope="module")
def stages(cast: dict[str, Renderer], tmp_path_factory: pytest.TempPathFactory) -> Stages:
    """Of a data folder in which the owner is enrolled."""
    return enrolled(Home.find(), Home(tmp_path_factory.mktemp("home")), cast)


@pytest.fixture(scope="module")
def pair(cast: dict[str, Renderer]) -> list[Shot]:
    """A second of two who sit side by side."""
    scene = Scene("two", 0.5, (Role(GUEST, sits(0.72), 5), Role(OWNER, sits(0.3))))
    return list(shots(scene, cast))


@pytest.mark.parametrize("scene", [PASS, pytest.param(RETURN, marks=pytest.mark.slow)], ids=lambda scene: scene.name)
def test_the_owner_is_swapped_and_nobody_else(
    scene: Scene, cast: dict[str, Renderer], stages: Stages, models: Path
) -> None:
    tally = judge(shots(scene, cast), stages.pipeline(SETTINGS), BlazeFace(models), SETTINGS, None)

    assert tally.both > 50
    assert tally.share >= 0.96, "of so few pictures, one or two of the moment when they part are many"
    assert tally.others_swapped == 0 and tally.bare_owner == 0
    assert tally.looks < tally.frames


@pytest.mark.parametrize("no_face", ["hold", "camera"])
def test_without_an_enrolment_every_picture_is_covered(pair: list[Shot], no_face: str) -> None:
    home = Home.find()
    assert not (home.identity / "owner").exists(), "the tests' own data folder has no owner"
    settings = replace_settings(no_face=no_face)
    swapping = Swapping(Stages(home, "cpu").pipeline(settings), settings)
    for shot in pair[:4]:
        np.testing.assert_array_equal(swapping.picture(shot.frame), cover(shot.frame.pixels))
    assert swapping.counts.covered == 4 and swapping.counts.swapped == 0


def test_others_are_covered_where_that_was_chosen(pair: list[Shot], stages: Stages, models: Path) -> None:
    detector, settings = BlazeFace(models), replace_settings(others="cover")
    pipeline = stages.pipeline(settings)
    for shot in pair:
        outcome = pipeline.process(shot.frame, settings)
        assert len(outcome.faces) == 1 and outcome.company
        shown = compose(shot.frame, outcome.patches)
        guest = box_of(shot.places[GUEST].points)
        found = detector.detect(shown).boxes
        assert len(found) == 1 and overlap(guest, found).max() < 0.1


def test_alone_with_a_guest_the_picture_is_shown_only_where_that_was_chosen(
    cast: dict[str, Renderer], stages: Stages, models: Path
) -> None:
    """The guest is left or covered as the setting says, once it is sure that it is not the owner."""
    alone = list(shots(Scene("guest", 0.2, (Role(GUEST, sits(0.5), 5),)), cast))
    for others, bare in (("leave", True), ("cover", False)):
        settings = replace_settings(no_face="camera", others=others)
        swapping = Swapping(stages.pipeline(settings), settings)
        pictures = [swapping.picture(shot.frame) for shot in alone]
        assert (pictures[-1] == alone[-1].frame.pixels).all() == bare
        if not bare:
            assert len(BlazeFace(models).detect(pictures[-1])) == 0
            corner = np.s_[:40, :40]
            np.testing.assert_array_equal(pictures[-1][corner], alone[-1].frame.pixels[corner])
    settings = replace_settings(no_face="hold")
    swapping = Swapping(stages.pipeline(settings), settings)
    assert all((swapping.picture(shot.frame) == cover(shot.frame.pixels)).all() for shot in alone)


def replace_settings(**changes: object) -> Settings:
    """`SETTINGS` with changes."""
    return msgspec.structs.replace(SETTINGS, **changes)
