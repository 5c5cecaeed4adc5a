"""Registers the filter with libobs: once a process, for ever. "Reload scripts" must never reload this module."""

from __future__ import annotations

import ctypes
import hashlib
from pathlib import Path
from typing import Any

import numba
import numpy as np

from obs_facelive import settings
from obs_facelive.home import Home
from obs_facelive.link.bell import Bell
from obs_facelive.obs import abi, native
from obs_facelive.obs import rows as r

ID = "facelive_filter"
NAME = "FaceLive filter"


def _use_cache(home: Home) -> None:
    """Lets compiled callbacks be kept on disk, under a name that changes with any of the sources that went into them."""
    here = Path(__file__).parent
    sources = sorted(here.glob("*.py")) + sorted((here.parent / "link").glob("*.py"))
    digest = hashlib.sha256(b"".join(p.read_bytes() for p in sources) + numba.__version__.encode()).hexdigest()
    numba.config.CACHE_DIR = str(home.root / "cache" / "callbacks" / digest[:16])


def _default_table(rows: r.Rows) -> np.ndarray[Any, np.dtype[np.int64]]:
    kinds = {"bool": r.DEFAULT_BOOL, "int": r.DEFAULT_INT, "choice": r.DEFAULT_TEXT, "text": r.DEFAULT_TEXT}
    lines = [
        (rows.text(f.name), kinds[f.kind], rows.text(f.default) if isinstance(f.default, str) else int(f.default))
        for f in settings.fields()
    ]
    return np.array(lines, np.int64)


class Filter:
    """The registered filter: its rows and the libobs that it was registered with.

    Attributes
    ----------
    bell : rung by the render callback; lives as long as the process, whatever becomes of engines
    hotkeys : (name, description, address of the compiled callback) of each
    strong_source, strong_parent : address of a row → counted reference to its filter, to the source that it is on; or 0

    Parameters
    ----------
    libobs : see `obs_facelive.obs.abi.library`
    home : where compiled callbacks are cached
    get_properties : address of an ordinary C callback that makes the panel; libobs calls it on the UI thread without a lock
    """

    def __init__(self, libobs: ctypes.CDLL, home: Home, get_properties: int) -> None:
        self.libobs, self.rows = libobs, r.Rows()
        table = self.rows.table
        _use_cache(home)
        native.link(libobs, table.ctypes.data)
        from obs_facelive.obs import callbacks

        self.bell = Bell()
        table[r.T_BELL] = self.bell.handle
        table[r.T_NAME], table[r.T_IMAGE], table[r.T_DRAW] = map(self.rows.text, (NAME, "image", "Draw"))
        for word, key in (
            (r.T_KEY_SWAP, "swap"),
            (r.T_KEY_PRIVACY, "privacy"),
            (r.T_KEY_NO_FACE, "no_face"),
            (r.T_KEY_HOLD_MS, "hold_ms"),
        ):
            table[word] = self.rows.text(key)
        self.hotkeys = (
            ("facelive.swap", "FaceLive: swap on/off", callbacks.on_swap.address),
            ("facelive.next_persona", "FaceLive: next persona", callbacks.on_next.address),
        )
        self.strong_source, self.strong_parent = callbacks.strong_source, callbacks.strong_parent
        self.rows.keep(_default_table(self.rows))
        # libobs keeps this pointer as `unversioned_id`: it must live for ever.
        self._id = ctypes.create_string_buffer(ID.encode())
        self._info = abi.SourceInfo(
            type=abi.SOURCE_TYPE_FILTER,
            output_flags=abi.SOURCE_VIDEO | abi.SOURCE_SRGB,
            get_properties=get_properties,
            **{name: callback.address for name, callback in callbacks.CALLBACKS.items()},
        )
        self._info.id = ctypes.cast(self._id, ctypes.c_char_p)
        abi.bind(libobs, "obs_register_source_s")(ctypes.byref(self._info), ctypes.sizeof(self._info))


def warm(home: Home) -> None:
    """Compiles the callbacks for the cache, outside of OBS, so that OBS's first start is as quick as any other."""
    _use_cache(home)
    native.link_nothing(r.Rows().table.ctypes.data)
    from obs_facelive.obs import callbacks  # noqa: F401
