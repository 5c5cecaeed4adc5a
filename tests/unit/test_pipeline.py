"""The stages together: what is worn, what is not shown at all, what is timed."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

import cv2
import msgspec
import numpy as np
import pytest

from obs_facelive.engine.stages import Stages
from obs_facelive.frame import Floats, Frame, Landmarks, Pixels, Roi, Surface
from obs_facelive.geometry import head_pose
from obs_facelive.home import Home
from obs_facelive.link.layout import MAX_PATCHES
from obs_facelive.mask.occlusion import MOST_HIDDEN, Occlusion
from obs_facelive.personas.consent import stated
from obs_facelive.personas.library import load_persona
from obs_facelive.pipeline import FARTHEST_TURN, Pipeline
from obs_facelive.settings import Settings
from obs_facelive.stopwatch import SMOOTH, Stopwatch
from obs_facelive.surface import FINE, SIZE
from obs_facelive.topology import load_canonical_face
from obs_facelive.view import compose


@pytest.fixture(scope="module")
def home() -> Home:
    return Home.find()


@pytest.fixture(scope="module")
def picture(home: Home) -> Pixels:
    good, first = cv2.VideoCapture(str(home.root / "demo" / "camera.mp4")).read()
    assert good
    return np.asarray(cv2.cvtColor(first, cv2.COLOR_BGR2BGRA), np.uint8)


@pytest.fixture
def pipeline(home: Home) -> Pipeline:
    return Stages(home).pipeline(Settings())


def test_the_face_is_worn_and_the_room_is_left_alone(pipeline: Pipeline, picture: Pixels) -> None:
    frame = Frame(picture, 0, 0.0)
    outcome = pipeline.process(frame, Settings(badge="off"))
    assert len(outcome.faces) == len(outcome.patches) == 1 and not outcome.turned
    changed = (compose(frame, outcome.patches) != picture).any(axis=2)
    assert 0.02 < changed.mean() < 0.3
    x, y = outcome.faces[0].points[4, :2].astype(int)
    assert changed[y - 5 : y + 5, x - 5 : x + 5].all()


def test_the_badge_is_one_more_patch_in_its_corner(pipeline: Pipeline, picture: Pixels) -> None:
    outcome = pipeline.process(Frame(picture, 0, 0.0), Settings(badge="bottom-left"))
    badge = outcome.patches[-1]
    assert badge.x < 100 and badge.y > 600
    assert badge.pixels[..., :3].max() > 200  # letters that can be read


def test_the_largest_badge_on_a_whole_picture_fits_into_the_link(pipeline: Pipeline, picture: Pixels) -> None:
    frame = Frame(picture, 0, 0.0)
    patches = pipeline.process(frame, Settings(view="side", badge_size=15)).patches
    assert sum(patch.pixels.nbytes for patch in patches) <= picture.nbytes
    without = pipeline.process(frame, Settings(view="side", badge="off")).patches
    shown, bare = compose(frame, patches), compose(frame, without)
    assert not np.array_equal(shown[:150, -450:], bare[:150, -450:])


@pytest.mark.parametrize("kind, patches", [("synthetic", 1), ("self", 2), ("granted", 2)])
def test_a_real_persons_face_is_never_worn_without_the_badge(
    home: Home, picture: Pixels, kind: Literal["synthetic", "self", "granted"], patches: int
) -> None:
    stages = Stages(home)
    persona = load_persona(stages.persona_folder(""))
    info = msgspec.structs.replace(persona.info, kind=kind)
    record = stated(info, by="Somebody", purpose="a test") if info.real else None
    worn = dataclasses.replace(persona, info=info, consent=record)
    outcome = stages.pipeline(Settings(), worn).process(Frame(picture, 0, 0.0), Settings(badge="off"))
    assert len(outcome.patches) == patches


def test_a_personas_own_settings_stand_where_the_wearers_are_at_their_defaults(home: Home, picture: Pixels) -> None:
    stages = Stages(home)
    persona = load_persona(stages.persona_folder(""))
    worn = dataclasses.replace(persona, info=msgspec.structs.replace(persona.info, settings={"opacity": 0}))
    for settings, changed in ((Settings(badge="off"), False), (Settings(badge="off", opacity=60), True)):
        outcome = stages.pipeline(settings, worn).process(Frame(picture, 0, 0.0), settings)
        assert bool((compose(Frame(picture, 0, 0.0), outcome.patches) != picture).any()) is changed


@pytest.mark.parametrize("view", ["landmarks", "mask", "side"])
def test_every_view_fits_the_link(pipeline: Pipeline, picture: Pixels, view: str) -> None:
    outcome = pipeline.process(Frame(picture, 0, 0.0), Settings(view=view))  # type: ignore[arg-type]
    assert 0 < len(outcome.patches) <= MAX_PATCHES
    assert sum(p.pixels.nbytes for p in outcome.patches) <= picture.nbytes + (1 << 18)


class _TurnedMesh:
    """The real landmarker, its points turned about the head's own axis: no clip here turns so far."""

    def __init__(self, real: Pipeline, degrees: float) -> None:
        self._real, self._angle = real._landmarker, np.radians(degrees)

    def landmarks(self, pixels: Pixels, roi: Roi) -> Landmarks:
        found = self._real.landmarks(pixels, roi)
        centre = found.points.mean(0)
        cos, sin = np.cos(self._angle), np.sin(self._angle)
        turn = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
        return Landmarks(((found.points - centre) @ turn + centre).astype(np.float32), found.score)

    def blendshapes(self, points: Floats) -> Floats:
        return self._real.blendshapes(points)


@pytest.mark.parametrize("degrees, hidden", [(-65, True), (-30, False), (30, False), (65, True)])
def test_a_face_that_looks_aside_is_not_half_covered(
    home: Home, pipeline: Pipeline, picture: Pixels, degrees: float, hidden: bool
) -> None:
    pipeline._landmarker = _TurnedMesh(pipeline, degrees)
    outcome = pipeline.process(Frame(picture, 0, 0.0), Settings())
    yaw = head_pose(outcome.faces[0].points, load_canonical_face(home.models))[0]
    assert (abs(yaw) > FARTHEST_TURN) is hidden
    assert outcome.turned is hidden
    assert bool(outcome.patches) is not hidden


def test_a_stage_inside_another_counts_for_itself_only(monkeypatch: pytest.MonkeyPatch) -> None:
    # The watch is made; outer begins, inner begins, inner ends, outer ends, the frame ends; another one, without them, ends.
    seconds = iter([0.0, 0.0, 0.001, 0.021, 0.024, 0.1, 0.1 + SMOOTH])
    monkeypatch.setattr("obs_facelive.stopwatch.time.perf_counter", lambda: next(seconds))
    watch = Stopwatch()
    with watch("outer"), watch("inner"):
        pass
    watch.end_frame()
    assert watch.ms == pytest.approx({"outer": 4.0, "inner": 20.0})
    watch.end_frame()
    assert watch.ms == pytest.approx({"outer": 4.0 / math.e, "inner": 20.0 / math.e})


@pytest.mark.parametrize("face, hidden", [("all", True), ("left", False)])
def test_of_several_faces_none_is_bare_while_it_is_not_found(
    home: Home, pipeline: Pipeline, picture: Pixels, face: Literal["all", "left"], hidden: bool
) -> None:
    both = np.ascontiguousarray(np.hstack([picture, picture]))
    settings = Settings(face=face)
    first = pipeline.process(Frame(both, 0, 0.0), settings)
    assert len(first.faces) == (2 if face == "all" else 1) and first.patches
    one = both.copy()
    one[:, picture.shape[1] :] = 90
    second = pipeline.process(Frame(one, 1, 0.03), settings)
    assert (second.turned, bool(second.patches)) == (hidden, not hidden)
    third = pipeline.process(Frame(one, 2, 1.2), settings)
    assert third.patches and not third.turned


def test_the_moved_picture_is_in_the_one_patch_and_its_border_is_the_cameras(
    pipeline: Pipeline, picture: Pixels
) -> None:
    settings = Settings(shape=100, badge="off")
    looked = pipeline.look(Frame(picture, 0, 0.0), settings)
    for number in range(1, 30):
        looked = pipeline.look(Frame(picture, number, number / 30), settings)
    assert looked.reshaped and looked.reshaped.boxes[0]
    (patch,) = pipeline.merge(looked, pipeline.swap(looked, settings), settings).patches
    height, width = patch.pixels.shape[:2]
    left, top, right, bottom = looked.reshaped.boxes[0]
    assert patch.x <= left and patch.y <= top and right <= patch.x + width and bottom <= patch.y + height
    moved = (looked.frame.pixels != picture).any(axis=2)
    assert moved.any() and not moved[:top].any() and not moved[:, right:].any()
    raw = picture[patch.y : patch.y + height, patch.x : patch.x + width]
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        assert np.array_equal(patch.pixels[edge], raw[edge])
    assert pipeline.stages_ms["shape"] > 0


def test_the_patch_of_one_face_does_not_lay_the_bare_picture_over_another(pipeline: Pipeline, picture: Pixels) -> None:
    points = pipeline.process(Frame(picture, 0, 0.0), Settings(shape=0, badge="off")).faces[0].points
    middle, half = int(points[:, 0].min() + points[:, 0].max()) // 2, int(np.ptp(points[:, 0]) * 0.62)
    near = np.hstack([picture[:, middle - half : middle + half]] * 2)
    near = np.asarray(cv2.copyMakeBorder(near, 0, 0, 400, 400, cv2.BORDER_REPLICATE), np.uint8)
    frame, settings = Frame(near, 1, 5.0), Settings(face="all", badge="off")
    outcome = pipeline.process(frame, settings)
    first, second = outcome.patches
    left, right = max(first.x, second.x), min(first.x + first.pixels.shape[1], second.x + second.pixels.shape[1])
    assert right - left > 20, "the patches overlap"
    shown = compose(frame, outcome.patches)
    earlier = compose(frame, [first])
    worn = np.asarray((np.abs(earlier.astype(int) - near) > 12).any(axis=2))
    middle_x = int((outcome.faces[0].points[4, 0] + outcome.faces[1].points[4, 0]) / 2)
    own_half = np.s_[:, :middle_x] if outcome.faces[0].points[4, 0] < middle_x else np.s_[:, middle_x:]
    lost = np.asarray(worn & (np.abs(shown.astype(int) - near) <= 2).all(axis=2))
    assert worn[own_half].sum() > 1000 and not lost[own_half].any()


@pytest.mark.parametrize("view", ["side", "mask"])
def test_setting_up_shows_the_camera_as_it_is(pipeline: Pipeline, picture: Pixels, view: str) -> None:
    outcome = pipeline.process(Frame(picture, 0, 0.0), Settings(view=view, shape=100, badge="off"))  # type: ignore[arg-type]
    if view == "side":
        half = cv2.resize(picture, (picture.shape[1] // 2, picture.shape[0] // 2), interpolation=cv2.INTER_AREA)
        top = picture.shape[0] // 4
        shown = outcome.patches[0].pixels[top : top + half.shape[0], : half.shape[1]]
        assert np.array_equal(shown, half)
    else:
        assert (outcome.patches[0].pixels[..., 1] == 255).any()


def test_a_face_that_is_nearly_all_hidden_is_not_shown(
    pipeline: Pipeline, picture: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in front is left as the camera sees it: if that is all of the face, it may as well be a network that errs."""

    def answer(share: float) -> Surface:
        hidden = np.zeros((SIZE, SIZE), np.uint8)
        hidden[: round(SIZE * (0.25 + share / 2))] = 255
        return Surface(np.zeros((FINE, FINE, 3), np.uint8), hidden)

    monkeypatch.setattr(Occlusion, "look", lambda *_: answer(MOST_HIDDEN + 0.1))
    outcome = pipeline.process(Frame(picture, 0, 0.0), Settings())
    assert outcome.turned and not outcome.patches
    monkeypatch.setattr(Occlusion, "look", lambda *_: answer(MOST_HIDDEN - 0.1))
    outcome = pipeline.process(Frame(picture, 1, 0.03), Settings())
    assert outcome.patches and not outcome.turned
