"""What every swapper and the merger promise, on real footage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.frame import Face, Floats, Frame, Layer, Pixels
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.merge.blend import Blend
from obs_facelive.personas.library import Persona, PersonaInfo
from obs_facelive.personas.make import find_portrait, make_persona
from obs_facelive.settings import Settings
from obs_facelive.swap import Swapper
from obs_facelive.swap.mesh import MeshSwapper
from obs_facelive.topology import FACE_OVAL, LEFT_EYE, NOSE_TIP, RIGHT_EYE, CanonicalFace, load_canonical_face

CLIPS = ("d3.mp4", "d9.mp4", "d10.mp4", "s18.mp4", "asl_learn.mkv")
SETTINGS = Settings()


@pytest.fixture(scope="module")
def canonical(models: Path) -> CanonicalFace:
    return load_canonical_face(models)


@pytest.fixture(scope="module")
def stages(models: Path) -> tuple[BlazeFace, FaceMesh]:
    return BlazeFace(models), FaceMesh(models)


@pytest.fixture(scope="module")
def personas(
    stages: tuple[BlazeFace, FaceMesh], canonical: CanonicalFace, portraits: dict[str, Pixels]
) -> dict[str, Persona]:
    return {
        name: make_persona(
            PersonaInfo(id=name, name=name, kind="synthetic"), find_portrait(portraits[name], *stages), canonical
        )
        for name in ("female_33", "female_69", "male_21")
    }


@pytest.fixture(params=["mesh"])
def swapper(request: pytest.FixtureRequest, personas: dict[str, Persona], canonical: CanonicalFace) -> Swapper:
    return {"mesh": lambda: MeshSwapper(personas["female_33"], canonical)}[request.param]()


@pytest.fixture(scope="module")
def scenes(frames: Callable[..., list[Pixels]], stages: tuple[BlazeFace, FaceMesh]) -> dict[str, tuple[Frame, Face]]:
    """One frame of each clip with its face."""
    found = {}
    for clip in CLIPS:
        (pixels,) = frames(clip, 1, start=20)
        portrait = find_portrait(pixels, *stages, smallest=32)
        found[clip] = Frame(pixels, 20, 20 / 30), Face(1, portrait.points, portrait.blendshapes, 1.0)
    return found


def moved(frame: Frame, face: Face, scale: float, x: float, y: float) -> tuple[Frame, Face]:
    """The frame's content scaled and shifted by x, y of the new picture's size, on a picture of the same size."""
    height, width = frame.pixels.shape[:2]
    shift = np.array([x * width, y * height], np.float32)
    matrix = np.array([[scale, 0, shift[0] + 0.5 * scale - 0.5], [0, scale, shift[1] + 0.5 * scale - 0.5]])
    pixels = cv2.warpAffine(frame.pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    points = face.points * np.float32(scale)
    points[:, :2] += shift
    return Frame(np.asarray(pixels, np.uint8), frame.id, frame.time), replace(face, points=points)


def check(frame: Frame, face: Face, layer: Layer) -> None:
    height, width = layer.mask.shape
    assert layer.pixels.shape == (height, width, 3)
    assert layer.pixels.dtype == layer.mask.dtype == np.uint8
    assert layer.x >= 0 and layer.x + width <= frame.width
    assert layer.y >= 0 and layer.y + height <= frame.height
    outline = cv2.convexHull(np.round(face.points[:468, :2] - [layer.x, layer.y]).astype(np.int32))
    allowed = np.zeros((height, width), np.uint8)
    if allowed.size:
        cv2.fillConvexPoly(allowed, outline, 255)
        near = cv2.dilate(allowed, np.ones((5, 5), np.uint8))
        assert not layer.mask[near == 0].any(), "something lies outside of the face"


@pytest.mark.parametrize("clip", CLIPS)
def test_the_layer_covers_the_face_and_nothing_else(
    swapper: Swapper, scenes: dict[str, tuple[Frame, Face]], clip: str
) -> None:
    frame, face = scenes[clip]
    before = frame.pixels.copy()
    layer = swapper.swap(frame, face, SETTINGS)
    check(frame, face, layer)
    assert np.array_equal(frame.pixels, before), "the frame was changed"
    x, y = (face.points[NOSE_TIP, :2] - [layer.x, layer.y]).astype(int)
    assert layer.mask[y, x] == 255
    inner = face.points[FACE_OVAL, :2] * 0.6 + face.points[FACE_OVAL, :2].mean(0) * 0.4 - [layer.x, layer.y]
    middle = np.zeros_like(layer.mask)
    cv2.fillConvexPoly(middle, cv2.convexHull(np.round(inner).astype(np.int32)), 255)
    assert (layer.mask[middle > 0] == 255).mean() > 0.97, "there are holes in the face"


@pytest.mark.parametrize("place", [(-0.35, 0.0), (0.45, 0.0), (0.0, -0.35), (0.0, 0.5), (-0.4, 0.45)])
def test_a_face_may_reach_over_the_frames_edge(
    swapper: Swapper, canonical: CanonicalFace, scenes: dict[str, tuple[Frame, Face]], place: tuple[float, float]
) -> None:
    frame, face = moved(*scenes["d10.mp4"], 1.0, *place)
    layer = swapper.swap(frame, face, SETTINGS)
    check(frame, face, layer)
    assert layer.mask.any()
    patch = Blend(canonical).merge(frame, face, layer, SETTINGS)
    (height, width), (tall, wide) = layer.mask.shape, patch.pixels.shape[:2]
    assert 0 <= patch.x <= layer.x and layer.x + width <= patch.x + wide <= frame.width
    assert 0 <= patch.y <= layer.y and layer.y + height <= patch.y + tall <= frame.height


@pytest.mark.parametrize("place", [(2.0, 0.0), (0.0, -3.0), (-2.0, 2.0)])
def test_a_face_outside_of_the_frame_gives_an_empty_layer(
    swapper: Swapper, canonical: CanonicalFace, scenes: dict[str, tuple[Frame, Face]], place: tuple[float, float]
) -> None:
    frame, face = moved(*scenes["d10.mp4"], 1.0, *place)
    layer = swapper.swap(frame, face, SETTINGS)
    check(frame, face, layer)
    assert not layer.mask.size
    assert not Blend(canonical).merge(frame, face, layer, SETTINGS).pixels.size


@pytest.mark.parametrize("scale", [0.03, 0.1, 3.0])
def test_faces_of_all_sizes(
    swapper: Swapper, canonical: CanonicalFace, scenes: dict[str, tuple[Frame, Face]], scale: float
) -> None:
    frame, face = moved(*scenes["d10.mp4"], scale, 0.3 if scale < 1 else -1.0, 0.3 if scale < 1 else -1.0)
    layer = swapper.swap(frame, face, SETTINGS)
    check(frame, face, layer)
    assert layer.mask.max() == 255
    Blend(canonical).merge(frame, face, layer, SETTINGS)


def test_a_read_only_frame_will_do(
    swapper: Swapper, scenes: dict[str, tuple[Frame, Face]], canonical: CanonicalFace
) -> None:
    frame, face = scenes["s18.mp4"]
    pixels = frame.pixels.copy()
    pixels.flags.writeable = False
    frame = Frame(pixels, 1, 0.0)
    layer = swapper.swap(frame, face, SETTINGS)
    assert Blend(canonical).merge(frame, face, layer, SETTINGS).pixels.flags.writeable


def test_the_picture_is_the_personas_not_the_cameras(swapper: Swapper, scenes: dict[str, tuple[Frame, Face]]) -> None:
    frame, face = scenes["d10.mp4"]
    layer = swapper.swap(frame, face, SETTINGS)
    height, width = layer.mask.shape
    live = frame.pixels[layer.y : layer.y + height, layer.x : layer.x + width, :3]
    inside = layer.mask == 255
    difference = np.abs(live.astype(int) - layer.pixels)[inside].mean()
    assert difference > 8, "this is the camera's own face"


def test_a_still_face_gives_a_still_picture(swapper: Swapper, scenes: dict[str, tuple[Frame, Face]]) -> None:
    frame, face = scenes["d9.mp4"]
    layers = [swapper.swap(Frame(frame.pixels, n, n / 30), face, SETTINGS) for n in range(3)]
    assert np.abs(layers[1].pixels.astype(int) - layers[2].pixels).max() <= 1


def mean_skin(persona: Persona, canonical: CanonicalFace, scene: tuple[Frame, Face], match: int) -> Floats:
    frame, face = scene
    layer = MeshSwapper(persona, canonical).swap(frame, face, Settings(colour_match=match))
    cheeks = [layer.pixels[int(face.points[k, 1]) - layer.y, int(face.points[k, 0]) - layer.x] for k in (50, 280, 151)]
    return np.asarray(np.mean(cheeks, axis=0), np.float32)


def test_skin_keeps_its_own_tone_and_takes_on_the_rooms_as_far_as_asked(
    personas: dict[str, Persona], canonical: CanonicalFace, scenes: dict[str, tuple[Frame, Face]]
) -> None:
    scene = scenes["d10.mp4"]
    light, dark = personas["female_33"], personas["male_21"]
    own, matched = (mean_skin(dark, canonical, scene, match) for match in (0, 100))
    assert own.mean() + 25 < mean_skin(light, canonical, scene, 0).mean(), "a dark skin stays darker than a light one"
    assert own.mean() + 25 < matched.mean(), "matched fully, it comes near the live skin"
    for skin in (own, matched):
        assert skin[2] > skin[1] > skin[0], "skin is neither grey nor metallic"


# --- the merger ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def merged(
    personas: dict[str, Persona], canonical: CanonicalFace, scenes: dict[str, tuple[Frame, Face]]
) -> Callable[[str, Settings], tuple[Pixels, Pixels, Face, int, int]]:
    """The frame's own rectangle and the patch of a clip under settings, and the face with the rectangle's corner."""

    def merge(clip: str, settings: Settings) -> tuple[Pixels, Pixels, Face, int, int]:
        frame, face = scenes[clip]
        layer = MeshSwapper(personas["male_21"], canonical).swap(frame, face, settings)
        patch = Blend(canonical).merge(frame, face, layer, settings)
        height, width = patch.pixels.shape[:2]
        raw = frame.pixels[patch.y : patch.y + height, patch.x : patch.x + width]
        return raw, patch.pixels, face, patch.x, patch.y

    return merge


@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("softness", [0, 50, 100])
@pytest.mark.parametrize("size", [-50, 0, 50])
def test_a_patch_ends_in_the_frames_own_pixels(merged, clip: str, softness: int, size: int) -> None:  # type: ignore[no-untyped-def]
    raw, patch, *_ = merged(clip, Settings(mask_softness=softness, mask_size=size))
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        assert np.array_equal(patch[edge], raw[edge])
    assert not np.array_equal(patch, raw)


def test_opacity_0_is_the_camera(merged) -> None:  # type: ignore[no-untyped-def]
    raw, patch, *_ = merged("d10.mp4", Settings(opacity=0))
    assert np.array_equal(patch, raw)


def test_opacity_lies_between(merged) -> None:  # type: ignore[no-untyped-def]
    raw, half, *_ = merged("d10.mp4", Settings(opacity=50))
    _, full, *_ = merged("d10.mp4", Settings(opacity=100))
    distance = np.abs(half.astype(float) - (raw.astype(float) + full) / 2)
    assert distance.max() <= 1.5


def test_alpha_is_the_frames_own(personas, canonical, scenes) -> None:  # type: ignore[no-untyped-def]
    frame, face = scenes["d9.mp4"]
    pixels = frame.pixels.copy()
    pixels[..., 3] = np.arange(pixels.shape[1]) % 256
    frame = Frame(pixels, 0, 0.0)
    layer = MeshSwapper(personas["male_21"], canonical).swap(frame, face, SETTINGS)
    patch = Blend(canonical).merge(frame, face, layer, SETTINGS)
    height, width = patch.pixels.shape[:2]
    assert np.array_equal(patch.pixels[..., 3], pixels[patch.y : patch.y + height, patch.x : patch.x + width, 3])


@pytest.mark.parametrize("clip", ["d10.mp4", "s18.mp4"])
def test_keep_eyes_leaves_the_iris_as_it_is(merged, clip: str) -> None:  # type: ignore[no-untyped-def]
    raw, kept, face, x, y = merged(clip, Settings(keep_eyes=True))
    _, swapped, *_ = merged(clip, Settings(keep_eyes=False))
    for iris, eye in ((468, RIGHT_EYE), (473, LEFT_EYE)):
        column, row = (face.points[iris, :2] - [x, y]).astype(int)
        opened = np.ptp(face.points[eye, 1])
        reach = max(1, int(opened * 0.15))
        part = np.s_[row - reach : row + reach + 1, column - reach : column + reach + 1]
        assert np.array_equal(kept[part], raw[part])
        assert not np.array_equal(swapped[part], raw[part])


def test_keep_mouth_shows_the_live_teeth_and_otherwise_the_personas(
    personas: dict[str, Persona], canonical: CanonicalFace, scenes: dict[str, tuple[Frame, Face]]
) -> None:
    frame, face = scenes["d10.mp4"]
    column, row = ((face.points[13, :2] + face.points[14, :2]) / 2).astype(int)
    live = frame.pixels[row, column].astype(int)

    def centre_of_mouth(persona: Persona, keep: bool) -> Pixels:
        settings = Settings(keep_mouth=keep)
        layer = MeshSwapper(persona, canonical).swap(frame, face, settings)
        patch = Blend(canonical).merge(frame, face, layer, settings)
        return patch.pixels[row - patch.y, column - patch.x]

    smiling, closed = personas["female_69"], personas["male_21"]
    assert len(smiling.gaps) and not len(closed.gaps)
    assert np.abs(centre_of_mouth(smiling, True) - live).max() <= 2
    assert np.abs(centre_of_mouth(smiling, False) - live).max() > 5
    assert np.abs(centre_of_mouth(closed, False) - live).max() <= 2, "a photo with closed lips has no teeth to show"


def test_a_smaller_mask_changes_less(merged) -> None:  # type: ignore[no-untyped-def]
    changed = []
    for size in (-50, 0, 50):
        raw, patch, *_ = merged("d10.mp4", Settings(mask_size=size))
        changed.append(int((raw != patch).any(axis=2).sum()))
    assert changed[0] < changed[1] <= changed[2]
