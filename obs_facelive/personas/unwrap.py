"""A picture of a face into the canonical face's texture, and its own light out of it."""

from __future__ import annotations

import cv2
import numpy as np

from obs_facelive.frame import Floats, Pixels
from obs_facelive.personas.library import MOUTH
from obs_facelive.swap.light import LUMA, LightReader
from obs_facelive.swap.mouth import mouth_layout
from obs_facelive.swap.raster import empty_depth, facing, interpolate
from obs_facelive.topology import CanonicalFace, Indices


def over_texture(canonical: CanonicalFace, values: Floats, size: int) -> Floats:
    """(size, size, k) float32: ``values`` (468, k) at the points, linear between them, continued over the outline."""
    return _spread(canonical.uv, canonical.triangles, values, size, size)


def _spread(uv: Floats, triangles: Indices, values: Floats, height: int, width: int) -> Floats:
    out = np.zeros((height, width, values.shape[1]), np.float32)
    depth = empty_depth(height, width)
    # The texture's v points down, so canonical triangles are clockwise there as on the screen.
    flat = np.column_stack([uv * [width, height], np.zeros(len(uv))]).astype(np.float32)
    interpolate(flat, triangles, np.ascontiguousarray(values, np.float32), out, depth)
    missing = (depth > 1e29).astype(np.uint8)
    if missing.all():
        return out
    # Bilinear samples at the outline reach one texel over it: every texel outside takes its nearest neighbour inside.
    _, labels = cv2.distanceTransformWithLabels(missing, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    known = np.zeros((int(labels.max()) + 1, values.shape[1]), np.float32)
    inside = missing == 0
    known[labels[inside]] = out[inside]
    return np.asarray(known[labels], np.float32).reshape(height, width, -1)


def unwrap(pixels: Pixels, points: Floats, canonical: CanonicalFace, size: int) -> tuple[Floats, Floats]:
    """The texture (size, size, 3) float32 BGR 0..255 of a face with ``points`` (478, 3), and how well each texel was seen.

    The second result is (size, size) float32 0..1: the cosine between surface and camera, 0 where the surface looks away.
    """
    surface = points[: len(canonical.uv)]
    seen = np.clip(facing(surface, canonical.triangles), 0, 1)
    across = float(np.ptp(surface[:, 0]))
    shrink = min(1.0, size * 1.2 / max(across, 1.0))
    if shrink < 1:
        pixels = np.asarray(cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)
        surface = surface * np.float32(shrink)
    maps = over_texture(canonical, np.column_stack([surface[:, :2] - 0.5, seen]), size)
    texture = cv2.remap(
        pixels[..., :3].astype(np.float32), maps[..., 0], maps[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.clip(texture, 0, 255), np.ascontiguousarray(maps[..., 2])


def unwrap_mouth(pixels: Pixels, points: Floats, canonical: CanonicalFace) -> Pixels:
    """(`MOUTH`, 3) uint8 BGR: what is between the lips of a face with ``points`` (478, 3), drawn out to an ellipse."""
    uv, triangles = mouth_layout(canonical)
    maps = _spread(uv, triangles, points[: len(uv), :2] - np.float32(0.5), *MOUTH)
    mouth = cv2.remap(pixels[..., :3], maps[..., 0], maps[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(mouth, np.uint8)


def odds_gain(texture: Floats, gain: Floats) -> Floats:
    """``texture`` 0..255 with its odds multiplied by ``gain``."""
    return np.asarray(255 * gain * texture / (255 + (gain - 1) * texture), np.float32)


def flatten_light(texture: Floats, colours: Floats, visible: Floats, canonical: CanonicalFace) -> Floats:
    """``texture`` without the smooth light that its ``colours`` (468, 3) log-odds show: what is left is the skin's own.

    Brightness is nearly all light and goes; differences of hue are half of them the skin's and stay by half.
    """
    field = LightReader(canonical, 0.1).read(colours, visible).field
    shade = (field @ LUMA)[:, None]
    taken = (0.9 * shade + 0.5 * (field - shade)).astype(np.float32)
    return odds_gain(texture, np.exp(-over_texture(canonical, taken, texture.shape[0])))
