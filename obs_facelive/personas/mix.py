"""People who do not exist, out of people who do not exist: skin, shape, expressions, teeth and eyes of two and more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from obs_facelive.frame import Floats
from obs_facelive.personas.bank import Bank, mix_banks, side
from obs_facelive.personas.collage import REGIONS, Collage, Layers, put_together, regions, take_apart
from obs_facelive.personas.library import Persona, PersonaError, PersonaInfo
from obs_facelive.personas.variation import Variation, varied, vary
from obs_facelive.swap.light import LightReader, texture_light
from obs_facelive.topology import CanonicalFace

TEXTURE = 768
_OWN_SHAPE = 0.6
"""How far the shape around a feature is its owner's; the rest is all parents'."""


def mix(
    info: PersonaInfo, parents: Sequence[Persona], weights: Sequence[float], seed: int, canonical: CanonicalFace
) -> Persona:
    """The child of ``parents`` who count for ``weights`` (1 together); another one for every ``seed``.

    Raises `PersonaError` where one of them counts as a real person.
    """
    _check(parents, weights)
    variation = vary(weights, seed)
    shares = np.zeros((len(REGIONS), len(parents)), np.float32)
    shares[np.arange(len(REGIONS)), list(variation.owners)] = 1
    layers = [take_apart(parent.texture, canonical, TEXTURE) for parent in parents]
    tone = np.tensordot(variation.tone, np.stack([layer.tone for layer in layers]), 1)
    features = Collage(canonical, TEXTURE, shares).of([layer.features for layer in layers])
    texture = put_together(varied(Layers(tone, features), variation, canonical))
    mouth = _with_teeth(parents, variation.owners[REGIONS.index("mouth")])
    banks = [Bank(parent.expressions, parent.neutral, parent.lines) for parent in parents]
    bank = mix_banks(banks, weights, Collage(canonical, max(side(banks), 16), shares).of)
    return Persona(
        info=info,
        texture=texture,
        skin=texture_light(texture, canonical, LightReader(canonical)).mean,
        expressions=bank.expressions,
        neutral=bank.neutral,
        lines=bank.lines,
        mouths=mouth.mouths.copy(),
        gaps=mouth.gaps.copy(),
        shape=_shape([parent.shape for parent in parents], weights, variation, canonical),
        iris=np.asarray(variation.iris @ np.stack([parent.iris for parent in parents]), np.float32),
        embedding=np.zeros(0, np.float32),
    )


def _check(parents: Sequence[Persona], weights: Sequence[float]) -> None:
    if len(parents) < 2 or len(parents) != len(weights):
        raise ValueError(f"{len(parents)} parents and {len(weights)} weights are no mix")
    for parent in parents:
        if parent.info.real:
            raise PersonaError(
                f"{parent.info.name!r} counts as a real person's face, and people are mixed only of those who do not exist."
            )


def _with_teeth(parents: Sequence[Persona], owner: int) -> Persona:
    """The ``owner`` of the mouth, or where there is no picture between their lips the first who has one."""
    return next((parent for parent in (parents[owner], *parents) if len(parent.gaps)), parents[owner])


def _shape(
    shapes: Sequence[Floats], weights: Sequence[float], variation: Variation, canonical: CanonicalFace
) -> Floats:
    """(468, 3) centimetres: all parents' mean, around each feature nearer to its owner's, a little exaggerated."""
    size = 128
    at = np.clip((canonical.uv * size).astype(int), 0, size - 1)
    masks = regions(canonical, size, 0.05)[:, at[:, 1], at[:, 0]]
    local = np.tensordot(np.array(weights, np.float32), np.ones((1, len(at)), np.float32), 0).reshape(len(shapes), -1)
    for mask, owner in zip(masks, variation.owners, strict=True):
        own = np.zeros((len(shapes), 1), np.float32)
        own[owner] = 1
        local = local + _OWN_SHAPE * mask * (own - np.array(weights, np.float32)[:, None])
    mean = (local[..., None] * np.stack(shapes)).sum(0)
    return np.asarray(canonical.xyz + (1 + variation.exaggeration) * (mean - canonical.xyz), np.float32)
