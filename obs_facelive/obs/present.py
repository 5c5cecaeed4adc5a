"""The picture's way out: put the engine's patches on the frame they belong to, draw it, or draw the cover. Compiled."""

from __future__ import annotations

from numba import njit

from obs_facelive.link.atomic import copy, load
from obs_facelive.link.layout import (
    NO_FACE,
    NONE,
    REFUSED,
    REMOVED,
    RESULT_FACES,
    RESULT_FRAME,
    RESULT_SEQ,
    RESULT_STATUS,
    SWAPPED,
)
from obs_facelive.link.obs_end import close_result, open_result, patch, patch_count, refusal
from obs_facelive.obs import rows as r
from obs_facelive.obs.abi import (
    BGRA,
    BLEND_INVSRCALPHA,
    BLEND_ONE,
    BLEND_SRCALPHA,
    DYNAMIC,
    EFFECT_DEFAULT,
)
from obs_facelive.obs.capture import add, begin_target, end_target, get, put, target_texture
from obs_facelive.obs.native import function, table
from obs_facelive.states import CAMERA, COVER_STEPS, cover_size

_now = function("os_gettime_ns")
_base_effect = function("obs_get_base_effect")
_effect_loop = function("gs_effect_loop")
_effect_param = function("gs_effect_get_param_by_name")
_effect_texture = function("gs_effect_set_texture")
_effect_texture_srgb = function("gs_effect_set_texture_srgb")
_draw_sprite = function("gs_draw_sprite")
_draw_region = function("gs_draw_sprite_subregion")
_texture_create = function("gs_texture_create")
_texture_destroy = function("gs_texture_destroy")
_texture_map = function("gs_texture_map")
_texture_unmap = function("gs_texture_unmap")
_matrix_push = function("gs_matrix_push")
_matrix_pop = function("gs_matrix_pop")
_translate = function("gs_matrix_translate3f")
_blend_push = function("gs_blend_state_push")
_blend_pop = function("gs_blend_state_pop")
_blend = function("gs_blend_function_separate")
_srgb_enabled = function("gs_framebuffer_srgb_enabled")
_enable_srgb = function("gs_enable_framebuffer_srgb")

_cover_size = njit(nogil=True)(cover_size)
_GROW = 128
"""Patch textures grow in steps of so many pixels, so that a moving face does not make a new texture every frame."""


@njit(nogil=True)
def _copy(texture: int, width: int, height: int) -> None:
    """Draws a texture ``width`` x ``height`` pixels big; bytes stay bytes."""
    effect = _base_effect(EFFECT_DEFAULT)
    _effect_texture(_effect_param(effect, load(table() + 8 * r.T_IMAGE)), texture)
    while _effect_loop(effect, load(table() + 8 * r.T_DRAW)):
        _draw_sprite(texture, 0, width, height)


@njit(nogil=True)
def _show(texture: int, width: int, height: int, source_blend: int) -> None:
    """Draws a texture to where OBS wants it, blending in linear light as OBS's own filters do (obs-filters/gpu-delay.c)."""
    srgb = _srgb_enabled()
    _enable_srgb(1)
    _blend_push()
    # Alpha for itself: a caption that is half transparent leaves an opaque picture opaque.
    _blend(source_blend, BLEND_INVSRCALPHA, BLEND_ONE, BLEND_INVSRCALPHA)
    effect = _base_effect(EFFECT_DEFAULT)
    _effect_texture_srgb(_effect_param(effect, load(table() + 8 * r.T_IMAGE)), texture)
    while _effect_loop(effect, load(table() + 8 * r.T_DRAW)):
        _draw_sprite(texture, 0, width, height)
    _blend_pop()
    _enable_srgb(srgb)


@njit(nogil=True)
def _upload(row: int, index: int, width: int, height: int, pixels: int) -> bool:
    if get(row, r.PATCH_W + index) < width or get(row, r.PATCH_H + index) < height:
        if get(row, r.PATCH + index):
            _texture_destroy(get(row, r.PATCH + index))
        w = max(get(row, r.PATCH_W + index), (width + _GROW - 1) // _GROW * _GROW)
        h = max(get(row, r.PATCH_H + index), (height + _GROW - 1) // _GROW * _GROW)
        texture = _texture_create(w, h, BGRA, 1, 0, DYNAMIC)
        put(row, r.PATCH + index, texture)
        put(row, r.PATCH_W + index, w if texture else 0)
        put(row, r.PATCH_H + index, h if texture else 0)
        if texture == 0:
            return False
    put(row, r.MAP_LINE, 0)
    if not _texture_map(get(row, r.PATCH + index), row + 8 * r.MAP_DATA, row + 8 * r.MAP_LINE):
        return False
    to, line = get(row, r.MAP_DATA), get(row, r.MAP_LINE) & 0xFFFFFFFF
    for y in range(height):
        copy(to + y * line, pixels + y * width * 4, width * 4)
    _texture_unmap(get(row, r.PATCH + index))
    return True


@njit(nogil=True)
def _compose(row: int, link: int, slot: int, base: int, count: int, seq: int) -> bool:
    """Puts a result's patches on its frame. True only if all of them were whole and are on it."""
    width, height = get(row, r.WIDTH), get(row, r.HEIGHT)
    good, room = True, get(link, r.L_PATCH_CAPACITY)
    for index in range(count):
        x, y, w, h, pixels = patch(base, index, width, height, get(link, r.L_PATCH_CAPACITY))
        room -= w * h * 4  # patches that share their pixels would make this thread copy far more than a slot holds
        if w == 0 or room < 0 or not _upload(row, index, w, h, pixels):
            good = False
            break
        put(row, r.PLACE + 4 * index, x)
        put(row, r.PLACE + 4 * index + 1, y)
        put(row, r.PLACE + 4 * index + 2, w)
        put(row, r.PLACE + 4 * index + 3, h)
    if not good:
        add(row, r.BAD_RESULTS, 1)
    if not close_result(get(link, r.L_BLOCK), base, seq):
        add(row, r.TORN, 1)
        return False
    if not good:
        return False
    if count == 0:
        return True
    # The texture keeps what was rendered into it: nothing is cleared, the patches go on top.
    if not begin_target(row, r.TEXTURE + slot, width, height):
        return False
    srgb = _srgb_enabled()
    _enable_srgb(0)
    effect = _base_effect(EFFECT_DEFAULT)
    image = _effect_param(effect, load(table() + 8 * r.T_IMAGE))
    for index in range(count):
        texture = get(row, r.PATCH + index)
        place = r.PLACE + 4 * index
        _matrix_push()
        _translate(float(get(row, place)), float(get(row, place + 1)), 0.0)
        _effect_texture(image, texture)
        while _effect_loop(effect, load(table() + 8 * r.T_DRAW)):
            _draw_region(texture, 0, 0, 0, get(row, place + 2), get(row, place + 3))
        _matrix_pop()
    _enable_srgb(srgb)
    end_target(row, r.TEXTURE + slot)
    return True


@njit(nogil=True)
def take_result(row: int, link: int) -> None:
    """Takes the engine's newest result, if it is new, and finishes the frame in the ring that it belongs to."""
    block = get(link, r.L_BLOCK)
    refused = refusal(block)
    if refused:  # the face that is shown must not come back with the next status either
        put(row, r.LAST_STATUS, refused)
        put(row, r.SHOWN, NONE)
        return
    base = open_result(block, get(link, r.L_CAPACITY), get(link, r.L_PATCH_CAPACITY))
    if base == 0:
        return
    seq, frame = load(base + 8 * RESULT_SEQ), load(base + 8 * RESULT_FRAME)
    status, faces = load(base + 8 * RESULT_STATUS), load(base + 8 * RESULT_FACES)
    if frame == get(row, r.LAST_RESULT):
        close_result(block, base, seq)
        return
    slot = NONE
    for index in range(r.RING):
        if frame >= 0 and get(row, r.TEXTURE_FRAME + index) == frame and get(row, r.TEXTURE + index) != 0:
            slot = index
    count = patch_count(base)
    # A swapped face has a patch; a frame that nobody is in has no face.
    bad = count < 0 or (status == SWAPPED and (count == 0 or faces <= 0)) or (status == NO_FACE and faces != 0)
    finished = slot != NONE and not bad and status in (SWAPPED, NO_FACE)
    if finished:
        if not _compose(row, link, slot, base, count, seq):
            return
    elif not close_result(block, base, seq):
        return
    now = _now()
    put(row, r.LAST_RESULT, frame)
    put(row, r.LAST_RESULT_AT, now)
    if bad:
        add(row, r.BAD_RESULTS, 1)
        return
    # A result for a frame that was forgotten says nothing about what is there now.
    if slot != NONE or get(row, r.LAST_STATUS) != 0:
        put(row, r.LAST_STATUS, status)
    if REFUSED <= status <= REMOVED:
        put(row, r.SHOWN, NONE)
    put(row, r.LAST_FACES, faces)
    add(row, r.STALE if slot == NONE else r.RESULTS, 1)
    if faces > 0:
        add(row, r.WITH_FACE, 1)
    if not finished:
        return
    if status == SWAPPED:
        add(row, r.SWAPPED_FRAMES, 1)
    elif get(row, r.NO_FACE_CHOICE) != CAMERA:
        return
    put(row, r.TEXTURE_DONE + slot, r.DONE_SWAPPED if status == SWAPPED and count else r.DONE_BARE)
    put(row, r.SHOWN, slot)
    put(row, r.SHOWN_RAW, 1 if status == NO_FACE else 0)
    put(row, r.SHOWN_AT, now)
    put(row, r.DELAY_NS, now - get(row, r.TEXTURE_AT + slot))


@njit(nogil=True)
def _blur(row: int) -> int:
    """The newest picture made so small that nobody is recognised, and smooth again; 0 if there is none."""
    newest = get(row, r.NEWEST)
    if newest == NONE:
        return 0
    frame = get(row, r.TEXTURE_FRAME + newest)
    last = r.COVER_TARGET + COVER_STEPS - 1
    if get(row, r.COVERED) == frame:
        return target_texture(row, last)
    srgb = _srgb_enabled()
    _enable_srgb(0)
    texture = target_texture(row, r.TEXTURE + newest)
    for step in range(COVER_STEPS):
        width, height = _cover_size(get(row, r.WIDTH), get(row, r.HEIGHT), step)
        if not begin_target(row, r.COVER_TARGET + step, width, height):
            texture = 0
            break
        _copy(texture, width, height)
        end_target(row, r.COVER_TARGET + step)
        texture = target_texture(row, r.COVER_TARGET + step)
    _enable_srgb(srgb)
    put(row, r.COVERED, frame if texture else NONE)
    return texture


@njit(nogil=True)
def draw_cover(row: int, reason: int) -> None:
    """Draws the blurred camera with one line that says why."""
    texture = _blur(row)
    if texture == 0:
        return
    width, height = get(row, r.WIDTH), get(row, r.HEIGHT)
    _show(texture, width, height, BLEND_ONE)
    caption = load(table() + 8 * (r.T_CAPTION + reason))
    if caption == 0:
        return
    w, h = load(table() + 8 * (r.T_CAPTION_W + reason)), load(table() + 8 * (r.T_CAPTION_H + reason))
    high = height // 14
    wide = w * high // h
    if wide > width * 9 // 10:
        wide = width * 9 // 10
        high = h * wide // w
    _matrix_push()
    _translate(float((width - wide) // 2), float(height - high * 2), 0.0)
    if wide > 0 and high > 0:
        _show(caption, wide, high, BLEND_SRCALPHA)
    _matrix_pop()


@njit(nogil=True)
def draw_finished(row: int) -> bool:
    """Draws the shown picture, if it is finished. False, and nothing is drawn, if it is not."""
    slot = get(row, r.SHOWN)
    if slot == NONE or get(row, r.TEXTURE_DONE + slot) == 0:
        return False
    _show(target_texture(row, r.TEXTURE + slot), get(row, r.WIDTH), get(row, r.HEIGHT), BLEND_ONE)
    return True
