"""The filter's callbacks. libobs makes them under its locks, so none of them may ever need the interpreter: all are compiled.

``data`` is the address of the instance's row (`obs_facelive.obs.rows`). Import only after `obs_facelive.obs.native.link`.
"""

from __future__ import annotations

from numba import cfunc, njit, types

from obs_facelive.link.atomic import claim, copy, load, store
from obs_facelive.link.layout import MAX_SIDE, NONE
from obs_facelive.obs import rows as r
from obs_facelive.obs.capture import add, capture, forget_pictures, free_graphics, get, put, resize
from obs_facelive.obs.native import function, load_byte, strlen, table
from obs_facelive.obs.present import draw_cover, draw_finished, take_result
from obs_facelive.states import AWAY_NS, BYPASS, CAMERA, COVER, COVERING, HOLD, LIVE, WHY_NOTHING, decide

_now = function("os_gettime_ns")
_get_target = function("obs_filter_get_target")
_base_width = function("obs_source_get_base_width")
_base_height = function("obs_source_get_base_height")
_skip = function("obs_source_skip_video_filter")
_render_source = function("obs_source_video_render")
_enter_graphics = function("obs_enter_graphics")
_leave_graphics = function("obs_leave_graphics")
_data_json = function("obs_data_get_json")
_data_bool = function("obs_data_get_bool")
_data_int = function("obs_data_get_int")
_data_text = function("obs_data_get_string")
_default_bool = function("obs_data_set_default_bool")
_default_int = function("obs_data_set_default_int")
_default_text = function("obs_data_set_default_string")
_get_parent = function("obs_filter_get_parent")
_get_ref = function("obs_source_get_ref")
_release = function("obs_source_release")
_get_weak = function("obs_source_get_weak_source")
_weak_to_strong = function("obs_weak_source_get_source")
_weak_release = function("obs_weak_source_release")

_decide = njit(nogil=True)(decide)
_I64 = types.int64
_CAMERA_LETTER, _COVER_LETTER = ord("a"), ord("o")  # the second letters of "camera" and "cover"
_SIDE_LETTER = ord("s")  # the first letter of "side" alone among the views
_JSON_ROOM = r.JSON_BYTES - 1


@njit(nogil=True)
def _word(index: int) -> int:
    return load(table() + 8 * index)


@cfunc(_I64(_I64), cache=True)
def get_name(type_data: int) -> int:
    """The filter's name in OBS's menus."""
    return _word(r.T_NAME)


@cfunc(types.void(_I64), cache=True)
def get_defaults(settings: int) -> None:
    """Gives OBS the defaults of `obs_facelive.settings`."""
    for index in range(_word(r.T_DEFAULT_COUNT)):
        default = _word(r.T_DEFAULTS) + 8 * r.DEFAULT_WORDS * index
        key, kind, value = load(default), load(default + 8), load(default + 16)
        if kind == r.DEFAULT_BOOL:
            _default_bool(settings, key, value)
        elif kind == r.DEFAULT_INT:
            _default_int(settings, key, value)
        else:
            _default_text(settings, key, value)


@njit(nogil=True)
def _read_settings(row: int, settings: int) -> None:
    put(row, r.SWAP, _data_bool(settings, _word(r.T_KEY_SWAP)))
    put(row, r.PRIVACY, _data_bool(settings, _word(r.T_KEY_PRIVACY)))
    put(row, r.HOLD_NS, min(max(_data_int(settings, _word(r.T_KEY_HOLD_MS)), 0), 5000) * 1_000_000)
    choice = _data_text(settings, _word(r.T_KEY_NO_FACE))
    letter = load_byte(choice + 1) if choice != 0 and load_byte(choice) == ord("c") else 0
    put(
        row,
        r.NO_FACE_CHOICE,
        CAMERA if letter == _CAMERA_LETTER else COVER if letter == _COVER_LETTER else HOLD,
    )
    view = _data_text(settings, _word(r.T_KEY_VIEW))
    put(row, r.OPEN, 1 if view != 0 and load_byte(view) == _SIDE_LETTER else 0)
    text = _data_json(settings)
    size = min(strlen(text), _JSON_ROOM) if text else 0
    copy(get(row, r.JSON), text, size)
    # A C string's end; the words before it were just written, so a byte store through a word would tear them.
    copy(get(row, r.JSON) + size, _word(r.T_ZERO), 1)
    add(row, r.JSON_SEQ, 1)


@cfunc(types.void(_I64, _I64), cache=True)
def update(row: int, settings: int) -> None:
    """Settings changed: keep what decides about privacy, and the JSON for the engine."""
    if load(row) == r.ALIVE:
        _read_settings(row, settings)


@njit(nogil=True)
def new_row(settings: int, source: int, kind: int) -> int:
    """A row for a new instance; where all are taken, the one that is never alive."""
    for index in range(r.MAX_FILTERS):
        row = _word(r.T_ROWS) + 8 * r.ROW_WORDS * index
        if load(row) == r.FREE and claim(row, r.FREE, r.CLAIMED):
            json = get(row, r.JSON)
            for word in range(1, r.ROW_WORDS):
                put(row, word, 0)
            put(row, r.JSON, json)
            put(row, r.SOURCE, source)
            put(row, r.KIND, kind)
            put(row, r.WEAK, _get_weak(source))
            put(row, r.TICKED, 1)
            put(row, r.LAST_RESULT, NONE)
            forget_pictures(row)
            _read_settings(row, settings)
            store(table() + 8 * r.T_SERIAL, _word(r.T_SERIAL) + 1)
            put(row, r.SERIAL, _word(r.T_SERIAL))
            store(row, r.ALIVE)
            return row
    return _word(r.T_ROWS) + 8 * r.ROW_WORDS * r.MAX_FILTERS


@cfunc(_I64(_I64, _I64), cache=True)
def create(settings: int, source: int) -> int:
    """A new filter. Never fails: libobs would show the bare camera for a filter without data."""
    return new_row(settings, source, r.KIND_FILTER)


@njit(cache=True, nogil=True)
def strong_source(row: int) -> int:
    """A counted reference to the row's source, for the supervisor; 0 if it is going or gone.

    `destroy` waits for this function (some instructions long), so the weak reference lives while it is used.
    """
    if claim(row + 8 * r.WEAK_BUSY, 0, 1) == 0:
        return 0
    source = 0
    if load(row) == r.ALIVE and get(row, r.WEAK) != 0:
        source = _weak_to_strong(get(row, r.WEAK))
    put(row, r.WEAK_BUSY, 0)
    return source


@njit(cache=True, nogil=True)
def strong_parent(row: int) -> int:
    """A counted reference to the source that the row's filter is on, or to the camera itself; 0 if there is none."""
    source = strong_source(row)
    if source == 0 or get(row, r.KIND) == r.KIND_CAMERA:
        return source
    parent = _get_parent(source)
    parent = _get_ref(parent) if parent else 0
    _release(source)
    return parent


@njit(nogil=True)
def end_row(row: int) -> None:
    """The end of an instance whose WEAK_BUSY the caller has claimed; the supervisor frees its block afterwards."""
    _weak_release(get(row, r.WEAK))
    put(row, r.WEAK, 0)
    put(row, r.WEAK_BUSY, 0)
    _enter_graphics()
    free_graphics(row)
    _leave_graphics()
    store(row, r.DYING)


@cfunc(types.void(_I64), cache=True)
def destroy(row: int) -> None:
    """The end of a filter."""
    if load(row) == r.ALIVE:
        while claim(row + 8 * r.WEAK_BUSY, 0, 1) == 0:
            pass
        end_row(row)


@cfunc(types.void(_I64, types.float32), cache=True)
def video_tick(row: int, seconds: float) -> None:
    """A new frame begins: the next render captures."""
    add(row, r.TICKS, 1)
    put(row, r.TICKED, 1)


@njit(nogil=True)
def _draw(row: int, target: int, width: int, height: int) -> None:
    if width <= 0 or height <= 0 or width > MAX_SIDE or height > MAX_SIDE:
        return
    swap, privacy = get(row, r.SWAP), get(row, r.PRIVACY)
    if swap == 0 and privacy == 0:
        put(row, r.STATE, BYPASS)
        if get(row, r.KIND) == r.KIND_CAMERA:
            _render_source(target)
        else:
            _skip(get(row, r.SOURCE))
        add(row, r.AGED, 1)
        return
    newest, opened = get(row, r.NEWEST), get(row, r.OPEN)
    if width != get(row, r.WIDTH) or height != get(row, r.HEIGHT):
        resize(row, width, height)
    else:
        away = newest != NONE and _now() - get(row, r.TEXTURE_AT + newest) > AWAY_NS
        if away or (get(row, r.WAS_OPEN) and not opened):
            forget_pictures(row)
    put(row, r.WAS_OPEN, opened)
    new_frame = get(row, r.TICKED)
    if new_frame:
        put(row, r.TICKED, 0)
        link = get(row, r.LINK)
        if link:
            take_result(row, link)
        capture(row, target, link if swap else 0)
    choice = get(row, r.NO_FACE_CHOICE)
    state, reason = _decide(
        swap,
        privacy,
        choice,
        get(row, r.HOLD_NS),
        1 if get(row, r.SHOWN) != NONE else 0,
        get(row, r.SHOWN_RAW),
        _now() - get(row, r.SHOWN_AT),
        get(row, r.LAST_STATUS),
        get(row, r.ENGINE),
        _word(r.T_SUPERVISED),
    )
    if state != COVERING and not draw_finished(row):
        state = COVERING
    if state == COVERING:
        draw_cover(row, reason)
    elif get(row, r.TEXTURE_DONE + get(row, r.SHOWN)) == r.DONE_BARE and choice != CAMERA:
        add(row, r.RAW_SHOWN, 1)
    if new_frame and state in (LIVE, BYPASS):
        add(row, r.AGE_NS, _now() - get(row, r.TEXTURE_AT + get(row, r.SHOWN)))
        add(row, r.AGED, 1)
    put(row, r.STATE, state)
    put(row, r.REASON, reason if state != LIVE else WHY_NOTHING)


@njit(nogil=True)
def draw(row: int, target: int, width: int, height: int) -> None:
    """Draws what may be seen of ``target``, which is so big. Nothing where it is drawn inside of itself."""
    if load(row) != r.ALIVE or get(row, r.EPOCH) & 1:
        return
    began = _now()
    add(row, r.EPOCH, 1)
    _draw(row, target, width, height)
    add(row, r.EPOCH, 1)
    add(row, r.RENDERS, 1)
    add(row, r.RENDER_NS, _now() - began)


@cfunc(types.void(_I64, _I64), cache=True)
def video_render(row: int, effect: int) -> None:
    """Draws the filter: several times a frame where a source is seen in several places."""
    if load(row) == r.ALIVE:
        target = _get_target(get(row, r.SOURCE))
        width, height = (_base_width(target), _base_height(target)) if target else (0, 0)
        draw(row, target, width, height)


@cfunc(types.void(_I64, _I64, _I64, types.uint8), cache=True)
def on_swap(row: int, hotkey_id: int, hotkey: int, pressed: int) -> None:
    """The hotkey that switches the swap on and off; under OBS's hotkey lock."""
    if pressed:
        add(row, r.HOTKEY_SWAP, 1)


@cfunc(types.void(_I64, _I64, _I64, types.uint8), cache=True)
def on_next(row: int, hotkey_id: int, hotkey: int, pressed: int) -> None:
    """The hotkey for the next persona; under OBS's hotkey lock."""
    if pressed:
        add(row, r.HOTKEY_NEXT, 1)


@cfunc(types.void(_I64, _I64, _I64, types.uint8), cache=True)
def on_previous(row: int, hotkey_id: int, hotkey: int, pressed: int) -> None:
    """The hotkey for the previous persona; under OBS's hotkey lock."""
    if pressed:
        add(row, r.HOTKEY_PREVIOUS, 1)


CALLBACKS = {f.__name__: f for f in (get_name, get_defaults, create, destroy, update, video_tick, video_render)}
"""What goes into ``struct obs_source_info``, by its field."""
