"""Skin made of several people's: one tone for all of it, and every feature whole, from one of them.

A mean of textures has ghosts of two pairs of brows, half a beard, and no pores. So each texture is taken apart, in log-odds of
its brightness (see `obs_facelive.swap.light`), into the smooth tone of its bare skin and what lies on that: brows, eyes, lips,
hairs, pores. Tones are mixed; the rest is put together from whole regions, whose borders are as soft as what crosses them
is coarse (P. Burt, E. Adelson, A multiresolution spline with application to image mosaics, ACM Transactions on Graphics
1983). The canonical face's texture coordinates see to it that regions fit together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from obs_facelive.frame import Floats, Pixels
from obs_facelive.personas.unwrap import over_texture
from obs_facelive.swap.light import LUMA, log_odds, skin_points
from obs_facelive.topology import LEFT_BROW, LEFT_EYE, LIPS_OUTER, RIGHT_BROW, RIGHT_EYE, CanonicalFace, Indices

SIDE = 256
"""Texels of a mask's side that show what there is to be seen of it."""
REGIONS = ("forehead", "brows", "eyes", "nose", "cheeks", "mouth")
"""What comes whole from one person; the beard goes with the mouth."""
_BANDS = ((0.035, 0.04), (0.008, 0.018), (0.0, 0.007))
"""From coarse to fine: width of the Gaussian that the next band is without, and softness of the borders, by the texture."""
_NOSE = (168, 122, 351, 188, 412, 217, 437, 198, 420, 129, 358, 98, 327, 2, 97, 326, 49, 279, 48, 278, 64, 294, 60, 290)
_TEXELS = 4.0
"""Width in texels of a Gaussian that is drawn well."""
_LEAST = 0.002
"""Trust in texels that are hardly skin: where there is no other near."""


@dataclass(frozen=True, slots=True)
class Layers:
    """A texture, taken apart; both (s, s, 3) float32 log-odds.

    Attributes
    ----------
    tone : the bare skin's, smooth; under hairs what the skin around them has
    features : what lies on it
    """

    tone: Floats
    features: Floats


def take_apart(texture: Pixels, canonical: CanonicalFace, size: int) -> Layers:
    """``texture`` (s, s, 3) at ``size`` texels."""
    if len(texture) != size:
        narrower = len(texture) > size
        texture = np.asarray(
            cv2.resize(texture, (size, size), interpolation=cv2.INTER_AREA if narrower else cv2.INTER_CUBIC), np.uint8
        )
    odds = log_odds(texture.astype(np.float32))
    skin = np.clip(over_texture(canonical, skin_points(canonical)[:, None], size)[..., 0] * 2 - 1, 0, 1)
    luma = blurred(odds @ LUMA, 0.008)
    # Hairs and deep shadows are no skin.
    trust = skin * np.clip(1.6 + (luma - np.median(luma[skin > 0.5])) * 2.2, _LEAST, 1) + _LEAST**2
    near, far = (blurred(odds * trust[..., None], width) for width in (0.05, 0.16))
    near_trust, far_trust = (blurred(trust, width)[..., None] for width in (0.05, 0.16))
    # Where no skin is near, the wider surroundings speak.
    pull = np.float32(0.08)
    tone = (near + pull * far / far_trust) / (near_trust + pull)
    return Layers(tone, odds - tone)


def put_together(layers: Layers) -> Pixels:
    """(s, s, 3) uint8: the texture of ``layers``."""
    return np.asarray(np.round(255 / (1 + np.exp(-(layers.tone + layers.features)))), np.uint8)


def regions(canonical: CanonicalFace, size: int, softness: float) -> Floats:
    """(6, size, size) float32: how far each texel belongs to each of `REGIONS`, 1 together; symmetric.

    ``softness`` is the width of the borders by that of the texture.
    """
    v, u = ((np.mgrid[:size, :size] + 0.5) / size).astype(np.float32)
    uv = canonical.uv
    hard = np.zeros((len(REGIONS), size, size), np.float32)
    hard[REGIONS.index("forehead")] = v < uv[[*RIGHT_BROW, *LEFT_BROW], 1].mean()
    below_nose = uv[2, 1] + 0.012
    # The lower face: under the nose, and beside it as far up as whiskers grow.
    whiskers = below_nose - 0.06 * np.clip((np.abs(u - 0.5) - 0.2) / 0.1, 0, 1)
    hard[REGIONS.index("mouth")] = v > whiskers
    for name, rings, growth in (
        ("nose", [np.array(_NOSE)], 1.0),
        ("eyes", [RIGHT_EYE, LEFT_EYE], 1.5),
        ("brows", [RIGHT_BROW, LEFT_BROW], 1.35),
    ):
        for ring in rings:
            within = inside(uv[ring], size, growth)
            hard[:, within] = 0
            hard[REGIONS.index(name), within] = 1
    lips = inside(uv[LIPS_OUTER], size, 1.25)
    hard[:, lips] = 0
    hard[REGIONS.index("mouth"), lips] = 1
    hard = np.maximum(hard, hard[..., ::-1])
    hard[REGIONS.index("cheeks")] = hard.sum(0) == 0
    soft = np.stack([blurred(region, softness) for region in hard])
    return np.asarray(soft / soft.sum(0), np.float32)


class Collage:
    """Puts layers together, each region from its owners.

    Parameters
    ----------
    size : side of the layers
    shares : (6, n), for each of `REGIONS` how much comes from which of n layers; 1 together
    """

    def __init__(self, canonical: CanonicalFace, size: int, shares: Floats) -> None:
        self._bands = [
            (width, [enlarged(mask, size) for mask in np.tensordot(shares.T, regions(canonical, SIDE, softness), 1)])
            for width, softness in _BANDS
        ]

    def of(self, layers: Sequence[Floats]) -> Floats:
        """What ``layers`` (n, each (s, s) or (s, s, k)) have: borders are soft for what is coarse, sharp for what is fine."""
        out = np.zeros_like(layers[0])
        rest = list(layers)
        for width, masks in self._bands:
            for number, layer in enumerate(rest):
                coarse = blurred(layer, width) if width else layer
                out += coarse * masks[number].reshape((len(layer), len(layer)) + (1,) * (layer.ndim - 2))
                rest[number] = layer - coarse
        return out


def enlarged(mask: Floats, size: int) -> Floats:
    """``mask`` (s, s), which is smooth, as (size, size)."""
    return np.asarray(cv2.resize(mask, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)


def blurred(picture: Floats, width: float) -> Floats:
    """``picture`` (s, s) or (s, s, k) under a Gaussian of ``width`` times its own width."""
    size = len(picture)
    # A wide Gaussian leaves nothing that a smaller picture does not show.
    small = max(32, round(_TEXELS / width)) if width * size > 2 * _TEXELS else size
    out = picture if small == size else cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
    out = cv2.GaussianBlur(out, (0, 0), small * width, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(
        out if small == size else cv2.resize(out, (size, size), interpolation=cv2.INTER_LINEAR), np.float32
    )


def inside(ring: Floats, size: int, growth: float) -> Indices:
    """(size, size) bool: whether a texel lies in the hull around ``ring`` (n, 2), ``growth`` times as large."""
    centre = ring.mean(0)
    hull = cv2.convexHull((((ring - centre) * growth + centre) * size).astype(np.float32))
    out = np.zeros((size, size), np.uint8)
    cv2.fillConvexPoly(out, np.round(hull).astype(np.int32), 1)
    return np.asarray(out > 0)
