"""Identity strength: beyond the persona, away from the live face."""

from __future__ import annotations

import numpy as np
import pytest

from obs_facelive.contracts import Matched, load_contracts
from obs_facelive.frame import Face, Floats, Frame, Pixels
from obs_facelive.settings import Settings
from obs_facelive.swap.photo import PhotoNetwork, latent
from obs_facelive.swap.strength import APART, LOOKS, StrengthSwapper, strengthened

Numbers = np.random.default_rng(3).standard_normal((2, 512)).astype(np.float32)
PERSON, LIVE = Numbers[0] * 20, Numbers[1] * 3


def alike(one: Floats, other: Floats) -> float:
    return float(one.ravel() @ other.ravel() / np.linalg.norm(one) / np.linalg.norm(other))


def test_the_persona_goes_away_from_the_live_face_and_keeps_its_length() -> None:
    np.testing.assert_allclose(strengthened(PERSON, LIVE, 1.0), PERSON, rtol=1e-5, atol=1e-4)
    half, whole, twice = (strengthened(PERSON, LIVE, s) for s in (0.5, 1.0, 2.0))
    assert alike(half, LIVE) > alike(whole, LIVE) > alike(twice, LIVE)
    assert alike(half, LIVE) == pytest.approx(alike(half, PERSON), abs=1e-5), "half of each"
    for each in (half, whole, twice):
        assert np.linalg.norm(each) == pytest.approx(np.linalg.norm(PERSON), rel=1e-5)


def test_it_is_facefusions_balance() -> None:
    """e * (1 - w) + t * w of unit vectors, w of 0.35 to -0.35 for their weight of 0 to 1; ours is of length one again."""
    e, t = (v / np.linalg.norm(v) for v in (PERSON, LIVE))
    for weight, strength in ((0.0, 0.65), (0.5, 1.0), (1.0, 1.35)):
        w = np.interp(weight, [0, 1], [0.35, -0.35])
        assert alike(e * (1 - w) + t * w, strengthened(PERSON, LIVE, strength)) == pytest.approx(1, abs=1e-6)


class Session:
    """A hyperswap that says who was asked for, and gives noise."""

    def __init__(self) -> None:
        self.sources: list[Floats] = []

    def run(self, names: list[str], given: dict[str, Floats]) -> list[Floats]:
        self.sources.append(given["source"].copy())
        noise = np.random.default_rng(1).uniform(-1, 1, (1, 3, 128, 128))
        return [np.asarray(noise, np.float32), np.ones((1, 1, 128, 128), np.float32)]


class Camera:
    """A swapper, the live faces that it looked at, and the sources that its network got."""

    def __init__(self) -> None:
        (contract,) = [c for c in load_contracts() if c.name == "hyperswap"]
        names = {role: role for role in (*contract.inputs, *contract.outputs)}
        self.session, self.looks = Session(), 0
        network = PhotoNetwork(self.session, Matched(contract, names, 128), latent(PERSON, "unit"))
        self.swapper = StrengthSwapper(network, PERSON, lambda e: latent(e, "unit"), self.look)

    def look(self, pixels: Pixels, five: Floats) -> Floats:
        assert pixels.shape == (200, 200, 4) and five.shape == (5, 2)
        self.looks += 1
        return LIVE

    def source(self, strength: int, time: float, track: int = 1) -> Floats:
        grid = np.random.default_rng(2).uniform(60, 140, (478, 3)).astype(np.float32)
        face = Face(track, grid, np.zeros(52, np.float32), 1.0)
        frame = Frame(np.zeros((200, 200, 4), np.uint8), 0, time)
        self.swapper.swap(frame, face, Settings(identity_strength=strength))
        return self.session.sources[-1]


def test_at_100_nobody_looks_at_the_live_face() -> None:
    camera = Camera()
    np.testing.assert_array_equal(camera.source(100, 0.0), latent(PERSON, "unit"))
    assert camera.looks == 0


@pytest.mark.parametrize("strength", [50, 150, 200])
def test_the_network_gets_the_strengthened_persona(strength: int) -> None:
    camera = Camera()
    wanted = latent(strengthened(PERSON, LIVE, strength / 100), "unit")
    np.testing.assert_allclose(camera.source(strength, 0.0), wanted, atol=1e-5)
    np.testing.assert_array_equal(camera.source(100, 0.04), latent(PERSON, "unit"))
    np.testing.assert_allclose(camera.source(strength, 0.08), wanted, atol=1e-5)
    other = 125
    wanted = latent(strengthened(PERSON, LIVE, other / 100), "unit")
    np.testing.assert_allclose(camera.source(other, 0.12), wanted, atol=1e-5)
    assert camera.looks == 1


def test_a_live_face_is_looked_at_a_few_times_and_each_for_itself() -> None:
    camera = Camera()
    for frame in range(200):
        camera.source(150, frame / 30)
    assert camera.looks == LOOKS and (LOOKS - 1) * APART < 200 / 30
    camera.source(150, 7.0, track=2)
    assert camera.looks == LOOKS + 1
    camera.source(150, 60.0)
    assert camera.looks == LOOKS + 2, "it was gone for long"
