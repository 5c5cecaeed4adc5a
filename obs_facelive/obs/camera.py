"""The callbacks of the input "FaceLive camera": another source, named by the person, drawn swapped. All compiled.

A filter whose script is missing lets the bare camera through; an input whose script is missing is nothing at all. The
target is known by a weak reference, so that nobody's end waits for anybody. Import only after
`obs_facelive.obs.native.link`.
"""

from __future__ import annotations

from numba import cfunc, njit, types

from obs_facelive.link.atomic import claim, copy, fence, load, store
from obs_facelive.obs import callbacks
from obs_facelive.obs import rows as r
from obs_facelive.obs.abi import AUDIO_CHANNELS, AUDIO_FRAMES, AUDIO_MIXES
from obs_facelive.obs.callbacks import draw, end_row, new_row
from obs_facelive.obs.capture import add, get, put
from obs_facelive.obs.native import call_back, function, table

_width = function("obs_source_get_width")
_height = function("obs_source_get_height")
_release = function("obs_source_release")
_get_weak = function("obs_source_get_weak_source")
_weak_to_strong = function("obs_weak_source_get_source")
_weak_release = function("obs_weak_source_release")
_add_child = function("obs_source_add_active_child")
_remove_child = function("obs_source_remove_active_child")
_audio_pending = function("obs_source_audio_pending")
_audio_time = function("obs_source_get_audio_timestamp")
_audio_mix = function("obs_source_get_audio_mix")

_I64 = types.int64


@njit(nogil=True)
def _count_reader(row: int, change: int) -> None:
    address = row + 8 * r.TARGET_READERS
    readers = load(address)
    while claim(address, readers, readers + change) == 0:
        readers = load(address)


@njit(cache=True, nogil=True)
def strong_target(row: int) -> int:
    """A counted reference to the row's target; 0 if there is none (yet, or any more). Never waits."""
    _count_reader(row, 1)
    fence()
    weak = get(row, r.TARGET)
    target = _weak_to_strong(weak) if weak else 0
    _count_reader(row, -1)
    return target


@njit(nogil=True)
def _put_target(row: int, source: int, weak: int) -> None:
    """``source`` is the row's; it shows the target behind ``weak`` (0: none) from now on."""
    old = get(row, r.TARGET)
    put(row, r.TARGET, weak)
    fence()
    if old == 0:
        return
    gone = _weak_to_strong(old)
    if gone:
        _remove_child(source, gone)
        _release(gone)
    # Whoever read the old word is some instructions away from not needing it.
    while get(row, r.TARGET_READERS) != 0:
        pass
    _weak_release(old)


@njit(cache=True, nogil=True)
def change_target(row: int, target: int) -> int:
    """Gives the row another target, a source that the caller holds a reference to, or none (0). For the supervisor.

    The target is active and shown while the camera is. 1, or 0 if the target shows this very camera or the camera is going.
    """
    if claim(row + 8 * r.WEAK_BUSY, 0, 1) == 0:
        return 0
    changed = 0
    weak = get(row, r.WEAK)
    source = _weak_to_strong(weak) if load(row) == r.ALIVE and weak != 0 else 0
    if source and (target == 0 or _add_child(source, target)):
        _put_target(row, source, _get_weak(target) if target else 0)
        changed = 1
    put(row, r.WEAK_BUSY, 0)
    if source:
        _release(source)
    return changed


@cfunc(_I64(_I64), cache=True)
def get_name(type_data: int) -> int:
    """The input's name in OBS's menus."""
    return load(table() + 8 * r.T_CAMERA_NAME)


@cfunc(_I64(_I64, _I64), cache=True)
def create(settings: int, source: int) -> int:
    """A new camera; its target comes from the supervisor."""
    return new_row(settings, source, r.KIND_CAMERA)


@cfunc(types.void(_I64), cache=True)
def destroy(row: int) -> None:
    """The end of a camera. Its target is let go."""
    if load(row) == r.ALIVE:
        while claim(row + 8 * r.WEAK_BUSY, 0, 1) == 0:
            pass
        _put_target(row, get(row, r.SOURCE), 0)
        end_row(row)


@cfunc(types.void(_I64, types.float32), cache=True)
def video_tick(row: int, seconds: float) -> None:
    """A new frame begins: the target's size is what it is now, and the next render captures."""
    size = 0
    target = strong_target(row)
    if target:
        size = _width(target) << 32 | _height(target)
        _release(target)
    put(row, r.TARGET_SIZE, size)
    add(row, r.TICKS, 1)
    put(row, r.TICKED, 1)


@cfunc(types.uint32(_I64), cache=True)
def get_width(row: int) -> int:
    """In pixels; 0 without a target."""
    return get(row, r.TARGET_SIZE) >> 32


@cfunc(types.uint32(_I64), cache=True)
def get_height(row: int) -> int:
    """In pixels; 0 without a target."""
    return get(row, r.TARGET_SIZE) & 0xFFFFFFFF


@cfunc(types.void(_I64, _I64), cache=True)
def video_render(row: int, effect: int) -> None:
    """Draws the target, its filters applied, as the filter draws the source that it is on; nothing without a target."""
    weak = get(row, r.TARGET)
    target = strong_target(row)
    if target:
        if weak != get(row, r.TARGET_SEEN):
            put(row, r.TARGET_SEEN, weak)
            put(row, r.WIDTH, 0)  # as if its size had changed: the other target's pictures are forgotten
        size = get(row, r.TARGET_SIZE)
        draw(row, target, size >> 32, size & 0xFFFFFFFF)
        _release(target)


@cfunc(types.void(_I64, _I64, _I64), cache=True)
def enum_active_sources(row: int, callback: int, param: int) -> None:
    """Tells libobs what the camera shows."""
    target = strong_target(row)
    if target:
        call_back(callback, get(row, r.SOURCE), target, param)
        _release(target)


@cfunc(types.uint8(_I64, _I64, _I64, types.uint32, _I64, _I64), cache=True)
def audio_render(row: int, time: int, mixes: int, wanted: int, channels: int, rate: int) -> int:
    """Passes the target's sound on, which would be silent as its place in the scene is hidden."""
    target = strong_target(row)
    if target == 0:
        return 0
    began = 0 if _audio_pending(target) else _audio_time(target)
    if began:
        _audio_mix(target, row + 8 * r.AUDIO_MIX)
        for mix in range(AUDIO_MIXES):
            for channel in range(min(channels, AUDIO_CHANNELS)):
                place = mix * AUDIO_CHANNELS + channel
                to, sound = load(mixes + 8 * place), get(row, r.AUDIO_MIX + place)
                if wanted >> mix & 1 and to != 0 and sound != 0:
                    copy(to, sound, AUDIO_FRAMES * 4)
        store(time, began)
    _release(target)
    return 1 if began else 0


CALLBACKS = {
    f.__name__: f
    for f in (
        get_name,
        callbacks.get_defaults,
        create,
        destroy,
        callbacks.update,
        video_tick,
        get_width,
        get_height,
        video_render,
        enum_active_sources,
        audio_render,
    )
}
"""What goes into ``struct obs_source_info``, by its field."""
