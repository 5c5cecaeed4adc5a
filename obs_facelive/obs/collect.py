"""What libobs calls back while it lists sources and items, under its locks: it only writes down what is there. Compiled.

Import only after `obs_facelive.obs.native.link`.
"""

from __future__ import annotations

from numba import cfunc, njit, types

from obs_facelive.link.atomic import load, store
from obs_facelive.obs.abi import SOURCE_TYPE_SCENE
from obs_facelive.obs.native import function
from obs_facelive.obs.rows import C_ENTRIES, C_FIRST, C_LENGTH, C_ROOM, C_SECOND

_get_ref = function("obs_source_get_ref")
_release = function("obs_source_release")
_type = function("obs_source_get_type")
_item_source = function("obs_sceneitem_get_source")
_item_addref = function("obs_sceneitem_addref")

_I64 = types.int64


@njit(nogil=True)
def _append(found: int, entry: int) -> bool:
    """Counts an entry; writes it down if there is room."""
    length = load(found + 8 * C_LENGTH)
    store(found + 8 * C_LENGTH, length + 1)
    if length >= load(found + 8 * C_ROOM):
        return False
    store(found + 8 * (C_ENTRIES + length), entry)
    return True


@njit(nogil=True)
def _append_source(found: int, source: int) -> None:
    held = _get_ref(source)
    if held != 0 and not _append(found, held):
        _release(held)


@cfunc(types.uint8(_I64, _I64), cache=True)
def source(found: int, source: int) -> int:
    """Any source, with a reference."""
    _append_source(found, source)
    return 1


@cfunc(types.uint8(_I64, _I64), cache=True)
def scene(found: int, source: int) -> int:
    """A source, with a reference, that is a scene or a group."""
    if _type(source) == SOURCE_TYPE_SCENE:
        _append_source(found, source)
    return 1


@cfunc(types.uint8(_I64, _I64, _I64), cache=True)
def item(scene: int, item: int, found: int) -> int:
    """A scene's item, with a reference, that shows one of the two sources looked for, or a scene or group."""
    shown = _item_source(item)
    wanted = shown == load(found + 8 * C_FIRST) or shown == load(found + 8 * C_SECOND)
    if (wanted or _type(shown) == SOURCE_TYPE_SCENE) and _append(found, item):
        _item_addref(item)
    return 1
