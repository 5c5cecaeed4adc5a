"""Seam, occlusion and light: each measure sees the flaw that it is for."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from obs_facelive.frame import Floats, Pixels
from obs_facelive.mask.face import oval
from obs_facelive.topology import FACE_OVAL, CanonicalFace, load_canonical_face
from tests.unit.drawn_face import HEIGHT, SKIN, WIDTH, face_points, skin
from tools.quality.areas import Mask, inner_face
from tools.quality.hidden import Hidden, bare_share, hidden
from tools.quality.lighting import balance, change, follows, shared
from tools.quality.relight import LIGHTS, relit
from tools.quality.seam import profiles, seam

DARK = (80, 105, 150)
NOWHERE: Floats = np.zeros((HEIGHT, WIDTH), np.float32)
LIT: Floats = np.ones((HEIGHT, WIDTH), np.float32)


@pytest.fixture(scope="module")
def canonical(models: Path) -> CanonicalFace:
    return load_canonical_face(models)


@pytest.fixture(scope="module")
def points(canonical: CanonicalFace) -> Floats:
    return face_points(canonical)


@pytest.fixture(scope="module")
def zone(points: Floats) -> Mask:
    return inner_face(points, HEIGHT, WIDTH)


def mixed(below: Pixels, above: Pixels, share: Floats) -> Pixels:
    return np.round(below + (above.astype(np.float32) - below) * share[..., None]).astype(np.uint8)


def smooth(tone: tuple[int, int, int] = SKIN) -> Pixels:
    return skin(tone=tone, contrast=1.5)


def worn(points: Floats, softness: int, tone: tuple[int, int, int]) -> Pixels:
    """Skin of another tone on the face, with an edge of ``softness`` as the pipeline has it."""
    cover = oval(points, 0, 0, WIDTH, HEIGHT, 0, softness).astype(np.float32)
    return mixed(smooth(), smooth(tone), cover / np.float32(255))


def test_nothing_added_is_no_seam(points: Floats, canonical: CanonicalFace) -> None:
    found = seam(smooth(), smooth(), points, canonical)
    assert found is not None
    assert (found.step, found.bend, found.worst) == pytest.approx((1, 1, 1))


def test_a_hard_edge_is_a_seam_and_a_soft_one_of_near_skin_is_not(points: Floats, canonical: CanonicalFace) -> None:
    hard, soft = (
        seam(worn(points, s, tone), smooth(), points, canonical) for s, tone in ((0, DARK), (80, (118, 147, 196)))
    )
    assert hard is not None
    assert soft is not None
    assert hard.step > 1.5
    assert hard.bend > 1.5
    assert soft.step < 1.15
    assert soft.bend < 1.15


def test_the_softer_the_edge_the_less_it_bends(points: Floats, canonical: CanonicalFace) -> None:
    bends = [found.bend for s in (0, 40, 100) if (found := seam(worn(points, s, DARK), smooth(), points, canonical))]
    assert bends[0] > bends[1] > bends[2]


def test_a_seam_along_a_part_of_the_outline_is_in_the_worst_tenth(points: Floats, canonical: CanonicalFace) -> None:
    output = worn(points, 0, DARK)
    middle = int(points[FACE_OVAL, 1].mean())
    output[: middle + 60] = smooth()[: middle + 60]
    found = seam(output, smooth(), points, canonical)
    assert found is not None
    assert found.worst > 1.5 * found.step > 1.5


def test_hair_over_the_edge_is_no_excuse(points: Floats, canonical: CanonicalFace) -> None:
    raw, output = smooth(), worn(points, 0, DARK)
    top = int(points[10, 1]) + 25
    raw[:top], output[:top] = 20, 20
    found = seam(output, raw, points, canonical)
    assert found is not None
    assert found.step > 1.5


def test_profiles_that_leave_the_picture_are_not_seen(points: Floats, canonical: CanonicalFace) -> None:
    _, whole = profiles(points, canonical, HEIGHT, WIDTH)
    _, part = profiles(points - np.array([WIDTH / 2, 0, 0], np.float32), canonical, HEIGHT, WIDTH)
    assert whole.mean() > 0.9
    assert 0.2 < part.mean() < 0.7
    assert seam(smooth(), smooth(), points + np.float32(2 * WIDTH), canonical) is None


def trial(points: Floats, zone: Mask) -> tuple[Pixels, Pixels, Pixels, Floats]:
    """Raw, persona worn on it, raw with a green bar in front, the bar's alpha."""
    alpha = NOWHERE.copy()
    alpha[220:260] = 1
    raw = smooth()
    bar = np.full_like(raw, (60, 160, 60))
    return raw, worn(points, 50, DARK), mixed(raw, bar, alpha), alpha


def shares(found: Hidden) -> tuple[float, float]:
    """Kept, lost."""
    return 1 - found.spoiled.sum() / found.front.sum(), found.lost.sum() / found.face.sum()


def test_a_bar_that_stays_in_front_is_kept(points: Floats, zone: Mask) -> None:
    raw, persona, occluded, alpha = trial(points, zone)
    output = mixed(persona, occluded, alpha)
    assert shares(hidden(raw, occluded, persona, output, alpha, LIT, zone)) == pytest.approx((1, 0), abs=0.01)


def test_a_face_drawn_over_the_bar_is_not(points: Floats, zone: Mask) -> None:
    raw, persona, occluded, alpha = trial(points, zone)
    found = hidden(raw, occluded, persona, persona, alpha, LIT, zone)
    assert shares(found) == pytest.approx((0, 0), abs=0.01)
    assert found.front.sum() > 5000


def test_half_a_bar_is_half_kept(points: Floats, zone: Mask) -> None:
    raw, persona, occluded, alpha = trial(points, zone)
    output = mixed(persona, occluded, alpha)
    output[:, WIDTH // 2 :] = persona[:, WIDTH // 2 :]
    kept, lost = shares(hidden(raw, occluded, persona, output, alpha, LIT, zone))
    assert kept == pytest.approx(0.5, abs=0.05)
    assert lost < 0.01


def test_a_mask_that_takes_too_much_loses_the_face(points: Floats, zone: Mask) -> None:
    raw, persona, occluded, alpha = trial(points, zone)
    wide = NOWHERE.copy()
    wide[220:330] = 1
    found = hidden(raw, occluded, persona, mixed(persona, occluded, wide), alpha, LIT, zone)
    kept, lost = shares(found)
    assert kept == pytest.approx(1, abs=0.01)
    assert lost == pytest.approx(zone[263:327].sum() / (zone & (alpha == 0)).sum(), abs=0.05)


def test_skin_in_the_shadow_of_a_thing_is_not_lost(points: Floats, zone: Mask) -> None:
    raw, persona, occluded, alpha = trial(points, zone)
    shade = np.where(np.arange(HEIGHT)[:, None] > 260, 0.6, 1.0).astype(np.float32) * LIT
    dark = (occluded * np.where(alpha[..., None] > 0, 1, shade[..., None])).astype(np.uint8)
    output = mixed((persona * shade[..., None]).astype(np.uint8), occluded, alpha)
    assert shares(hidden(raw, dark, persona, output, alpha, shade, zone)) == pytest.approx((1, 0), abs=0.02)


def test_where_swapped_and_raw_are_alike_nothing_counts(points: Floats, zone: Mask) -> None:
    raw, _, occluded, alpha = trial(points, zone)
    assert not hidden(raw, occluded, raw, occluded, alpha, LIT, zone).face.any()


def test_a_face_that_is_left_bare_is_counted(points: Floats, zone: Mask) -> None:
    noise = np.random.default_rng(2).normal(0, 2, (2, HEIGHT, WIDTH, 3))
    raw, same_tone = (np.clip(skin() + n, 0, 255).astype(np.uint8) for n in noise)
    assert bare_share(raw, raw, zone) == 1
    assert bare_share(raw, same_tone, zone) < 0.02
    half = same_tone.copy()
    half[:, : WIDTH // 2] = raw[:, : WIDTH // 2]
    assert bare_share(raw, half, zone) == pytest.approx(0.5, abs=0.05)


def test_light_that_is_followed(points: Floats, zone: Mask) -> None:
    persona = skin(seed=9, tone=DARK, contrast=15)
    factors = LIGHTS["side"](points, HEIGHT, WIDTH, 0.0)
    live = change(relit(skin(), factors), skin(), zone).mean(axis=1)
    same = change(relit(persona, factors), persona, zone).mean(axis=1)
    half = change(relit(persona, factors ** np.float32(0.5)), persona, zone).mean(axis=1)
    none = change(persona, persona, zone).mean(axis=1)
    assert follows(live, same) == pytest.approx((1, 1), abs=0.06)
    assert follows(live, half)[1] == pytest.approx(0.5, abs=0.06)
    assert follows(live, none) == (0, 0)


def test_light_from_the_wrong_side(points: Floats, zone: Mask) -> None:
    factors = LIGHTS["side"](points, HEIGHT, WIDTH, 0.0)
    live = change(relit(skin(), factors), skin(), zone).mean(axis=1)
    wrong = change(relit(skin(), np.ascontiguousarray(factors[:, ::-1])), skin(), zone).mean(axis=1)
    likeness, slope = follows(live, wrong)
    assert likeness < -0.9
    assert slope < 0


def test_a_dark_room_goes_over_as_a_whole(points: Floats, zone: Mask) -> None:
    factors = LIGHTS["dim"](points, HEIGHT, WIDTH, 0.0)
    live = change(relit(skin(), factors), skin(), zone).mean(axis=1)
    assert np.exp(live).mean() == pytest.approx(0.33 ** (1 / 2.2), abs=0.02)
    assert shared(live, live * np.float32(0.6)) == pytest.approx(0.6)


def test_a_shadow_passes_from_left_to_right(points: Floats) -> None:
    first, middle, last = (LIGHTS["shadow"](points, HEIGHT, WIDTH, u)[240, :, 0] for u in (0.0, 0.5, 1.0))
    assert first[120] > 0.75
    assert middle[120] < 0.5 < 0.9 < middle[360]
    assert last[360] < 0.65


def test_warm_light_takes_blue_away() -> None:
    picture = relit(skin(), np.broadcast_to(np.array([0.45, 0.85, 1.15], np.float32), (HEIGHT, WIDTH, 3)))
    blue, green, red = (picture.mean(axis=(0, 1)) / skin().mean(axis=(0, 1))).tolist()
    assert blue < 0.75 < green < 1 < red


def test_the_balance_of_light_knows_left_from_right(points: Floats, zone: Mask) -> None:
    lit = relit(skin(), LIGHTS["side"](points, HEIGHT, WIDTH, 0.0))
    assert balance(lit, zone) > 0.2
    assert balance(np.ascontiguousarray(cv2.flip(lit, 1)), zone) < -0.2
    assert abs(balance(skin(), zone)) < 0.02
