"""What a seed makes of the same parents: which features come from whom, and small differences as between sisters."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from obs_facelive.frame import Floats, Pixels
from obs_facelive.personas.collage import REGIONS, SIDE, Layers, blurred, enlarged, inside, regions
from obs_facelive.personas.unwrap import over_texture
from obs_facelive.swap.light import LUMA, log_odds, skin_points
from obs_facelive.topology import LIPS_OUTER, CanonicalFace

_COUNTS = {"forehead": 0.6, "brows": 2.0, "eyes": 2.0, "nose": 1.5, "cheeks": 1.0, "mouth": 2.5}
"""How much of whom a face is seen to be each of `REGIONS` carries."""
_LIGHTER = 0.45
"""How much of its darkness hair loses when it is grey."""
_HAIR = 0.55
"""Log-odds by which hair is darker than the skin under it, at the least."""


@dataclass(frozen=True, slots=True)
class Variation:
    """One throw.

    Attributes
    ----------
    owners : for each of `REGIONS` the number of the parent whose it is
    brows : how dense the brows are, 1 as their owner's
    beard : how much is left of a beard
    grey : 0..1, how grey the hairs are
    creases : how deep wrinkles and folds of the resting face are
    tone : (n,) float32, how much of whose skin tone, 1 together
    iris : (n,) likewise of the eyes' colour
    exaggeration : how much farther from the average the face's shape is, than its parents' mean
    """

    owners: tuple[int, ...]
    brows: float
    beard: float
    grey: float
    creases: float
    tone: Floats
    iris: Floats
    exaggeration: float


class Dice:
    """Numbers that depend on a seed and on what they are for, the same on every computer and in every version of NumPy."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def between(self, low: float, high: float, purpose: str) -> float:
        """Uniform between ``low`` and ``high``."""
        content = hashlib.sha256(f"{self._seed} {purpose}".encode()).digest()
        return low + (high - low) * int.from_bytes(content[:6], "big") / (1 << 48)


def vary(weights: Sequence[float], seed: int) -> Variation:
    """The throw of ``seed`` for parents that count for ``weights`` (n, 1 together)."""
    dice = Dice(seed)
    years = dice.between(0, 1, "years")
    return Variation(
        owners=_owners(weights, dice),
        brows=dice.between(0.75, 1.15, "brows"),
        beard=dice.between(0.3, 1.0, "beard"),
        # Three of four have none, and whose hairs are grey has folds.
        grey=max(0.0, years - 0.75) * 2.4,
        creases=max(dice.between(0.5, 1.5, "creases"), years + 0.5 if years > 0.75 else 0.0),
        tone=_leaned(weights, dice, "tone"),
        iris=_leaned(weights, dice, "iris"),
        exaggeration=dice.between(-0.1, 0.5, "exaggeration"),
    )


def _owners(weights: Sequence[float], dice: Dice) -> tuple[int, ...]:
    """Goes through the regions in a thrown order; each goes to whoever lacks most of what is due, but for some luck."""
    total = sum(_COUNTS.values())
    due = [weight * total for weight in weights]
    owners = dict.fromkeys(REGIONS, 0)
    for region in sorted(REGIONS, key=lambda region: dice.between(0, 1, f"turn of {region}")):
        luck = [dice.between(-1.0, 1.0, f"{region} of parent {n}") for n in range(len(due))]
        owner = max(range(len(due)), key=lambda n: due[n] + luck[n])
        due[owner] -= _COUNTS[region]
        owners[region] = owner
    return tuple(owners[region] for region in REGIONS)


def _leaned(weights: Sequence[float], dice: Dice, purpose: str) -> Floats:
    """``weights``, each up to three times or a third as much: between the parents still."""
    factors = [3.0 ** dice.between(-1, 1, f"{purpose} of parent {n}") for n in range(len(weights))]
    leaned = np.array(weights) * factors
    return np.asarray(leaned / leaned.sum(), np.float32)


def varied(skin: Layers, variation: Variation, canonical: CanonicalFace) -> Layers:
    """``skin`` as ``variation`` has it."""
    features = skin.features
    size = len(features)
    masks = regions(canonical, SIDE, 0.012)
    brows, mouth = (enlarged(masks[REGIONS.index(name)], size) for name in ("brows", "mouth"))
    luma = features @ LUMA
    bare = enlarged(blurred(over_texture(canonical, skin_points(canonical)[:, None], SIDE)[..., 0], 0.006), size)
    # Hair is what is much darker than skin over an area: a beard's gaps belong to it.
    hair = np.clip((-blurred(luma, 0.012) - _HAIR * 0.4) / (_HAIR * 0.6), 0, 1)
    lips = blurred(inside(canonical.uv[LIPS_OUTER], SIDE, 0.96).astype(np.float32), 0.006)
    lower = mouth * (1 - enlarged(lips, size))
    gain = 1 + (variation.brows - 1) * brows
    gain += (variation.beard - 1) * lower * hair
    # Creases: finer than the features, coarser than pores, on skin without hair.
    crease = blurred(features, 0.0025) - blurred(features, 0.012)
    smooth = np.clip(bare * 2 - 1, 0, 1) * (1 - hair)
    change = np.tanh(crease * 2) / 2 * (variation.creases - 1) * smooth[..., None]
    features = features * gain[..., None] + change
    # Grey hair is lighter, and has no hue at all: not that of the skin around it, either.
    grey = (variation.grey * np.maximum(brows, lower) * np.clip(-features @ LUMA / _HAIR, 0, 1))[..., None]
    whole = skin.tone + features
    hue = whole - (whole @ LUMA)[..., None]
    features = features - grey * (0.9 * hue + _LIGHTER * features @ LUMA[:, None])
    return Layers(skin.tone, np.asarray(features, np.float32))


def bearded(texture: Pixels) -> bool:
    """Whether the chin of a ``texture`` (s, s, 3) has a beard: it is far darker than the cheeks, stubble is not."""
    odds, size = log_odds(texture.astype(np.float32)) @ LUMA, len(texture)
    chin, cheeks = (
        np.median(odds[int(top * size) : int(bottom * size), int(left * size) : int((1 - left) * size)])
        for top, bottom, left in ((0.82, 0.93, 0.3), (0.45, 0.6, 0.2))
    )
    return bool(chin < cheeks - 0.6)
