"""Triangles onto pixels: compiled, depth-tested, one thread, no allocation.

Coordinates are continuous (the centre of pixel (0, 0) is (0.5, 0.5)); z grows away from the camera. A triangle that faces the
camera is clockwise on the screen (y down): canonical triangles are counter-clockwise with y up.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from obs_facelive.frame import Floats, Pixels, Plane
from obs_facelive.topology import Indices

FAR = np.float32(1e30)
"""What an empty depth buffer is filled with."""
MOST_GREY = 0.9
"""Share of a gain's hue that dark parts of a texture do without."""


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def facing(points: Floats, triangles: Indices) -> Floats:
    """(n,) float32: how far the surface looks into the camera at each point, 1 fully, 0 sideways, below 0 away from it."""
    normals = np.zeros((len(points), 3), np.float32)
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux, uy, uz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        vx, vy, vz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for k in (a, b, c):
            normals[k, 0] += nx
            normals[k, 1] += ny
            normals[k, 2] += nz
    result = np.empty(len(points), np.float32)
    for k in range(len(points)):
        length = math.sqrt(normals[k, 0] ** 2 + normals[k, 1] ** 2 + normals[k, 2] ** 2)
        # Clockwise on a screen whose y points down: the normal's z is negative towards the camera.
        result[k] = -normals[k, 2] / (length + np.float32(1e-12))
    return result


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def interpolate(points: Floats, triangles: Indices, values: Floats, out: Floats, depth: Floats) -> None:
    """Draws ``values`` (n, k) of the ``points`` (n, 3) into ``out`` (h, w, k); the nearest triangle wins.

    ``depth`` (h, w) starts at `FAR` and says afterwards where anything was drawn.
    """
    height, width, channels = out.shape
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay, az = points[a, 0], points[a, 1], points[a, 2]
        bx, by, bz = points[b, 0], points[b, 1], points[b, 2]
        cx, cy, cz = points[c, 0], points[c, 1], points[c, 2]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area >= -1e-6:
            continue
        x0, x1 = max(0, math.ceil(min(ax, bx, cx) - 0.5)), min(width - 1, math.floor(max(ax, bx, cx) - 0.5))
        y0, y1 = max(0, math.ceil(min(ay, by, cy) - 0.5)), min(height - 1, math.floor(max(ay, by, cy) - 0.5))
        scale = 1 / area
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                px, py = np.float32(x + 0.5), np.float32(y + 0.5)
                wb = ((px - ax) * (cy - ay) - (py - ay) * (cx - ax)) * scale
                wc = ((bx - ax) * (py - ay) - (by - ay) * (px - ax)) * scale
                wa = 1 - wb - wc
                if wa < -1e-5 or wb < -1e-5 or wc < -1e-5:
                    continue
                z = wa * az + wb * bz + wc * cz
                if z < depth[y, x]:
                    depth[y, x] = z
                    for k in range(channels):
                        out[y, x, k] = wa * values[a, k] + wb * values[b, k] + wc * values[c, k]


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy", inline="always")
def _span(first: Any, last: Any, value: Any, step: Any) -> tuple[Any, Any]:
    """The steps of ``first``..``last`` at which ``value + step * n`` is not below 0 (all float32)."""
    value = value + np.float32(1e-5)
    if step > 0:
        first = max(first, np.float32(math.ceil(-value / step)))
    elif step < 0:
        last = min(last, np.float32(math.floor(value / -step)))
    elif value < 0:
        last = first - np.float32(1)
    return first, last


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy", inline="always")
def _luma(blue: Any, green: Any, red: Any) -> Any:
    return np.float32(0.114) * blue + np.float32(0.587) * green + np.float32(0.299) * red


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy", inline="always")
def _texel(texture: Pixels, x: int, y: int, w00: Any, w01: Any, w10: Any, w11: Any) -> tuple[Any, Any, Any]:
    """Blue, green, red of a texture between four texels."""
    return (
        texture[y, x, 0] * w00
        + texture[y, x + 1, 0] * w01
        + texture[y + 1, x, 0] * w10
        + texture[y + 1, x + 1, 0] * w11,
        texture[y, x, 1] * w00
        + texture[y, x + 1, 1] * w01
        + texture[y + 1, x, 1] * w10
        + texture[y + 1, x + 1, 1] * w11,
        texture[y, x, 2] * w00
        + texture[y, x + 1, 2] * w01
        + texture[y + 1, x, 2] * w10
        + texture[y + 1, x + 1, 2] * w11,
    )


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy", inline="always")
def _lit(value: Any, gain: Any, clear: Any, floor: Any) -> Any:
    """A texture's ``value`` (0..255) in the light, seen through haze."""
    lit = gain * value * np.float32(255) / (np.float32(255) + (gain - np.float32(1)) * value)
    return np.uint8(min(max(lit * clear + floor, np.float32(0)), np.float32(255)))


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def draw(
    points: Floats,
    triangles: Indices,
    vertices: Floats,
    texture: Pixels,
    lines: Floats,
    haze: float,
    dark: float,
    pixels: Pixels,
    mask: Plane,
    depth: Floats,
) -> None:
    """The textured, lit face.

    Parameters
    ----------
    points : (n, 3) float32 in the layer's own pixels
    vertices : (n, 6) float32: u, v (0..1), the odds gain for blue, green, red, and the opacity 0..1
    texture : (h, w, 3) uint8 BGR
    lines : (e, e) float32, odds gain of the expression's lines, in the texture's coordinates
    haze : brightness 0..255 of black
    dark : brightness 0..255 in the texture below which ever less of the gains' hue goes over; at half, `MOST_GREY` is lost
    pixels, mask, depth : (h, w, 3) uint8, (h, w) uint8, (h, w) float32; written where the face is nearer than ``depth``

    An odds gain g takes brightness x (0..1) to g x / (1 + (g - 1) x): black stays black, white white, and what is between is
    lifted or lowered without changing the contrast of skin much; a plain gain makes lifted skin metallic. The hue is mostly
    the difference of two skins: brows, lashes and nostrils have none of it, and would turn blue.
    """
    height, width = mask.shape
    floor, clear = np.float32(haze + 0.5), np.float32(1 - haze / 255)
    limit, steep = np.float32(dark), np.float32(2 * MOST_GREY / max(dark, 1.0))
    tall, wide, lines_size = texture.shape[0], texture.shape[1], lines.shape[0]
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay, az = points[a, 0], points[a, 1], points[a, 2]
        bx, by, bz = points[b, 0], points[b, 1], points[b, 2]
        cx, cy, cz = points[c, 0], points[c, 1], points[c, 2]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area >= np.float32(-1e-3):
            continue
        x0, x1 = max(0, math.ceil(min(ax, bx, cx) - 0.5)), min(width - 1, math.floor(max(ax, bx, cx) - 0.5))
        y0, y1 = max(0, math.ceil(min(ay, by, cy) - 0.5)), min(height - 1, math.floor(max(ay, by, cy) - 0.5))
        scale = np.float32(1) / area
        step_b, step_c = (cy - ay) * scale, -(by - ay) * scale
        # Everything is linear between the corners: from pixel to pixel it is added to.
        u0, ub, uc = vertices[a, 0], vertices[b, 0] - vertices[a, 0], vertices[c, 0] - vertices[a, 0]
        v0, vb, vc = vertices[a, 1], vertices[b, 1] - vertices[a, 1], vertices[c, 1] - vertices[a, 1]
        b0, bb, bc = vertices[a, 2], vertices[b, 2] - vertices[a, 2], vertices[c, 2] - vertices[a, 2]
        g0, gb, gc = vertices[a, 3], vertices[b, 3] - vertices[a, 3], vertices[c, 3] - vertices[a, 3]
        r0, rb, rc = vertices[a, 4], vertices[b, 4] - vertices[a, 4], vertices[c, 4] - vertices[a, 4]
        o0, ob, oc = vertices[a, 5], vertices[b, 5] - vertices[a, 5], vertices[c, 5] - vertices[a, 5]
        zb, zc = bz - az, cz - az
        du, dv, dz = ub * step_b + uc * step_c, vb * step_b + vc * step_c, zb * step_b + zc * step_c
        db, dg = bb * step_b + bc * step_c, gb * step_b + gc * step_c
        dr, do = rb * step_b + rc * step_c, ob * step_b + oc * step_c
        for y in range(y0, y1 + 1):
            px, py = np.float32(x0 + 0.5), np.float32(y + 0.5)
            wb = ((px - ax) * (cy - ay) - (py - ay) * (cx - ax)) * scale
            wc = ((bx - ax) * (py - ay) - (by - ay) * (px - ax)) * scale
            first, last = _span(np.float32(0), np.float32(x1 - x0), wb, step_b)
            first, last = _span(first, last, wc, step_c)
            first, last = _span(first, last, np.float32(1) - wb - wc, -step_b - step_c)
            if last < first:
                continue
            wb += step_b * first
            wc += step_c * first
            z, u, v = az + wb * zb + wc * zc, u0 + wb * ub + wc * uc, v0 + wb * vb + wc * vc
            gain_b, gain_g = b0 + wb * bb + wc * bc, g0 + wb * gb + wc * gc
            gain_r, opacity = r0 + wb * rb + wc * rc, o0 + wb * ob + wc * oc
            for x in range(x0 + int(first), x0 + int(last) + 1):
                if z < depth[y, x]:
                    depth[y, x] = z
                    # Bilinear, with the texels' centres at .5.
                    lu, lv = u * lines_size - np.float32(0.5), v * lines_size - np.float32(0.5)
                    lx, ly = min(max(int(lu), 0), lines_size - 2), min(max(int(lv), 0), lines_size - 2)
                    fx, fy = lu - lx, lv - ly
                    top = lines[ly, lx] + (lines[ly, lx + 1] - lines[ly, lx]) * fx
                    bottom = lines[ly + 1, lx] + (lines[ly + 1, lx + 1] - lines[ly + 1, lx]) * fx
                    line = top + (bottom - top) * fy
                    su, sv = u * wide - np.float32(0.5), v * tall - np.float32(0.5)
                    sx, sy = min(max(int(su), 0), wide - 2), min(max(int(sv), 0), tall - 2)
                    fx, fy = su - sx, sv - sy
                    w11 = fx * fy
                    w10, w01 = fy - w11, fx - w11
                    w00 = np.float32(1) - fx - w10
                    blue, green, red = _texel(texture, sx, sy, w00, w01, w10, w11)
                    grey = min(max((limit - _luma(blue, green, red)) * steep, np.float32(0)), np.float32(MOST_GREY))
                    even = _luma(gain_b, gain_g, gain_r)
                    pixels[y, x, 0] = _lit(blue, (gain_b + (even - gain_b) * grey) * line, clear, floor)
                    pixels[y, x, 1] = _lit(green, (gain_g + (even - gain_g) * grey) * line, clear, floor)
                    pixels[y, x, 2] = _lit(red, (gain_r + (even - gain_r) * grey) * line, clear, floor)
                    mask[y, x] = np.uint8(min(max(opacity, np.float32(0)), np.float32(1)) * np.float32(255.49))
                z += dz
                u += du
                v += dv
                gain_b += db
                gain_g += dg
                gain_r += dr
                opacity += do


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def project(points: Floats, triangles: Indices, uv: Floats, plane: Plane, out: Plane) -> None:
    """Draws ``plane`` (s, s), laid out flat, onto ``out`` (h, w), bilinearly; triangles that look away are left out.

    Parameters
    ----------
    points : (n, 3) float32 in ``out``'s pixels
    uv : (n, 2) float32 0..1
    """
    height, width = out.shape
    size = plane.shape[0]
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay, bx, by, cx, cy = points[a, 0], points[a, 1], points[b, 0], points[b, 1], points[c, 0], points[c, 1]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area >= np.float32(-1e-3):
            continue
        x0, x1 = max(0, math.ceil(min(ax, bx, cx) - 0.5)), min(width - 1, math.floor(max(ax, bx, cx) - 0.5))
        y0, y1 = max(0, math.ceil(min(ay, by, cy) - 0.5)), min(height - 1, math.floor(max(ay, by, cy) - 0.5))
        scale = np.float32(1) / area
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                px, py = np.float32(x + 0.5), np.float32(y + 0.5)
                wb = ((px - ax) * (cy - ay) - (py - ay) * (cx - ax)) * scale
                wc = ((bx - ax) * (py - ay) - (by - ay) * (px - ax)) * scale
                wa = np.float32(1) - wb - wc
                if wa < -1e-5 or wb < -1e-5 or wc < -1e-5:
                    continue
                u = (wa * uv[a, 0] + wb * uv[b, 0] + wc * uv[c, 0]) * size - np.float32(0.5)
                v = (wa * uv[a, 1] + wb * uv[b, 1] + wc * uv[c, 1]) * size - np.float32(0.5)
                column, row = min(max(int(u), 0), size - 2), min(max(int(v), 0), size - 2)
                fx, fy = u - column, v - row
                top = plane[row, column] + (np.float32(plane[row, column + 1]) - plane[row, column]) * fx
                below = plane[row + 1, column] + (np.float32(plane[row + 1, column + 1]) - plane[row + 1, column]) * fx
                value = top + (below - top) * fy
                out[y, x] = np.uint8(min(max(value, np.float32(0)), np.float32(255)))


def empty_depth(height: int, width: int) -> npt.NDArray[np.float32]:
    """A depth buffer in which everything is visible."""
    return np.full((height, width), FAR, np.float32)
