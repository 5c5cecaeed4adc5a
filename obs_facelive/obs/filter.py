"""Registers the filter and the camera with libobs: once a process, for ever. "Reload scripts" must never reload this module."""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numba
import numpy as np

from obs_facelive import fields
from obs_facelive.home import Home
from obs_facelive.link.bell import Bell
from obs_facelive.obs import abi, native
from obs_facelive.obs import rows as r
from obs_facelive.obs.scenes import Scenes

ID = "facelive_filter"
NAME = "FaceLive filter"
CAMERA_ID = "facelive_camera"
CAMERA_NAME = "FaceLive camera"
FLAGS = abi.SOURCE_VIDEO | abi.SOURCE_SRGB
CAMERA_FLAGS = FLAGS | abi.SOURCE_CUSTOM_DRAW | abi.SOURCE_COMPOSITE | abi.SOURCE_DO_NOT_DUPLICATE
"""Composite: it passes sound on. Not duplicated: as any camera, studio mode shows the same one twice."""


def _use_cache(home: Home) -> None:
    """Lets compiled callbacks be kept on disk, under a name that changes with any of the sources that went into them."""
    here = Path(__file__).parent
    sources = [*sorted(here.glob("*.py")), *sorted((here.parent / "link").glob("*.py")), here.parent / "states.py"]
    digest = hashlib.sha256(b"".join(p.read_bytes() for p in sources) + numba.__version__.encode()).hexdigest()
    numba.config.CACHE_DIR = str(home.root / "cache" / "callbacks" / digest[:16])


def _default_table(rows: r.Rows) -> np.ndarray[Any, np.dtype[np.int64]]:
    kinds = {"bool": r.DEFAULT_BOOL, "int": r.DEFAULT_INT, "choice": r.DEFAULT_TEXT, "text": r.DEFAULT_TEXT}
    lines = [
        (rows.text(f.name), kinds[f.kind], rows.text(f.default) if isinstance(f.default, str) else int(f.default))
        for f in fields.fields()
    ]
    return np.array(lines, np.int64)


class SourceTypes:
    """What is registered, the filter and the camera: their rows and the libobs that they were registered with.

    Attributes
    ----------
    bell : rung by the render callback; lives as long as the process, whatever becomes of engines
    hotkeys : (name, description, address of the compiled callback) of each
    scenes : libobs's scenes and sources
    strong_source, strong_parent, strong_target : address of a row → counted reference to its filter or camera, to the source
        that a filter is on, to the one that a camera shows; or 0
    change_target : see `obs_facelive.obs.camera.change_target`

    Parameters
    ----------
    libobs : see `obs_facelive.obs.abi.library`
    home : where compiled callbacks are cached
    filter_panel, camera_panel : addresses of ordinary C callbacks that make the panels; libobs calls them on the UI thread
        without a lock
    """

    def __init__(self, libobs: ctypes.CDLL, home: Home, filter_panel: int, camera_panel: int) -> None:
        self.libobs, self.rows = libobs, r.Rows()
        table = self.rows.table
        _use_cache(home)
        native.link(libobs, table.ctypes.data)
        from obs_facelive.obs import callbacks, camera, collect

        self.bell = Bell()
        table[r.T_BELL] = self.bell.handle
        table[r.T_NAME], table[r.T_CAMERA_NAME] = map(self.rows.text, (NAME, CAMERA_NAME))
        table[r.T_IMAGE], table[r.T_DRAW] = map(self.rows.text, ("image", "Draw"))
        for word, key in (
            (r.T_KEY_SWAP, "swap"),
            (r.T_KEY_PRIVACY, "privacy"),
            (r.T_KEY_NO_FACE, "no_face"),
            (r.T_KEY_HOLD_MS, "hold_ms"),
            (r.T_KEY_VIEW, "view"),
        ):
            table[word] = self.rows.text(key)
        self.hotkeys = (
            ("facelive.swap", "FaceLive: swap on/off", callbacks.on_swap.address),
            ("facelive.next_persona", "FaceLive: next persona", callbacks.on_next.address),
            ("facelive.previous_persona", "FaceLive: previous persona", callbacks.on_previous.address),
        )
        self.strong_source, self.strong_parent = callbacks.strong_source, callbacks.strong_parent
        self.rows.keep(_default_table(self.rows))
        self.strong_target, self.change_target = camera.strong_target, camera.change_target
        collectors = (collect.source, collect.scene, collect.item)
        self.scenes = Scenes(libobs, {f.__name__: f.address for f in collectors})
        self._register(ID, callbacks.CALLBACKS, filter_panel, type=abi.SOURCE_TYPE_FILTER, output_flags=FLAGS)
        self._register(
            CAMERA_ID,
            camera.CALLBACKS,
            camera_panel,
            type=abi.SOURCE_TYPE_INPUT,
            output_flags=CAMERA_FLAGS,
            icon_type=abi.ICON_CAMERA,
        )

    def _register(self, name: str, callbacks: Mapping[str, Any], panel: int, **about: int) -> None:
        # libobs keeps this pointer as `unversioned_id`: it must live for ever, as the rows' texts do.
        addresses = {field: callback.address for field, callback in callbacks.items()}
        info = abi.SourceInfo(id=self.rows.text(name), get_properties=panel, **about, **addresses)
        abi.bind(self.libobs, "obs_register_source_s")(ctypes.byref(info), ctypes.sizeof(info))


def warm(home: Home) -> None:
    """Compiles the callbacks for the cache, outside of OBS, so that OBS's first start is as quick as any other."""
    _use_cache(home)
    native.link_nothing(r.Rows().table.ctypes.data)
    from obs_facelive.obs import callbacks, camera, collect  # noqa: F401
