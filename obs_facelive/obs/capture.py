"""The camera's way in: render the filter's target into a ring of textures, read back without waiting. Compiled."""

from __future__ import annotations

import sys

from numba import njit

from obs_facelive.link.atomic import load, store
from obs_facelive.link.layout import NONE
from obs_facelive.link.obs_end import claimed, send_frame, send_settings
from obs_facelive.obs import rows as r
from obs_facelive.obs.abi import BGRA, BLEND_ONE, BLEND_ZERO, CLEAR_COLOUR, SOURCE_ASYNC, SOURCE_CUSTOM_DRAW, ZS_NONE
from obs_facelive.obs.native import function, ring_bell, strlen, table
from obs_facelive.states import COVER_STEPS

_now = function("os_gettime_ns")
_get_parent = function("obs_filter_get_parent")
_flags = function("obs_source_get_output_flags")
_render = function("obs_source_video_render")
_default_render = function("obs_source_default_render")
_texrender_create = function("gs_texrender_create")
_texrender_destroy = function("gs_texrender_destroy")
_texrender_begin = function("gs_texrender_begin")
_texrender_end = function("gs_texrender_end")
_texrender_reset = function("gs_texrender_reset")
_texrender_texture = function("gs_texrender_get_texture")
_stage_create = function("gs_stagesurface_create")
_stage_destroy = function("gs_stagesurface_destroy")
_stage = function("gs_stage_texture")
_stage_map = function("gs_stagesurface_map")
_stage_unmap = function("gs_stagesurface_unmap")
_ortho = function("gs_ortho")
_clear = function("gs_clear")
_blend_push = function("gs_blend_state_push")
_blend_pop = function("gs_blend_state_pop")
_blend = function("gs_blend_function")
_texture_destroy = function("gs_texture_destroy")

_WINDOWS = sys.platform == "win32"


@njit(nogil=True)
def get(row: int, word: int) -> int:
    """A word of a row."""
    return load(row + 8 * word)


@njit(nogil=True)
def put(row: int, word: int, value: int) -> None:
    """Sets a word of a row."""
    store(row + 8 * word, value)


@njit(nogil=True)
def add(row: int, word: int, value: int) -> None:
    """Adds to a counter of a row (one writer)."""
    store(row + 8 * word, load(row + 8 * word) + value)


@njit(nogil=True)
def begin_target(row: int, word: int, width: int, height: int) -> bool:
    """Starts drawing into the texrender that ``word`` holds (made at the first use), in pixels, without blending."""
    if get(row, word) == 0:
        put(row, word, _texrender_create(BGRA, ZS_NONE))
    target = get(row, word)
    _texrender_reset(target)
    if not _texrender_begin(target, width, height):
        return False
    _blend_push()
    _blend(BLEND_ONE, BLEND_ZERO)
    _ortho(0.0, float(width), 0.0, float(height), -100.0, 100.0)
    return True


@njit(nogil=True)
def end_target(row: int, word: int) -> None:
    """Ends what `begin_target` started."""
    _blend_pop()
    _texrender_end(get(row, word))


@njit(nogil=True)
def target_texture(row: int, word: int) -> int:
    """The texture of the texrender that ``word`` holds, or 0."""
    return _texrender_texture(get(row, word))


@njit(nogil=True)
def _free_slot(row: int, link: int) -> int:
    """The ring's oldest texture that nobody needs: not the shown one, not the newest, none the engine works on."""
    block = get(link, r.L_BLOCK) if link else 0
    best, best_frame = -1, 0
    for slot in range(r.RING):
        frame = get(row, r.TEXTURE_FRAME + slot)
        if get(row, r.TEXTURE + slot) == 0 or frame == NONE:
            return slot
        if slot == get(row, r.SHOWN) or slot == get(row, r.NEWEST) or (block and claimed(block, frame)):
            continue
        if best < 0 or frame < best_frame:
            best, best_frame = slot, frame
    return best


@njit(nogil=True)
def forget_pictures(row: int) -> None:
    """Nothing in the ring may be shown any more, and no result for any of it can: as at the very start."""
    for slot in range(r.RING):
        put(row, r.TEXTURE_FRAME + slot, NONE)
        put(row, r.TEXTURE_DONE + slot, 0)
    put(row, r.SHOWN, NONE)
    put(row, r.NEWEST, NONE)
    put(row, r.STAGED_FRAME, NONE)
    put(row, r.COVERED, NONE)
    put(row, r.LAST_STATUS, 0)


@njit(nogil=True)
def resize(row: int, width: int, height: int) -> None:
    """A new size of the source: new staging surfaces, an empty ring."""
    for index in range(2):
        if get(row, r.STAGE + index):
            _stage_destroy(get(row, r.STAGE + index))
        put(row, r.STAGE + index, _stage_create(width, height, BGRA))
    forget_pictures(row)
    put(row, r.WIDTH, width)
    put(row, r.HEIGHT, height)


@njit(nogil=True)
def free_graphics(row: int) -> None:
    """Destroys every GPU object of a row. Inside the graphics context only."""
    for index in range(2):
        if get(row, r.STAGE + index):
            _stage_destroy(get(row, r.STAGE + index))
    for index in range(r.RING):
        if get(row, r.TEXTURE + index):
            _texrender_destroy(get(row, r.TEXTURE + index))
    for index in range(COVER_STEPS):
        if get(row, r.COVER_TARGET + index):
            _texrender_destroy(get(row, r.COVER_TARGET + index))
    for index in range(r.MAX_PATCHES):
        if get(row, r.PATCH + index):
            _texture_destroy(get(row, r.PATCH + index))


@njit(nogil=True)
def _send_settings(row: int, link: int) -> None:
    seq = get(row, r.JSON_SEQ)
    if seq != get(link, r.L_SENT_SEQ):
        send_settings(get(link, r.L_BLOCK), get(row, r.JSON), strlen(get(row, r.JSON)))
        put(link, r.L_SENT_SEQ, seq)


@njit(nogil=True)
def _send_staged(row: int, link: int, surface: int) -> None:
    """Maps the surface that was staged one frame ago, which is why this does not wait, and copies it to the engine."""
    began = _now()
    if not _stage_map(surface, row + 8 * r.MAP_DATA, row + 8 * r.MAP_LINE):
        return
    sent = send_frame(
        get(link, r.L_BLOCK),
        get(link, r.L_CAPACITY),
        get(row, r.STAGED_FRAME),
        get(row, r.STAGED_AT),
        get(row, r.MAP_DATA),
        get(row, r.MAP_LINE) & 0xFFFFFFFF,
        get(row, r.WIDTH),
        get(row, r.HEIGHT),
    )
    _stage_unmap(surface)
    if sent:
        add(row, r.SENT, 1)
        if _WINDOWS:
            ring_bell(load(table() + 8 * r.T_BELL))
        else:
            ring_bell(load(table() + 8 * r.T_BELL), load(table() + 8 * r.T_BYTE), 1)
    add(row, r.COPY_NS, _now() - began)


@njit(nogil=True)
def capture(row: int, target: int, link: int) -> None:
    """Renders ``target`` into the ring; hands the picture before it to the engine, if there is a ``link``. Once a frame."""
    width, height = get(row, r.WIDTH), get(row, r.HEIGHT)
    slot = _free_slot(row, link)
    put(row, r.TEXTURE_DONE + slot, 0)
    put(row, r.TEXTURE_FRAME + slot, NONE)
    if not begin_target(row, r.TEXTURE + slot, width, height):
        return
    _clear(CLEAR_COLOUR, load(table() + 8 * r.T_ZERO), 0.0, 0)
    # A source that neither draws itself nor is asynchronous needs an effect around it (obs-filters/gpu-delay.c, OBS 29).
    if target == _get_parent(get(row, r.SOURCE)) and _flags(target) & (SOURCE_ASYNC | SOURCE_CUSTOM_DRAW) == 0:
        _default_render(target)
    else:
        _render(target)
    end_target(row, r.TEXTURE + slot)
    frame = get(row, r.NEXT_FRAME)
    put(row, r.NEXT_FRAME, frame + 1)
    put(row, r.TEXTURE_FRAME + slot, frame)
    put(row, r.TEXTURE_AT + slot, _now())
    put(row, r.NEWEST, slot)
    add(row, r.CAPTURES, 1)
    if link == 0 or get(link, r.L_CAPACITY) < width * height * 4:
        put(row, r.STAGED_FRAME, NONE)
        return
    _send_settings(row, link)
    index = get(row, r.STAGE_INDEX)
    _stage(get(row, r.STAGE + index), target_texture(row, r.TEXTURE + slot))
    if get(row, r.STAGED_FRAME) != NONE:
        _send_staged(row, link, get(row, r.STAGE + 1 - index))
    put(row, r.STAGED_FRAME, frame)
    put(row, r.STAGED_AT, get(row, r.TEXTURE_AT + slot))
    put(row, r.STAGE_INDEX, 1 - index)
