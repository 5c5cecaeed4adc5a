"""One persona becoming another: begins as the one, ends as the other, and no step between is a jump."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from obs_facelive.engine.stages import Stages
from obs_facelive.frame import Floats, Frame, Layer, Pixels
from obs_facelive.home import Home
from obs_facelive.personas.library import load_persona
from obs_facelive.pipeline import Pipeline
from obs_facelive.settings import Settings
from obs_facelive.steps import Outcome
from obs_facelive.swap.crossfade import Fade, mix
from obs_facelive.view import compose
from tests.conftest import ReadFrames

SECONDS = 0.4


def test_a_fade_begins_with_its_first_frame_and_ends() -> None:
    fade = Fade(0.4)
    shares = [fade.share(10 + step / 100) for step in range(50)]
    assert shares[0] == 0 and shares[40:] == [1] * 10
    assert shares == sorted(shares) and max(np.diff(shares)) < 0.05
    assert Fade(0).share(5) == 1
    fade = Fade(2)
    assert fade.share(1) == 0
    fade.end()
    assert fade.share(1.01) == 1


def layer(x: int, value: int, mask: int) -> Layer:
    return Layer(x, 0, np.full((4, 6, 3), value, np.uint8), np.full((4, 6), mask, np.uint8))


def test_layers_are_mixed_by_their_masks() -> None:
    half = mix(layer(0, 100, 255), layer(0, 200, 255), 0.5)
    assert (half.pixels == 150).all() and (half.mask == 255).all()
    one = mix(layer(0, 100, 255), layer(0, 0, 0), 0.5)  # the other has nothing there: it is no black
    assert (one.pixels == 100).all() and (one.mask == 128).all()
    wide = mix(layer(0, 100, 255), layer(4, 200, 255), 0.5)
    assert (wide.x, wide.mask.shape) == (0, (4, 10))
    assert (wide.pixels[:, :4] == 100).all() and (wide.pixels[:, 6:] == 200).all()


@pytest.fixture(scope="module")
def stages(models: Path) -> Stages:
    home = Home.find()
    if len(home.persona_names()) < 2:
        pytest.skip("no personas: run 'python3 install.py'")
    return Stages(home, "cpu")


def pipeline(stages: Stages, number: int) -> Pipeline:
    home = Home.find()
    return stages.pipeline(Settings(), load_persona(home.personas / home.persona_names()[number]))


def shown(frame: Frame, outcome: Outcome) -> Pixels:
    assert outcome.faces and outcome.patches and not outcome.turned
    return compose(frame, outcome.patches)


def test_nothing_jumps_when_a_persona_becomes_another(stages: Stages, frames: ReadFrames) -> None:
    picture = frames("d9.mp4", 1)[0]
    settings = Settings(badge="off")
    old, new, alone = (pipeline(stages, number) for number in (0, 1, 1))
    times = iter(step / 30 for step in range(1000))

    def run(worn: Pipeline, count: int) -> list[Floats]:
        pictures = []
        for _ in range(count):
            frame = Frame(picture, 0, next(times))
            pictures.append(shown(frame, worn.process(frame, settings)).astype(np.float32))
        return pictures

    before = run(old, 40)
    hard = run(alone, 1)[0]
    new.follow(old, SECONDS)
    during = run(new, 40)
    jump = np.abs(hard - before[-1]).mean()
    # The invisible mark is as strong as the patch allows, and the new patch is of another size.
    assert np.abs(during[0] - before[-1]).mean() < 0.1 * jump, "the first frame is the old persona's"
    steps = [np.abs(b - a).mean() for a, b in zip([before[-1], *during], during, strict=False)]
    assert max(steps) < 0.35 * jump
    assert np.abs(during[-1] - before[-1]).mean() > 0.8 * jump, "the last one is the new one's"
    between = [np.abs(p - picture).mean() for p in during]
    assert min(between) > 0.3 * np.abs(before[-1] - picture).mean(), "the bare face comes through"


def test_a_fade_can_be_ended_at_once(stages: Stages, frames: ReadFrames) -> None:
    picture = frames("d9.mp4", 1)[0]
    settings = Settings(badge="off")
    old, new = pipeline(stages, 0), pipeline(stages, 1)
    shown(Frame(picture, 0, 0.0), old.process(Frame(picture, 0, 0.0), settings))
    new.follow(old, 2.0)
    first = shown(Frame(picture, 1, 0.03), new.process(Frame(picture, 1, 0.03), settings)).astype(np.float32)
    new.end_fade()
    second = shown(Frame(picture, 2, 0.06), new.process(Frame(picture, 2, 0.06), settings)).astype(np.float32)
    third = shown(Frame(picture, 3, 0.09), new.process(Frame(picture, 3, 0.09), settings)).astype(np.float32)
    assert np.abs(second - first).mean() > 5 * np.abs(third - second).mean()
