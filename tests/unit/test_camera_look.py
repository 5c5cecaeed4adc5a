"""What the camera does to a face: grain, detail, and the texture that has as much of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from obs_facelive.swap.camera import LEAST_DETAIL, Camera, Textures, detail_of, grain_of, look

RANDOM = np.random.default_rng(5)


def rough(size: int, contrast: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Skin with pores: smooth noise between 1 and 3 pixels."""
    noise = RANDOM.normal(0, 1, (size, size)).astype(np.float32)
    band = cv2.GaussianBlur(noise, (0, 0), 1.2) - cv2.GaussianBlur(noise, (0, 0), 2.5)
    return np.asarray(140 + band / band.std() * contrast, np.float32)


@pytest.mark.parametrize("sigma", [1.0, 3.0, 8.0])
def test_grain_is_measured(sigma: float) -> None:
    plane = np.full((128, 128), 120, np.float32) + RANDOM.normal(0, sigma, (128, 128)).astype(np.float32)
    assert grain_of(plane) == pytest.approx(sigma, rel=0.15)


def test_a_gradient_has_no_grain() -> None:
    assert grain_of(np.tile(np.linspace(0, 255, 128, dtype=np.float32), (128, 1))) < 0.05


def test_detail_grows_with_contrast_and_grain_does_not_count() -> None:
    weak, strong = detail_of(rough(128, 2), 0.0), detail_of(rough(128, 8), 0.0)
    assert strong > 3 * weak > 0
    plain = np.full((128, 128), 140, np.float32) + RANDOM.normal(0, 4, (128, 128)).astype(np.float32)
    assert detail_of(plain, grain_of(plain)) < weak


def test_too_small_a_picture_says_nothing() -> None:
    assert grain_of(np.zeros((5, 5), np.float32)) == 0.0
    assert look(np.zeros((3, 3, 4), np.uint8), np.array([[0, 0], [2, 2]], np.float32)).detail == 0.0


def test_the_textures_skin_has_as_much_detail_as_the_camera_shows() -> None:
    texture = np.repeat(np.clip(rough(256, 10), 0, 255).astype(np.uint8)[..., None], 3, 2)
    bare = np.zeros((256, 256), np.float32)
    bare[:, :200] = 1
    textures = Textures(texture, bare)

    def shown(detail: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        return textures.at(256, Camera(0.0, 0.0, 0.0, 0.0, detail)).pixels[..., 1].astype(np.float32)

    full, half = detail_of(shown(9.0)[:, :190], 0.0), detail_of(shown(9.0)[:, :190], 0.0) / 2
    assert detail_of(shown(half)[:, :190], 0.0) == pytest.approx(half, rel=0.25)
    assert detail_of(shown(0.0)[:, :190], 0.0) == pytest.approx(full * LEAST_DETAIL, rel=0.3)
    assert np.array_equal(shown(0.0)[:, 215:], shown(9.0)[:, 215:]), "what is no skin keeps its detail"
    assert np.array_equal(shown(9.0), texture[..., 1])


def test_a_dark_room_is_a_dark_exposure_and_a_lit_one_is_none() -> None:
    points = np.array([[10, 10], [90, 90]], np.float32)
    lit, dark = (np.full((100, 100, 4), level, np.uint8) for level in (215, 60))
    assert look(lit, points).exposure == 0.0
    assert look(dark, points).exposure < -1
    dark[:20, :20] = 250  # a lamp in the picture: the camera's exposure is for a lit room
    assert look(dark, points).exposure == 0.0


def test_a_camera_is_followed() -> None:
    before, after = Camera(0, 0, 0, 0, 0), Camera(10, 1, 4, -1, 0.1)
    middle = before.towards(after, 1.0, 1.0)
    assert 0 < middle.haze < 10 and 0 < middle.grain < 4
    assert before.towards(after, 1e9, 1.0) == after
