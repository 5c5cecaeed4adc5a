"""The live face's own folds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from obs_facelive.frame import Floats, Pixels, Surface
from obs_facelive.surface import FINE, SIZE
from obs_facelive.swap.folds import LiveFolds, RestingFace
from obs_facelive.topology import load_canonical_face

AHEAD = np.ones(468, np.float32)
CHEEK = (150, 90)
"""Row, column."""


@pytest.fixture(scope="module")
def live(models: Path) -> LiveFolds:
    return LiveFolds(load_canonical_face(models))


def skin(line: int = 0, light: float = 1.0) -> Surface:
    """Plain skin under ``light``, with a dark ``line`` across a cheek."""
    pixels: Pixels = np.full((FINE, FINE, 3), (110, 140, 180), np.uint8)
    if line:
        cv2.line(pixels, (CHEEK[1] - 8, CHEEK[0] - 8), (CHEEK[1] + 8, CHEEK[0] + 8), (110 - line,) * 3, 4, cv2.LINE_AA)
    lit = np.clip(pixels * light, 0, 255).astype(np.uint8)
    return Surface(lit, np.zeros((SIZE, SIZE), np.uint8))


def at_rest(live: LiveFolds, surface: Surface, seconds: float = 4.0) -> RestingFace:
    face = RestingFace()
    for _ in range(round(seconds * 10)):
        folds = face.folds(live, surface, AHEAD, 0.0, 0.1)
        assert np.abs(folds).max() < 0.02, "a face at rest has no folds of its own to add"
    return face


def folded(live: LiveFolds, face: RestingFace, surface: Surface, visible: Floats = AHEAD) -> Floats:
    for _ in range(5):
        folds = face.folds(live, surface, visible, 3.0, 0.04)
    return folds


def test_a_fold_darkens_the_skin_where_it_is(live: LiveFolds) -> None:
    folds = folded(live, at_rest(live, skin()), skin(line=50))
    assert folds[CHEEK] < -0.15
    assert np.abs(folds[40:80, 100:150]).max() < 0.02, "elsewhere nothing changes"


def test_a_wrinkle_that_is_always_there_is_no_fold(live: LiveFolds) -> None:
    assert abs(folded(live, at_rest(live, skin(line=50)), skin(line=50))[CHEEK]) < 0.03


def test_light_is_no_fold(live: LiveFolds) -> None:
    assert np.abs(folded(live, at_rest(live, skin()), skin(light=1.25))).max() < 0.04


def test_what_hides_the_face_is_no_fold(live: LiveFolds) -> None:
    hidden = replace(skin(line=50), hidden=np.full((SIZE, SIZE), 255, np.uint8))
    assert np.abs(folded(live, at_rest(live, skin()), hidden)).max() < 0.02


def test_a_head_that_turns_away_has_its_shadows_elsewhere(live: LiveFolds) -> None:
    turned = np.full(468, 0.3, np.float32)
    assert np.abs(folded(live, at_rest(live, skin()), skin(line=50), turned)).max() < 0.02


def test_an_unknown_face_shows_no_folds_at_first(live: LiveFolds) -> None:
    face = RestingFace()
    assert not face.folds(live, skin(line=50), AHEAD, 3.0, 0.0).any()
    assert np.abs(face.folds(live, skin(), AHEAD, 3.0, 0.03)).max() < 0.05
