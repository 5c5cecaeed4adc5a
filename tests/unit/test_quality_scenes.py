"""Scenes are what their truth says; things hide what their alpha says; the whole command judges a clip."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.frame import Floats, Pixels
from obs_facelive.home import Home
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.topology import load_canonical_face
from tests.unit.drawn_face import HEIGHT, WIDTH, face_points, skin
from tools.demo_clip import load_renderer
from tools.quality.__main__ import main
from tools.quality.areas import eye_distance, inner_face
from tools.quality.lighting import balance
from tools.quality.overlay import Overlay, Shadow
from tools.quality.row import Row, read_csv, write_csv
from tools.quality.scenes import HEIGHT as TALL
from tools.quality.scenes import SCENES, Shot, shoot
from tools.quality.scenes import WIDTH as WIDE
from tools.quality.things import THINGS, Moment
from tools.recogniser import face_points as found_points
from tools.recogniser import recogniser_file
from tools.talking_head.renderer import Renderer
from tools.wheels import UnavailableError


@pytest.fixture(scope="module")
def renderer(models: Path) -> Renderer:
    return load_renderer(models, Home.find().root / "cache" / "wheels", WIDE, TALL)


@pytest.fixture(scope="module")
def points(models: Path) -> Floats:
    return face_points(load_canonical_face(models))


def at(name: str, share: float, renderer: Renderer) -> Shot:
    return shoot(SCENES[name], renderer, round(share * (SCENES[name].frames - 1)))


def test_the_points_are_where_the_face_is(renderer: Renderer, models: Path) -> None:
    shot = at("glasses", 0.0, renderer)
    picture = renderer.expose(shot.clean, 0)
    found = found_points(picture, BlazeFace(models), FaceMesh(models))
    assert found is not None
    apart = np.linalg.norm(found[:, :2] - shot.points[:, :2], axis=1)
    assert np.median(apart) < 0.03 * eye_distance(shot.points)


def test_the_sweep_goes_to_both_sides() -> None:
    yaw = [SCENES["sweep"].motion(u).yaw for u in np.linspace(0, 1, 91)]
    assert min(yaw) == pytest.approx(-70, abs=1)
    assert max(yaw) == pytest.approx(70, abs=1)
    assert np.abs(np.diff(yaw)).max() < 8


def test_the_lamp_goes_around_the_face(renderer: Renderer) -> None:
    first, last = (at("sidelight", u, renderer) for u in (0.0, 1.0))
    sides = [
        balance(np.clip(s.clean, 0, 255).astype(np.uint8), inner_face(s.points, TALL, WIDE)) for s in (first, last)
    ]
    assert sides[0] > 0.1 > -0.1 > sides[1]
    assert first.light[0] < -0.8
    assert last.light[0] > 0.8


def test_a_hand_hides_what_its_alpha_says_and_nothing_else(renderer: Renderer) -> None:
    shot = at("hand", 0.5, renderer)
    face = inner_face(shot.points, TALL, WIDE)
    assert 0.3 < shot.alpha[face].mean() < 0.9
    change = np.abs(shot.picture - shot.clean).max(axis=2)
    assert change[(shot.alpha > 0.9) & face].mean() > 10
    far = np.zeros_like(face)
    far[:, :200] = True
    assert change[far].max() < 0.5


def test_a_dark_room_is_dark(renderer: Renderer) -> None:
    shot = at("dim", 0.5, renderer)
    assert shot.clean.mean() < 45
    noise = renderer.expose(shot.clean, 1, SCENES["dim"].noise).astype(np.float32) - np.clip(shot.clean, 0, 255)
    assert noise.std() > 2.5


@pytest.mark.parametrize("name", THINGS)
def test_things_hide_a_part_of_the_face_and_cast_a_shadow(name: str, points: Floats) -> None:
    overlay = THINGS[name](moment(points, 0.5))
    face = inner_face(points, HEIGHT, WIDTH)
    assert overlay.alpha.min() >= 0
    assert overlay.alpha.max() == pytest.approx(1, abs=0.02)
    assert 50 < np.count_nonzero(overlay.alpha[face] > 0.9) < 0.9 * face.sum()
    assert overlay.shade[overlay.alpha == 0].min() < 0.95
    assert (overlay.colour <= 255 * overlay.alpha[..., None] + 1).all()


@pytest.mark.parametrize("name", THINGS)
def test_things_before_a_face_that_leaves_the_picture(name: str, points: Floats) -> None:
    overlay = THINGS[name](moment(points + np.array([WIDTH * 0.6, HEIGHT * 0.6, 0], np.float32), 0.5))
    assert overlay.alpha.shape == (HEIGHT, WIDTH)


def test_what_moves_by_itself_moves(points: Floats) -> None:
    first, last = (THINGS["hand"](moment(points, u)).alpha for u in (0.2, 0.8))
    columns = np.arange(WIDTH)
    assert (first * columns).sum() / first.sum() > (last * columns).sum() / last.sum() + 80


def test_an_overlay_leaves_the_rest_of_the_picture_alone() -> None:
    alpha = np.zeros((HEIGHT, WIDTH), np.float32)
    alpha[100:200, 100:200] = 1
    overlay = Overlay(alpha[..., None] * np.array([10, 20, 30], np.float32), alpha, Shadow(0, 20, 5, 0.5).of(alpha))
    before: Pixels = np.dstack([skin(), np.full((HEIGHT, WIDTH), 255, np.uint8)])
    after = overlay.on(before)
    assert after[150, 150, :3].astype(int) == pytest.approx([10, 20, 30], abs=10)
    assert (after[300:] == before[300:]).all()
    assert after[210, 150, 1] < 0.7 * before[210, 150, 1]
    assert (after[..., 3] == 255).all()


def moment(points: Floats, progress: float) -> Moment:
    return Moment(WIDTH, HEIGHT, points, points, np.array([120, 150, 200], np.float32), 1.0, progress)


def test_the_command_judges_a_clip(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home.find()
    try:
        recogniser_file(home)
    except UnavailableError as problem:
        pytest.skip(str(problem))
    persona = home.persona_names()[0]
    earlier, out = tmp_path / "earlier.csv", tmp_path / "out"
    write_csv([Row("d10", persona, "seam.step", 9.0, 4), Row("d10", persona, "expression.landmarks", 0.01, 4)], earlier)
    few = ("--frames", "4", "--runs", "1", "--thorough", "1", "--personas", persona, "--measures", "worn")
    clip = str(data / "clips" / "d10.mp4")
    monkeypatch.setattr(sys, "argv", ["quality", "--out", str(out), "--against", str(earlier), "--clips", clip, *few])
    assert main() == 0
    found = {row.measure: row.value for row in read_csv(out)}
    assert {"live", "expression.landmarks", "identity.share", "steadiness.ratio", "seam.step"} <= found.keys()
    assert found["live"] == 1
    assert found["expression.landmarks"] < 5
    page = (out / "report.html").read_text()
    assert ">better</td>" in page
    assert ">worse</td>" in page
    assert {"quality.csv", "report.html", "d10.jpg"} <= {file.name for file in out.iterdir()}


def test_the_command_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["quality", "--out", str(tmp_path / "o"), "--against", str(tmp_path / "no")])
    assert main() == 1
    assert "no" in capsys.readouterr().err
