"""The filter's properties panel, made from the settings schema.

Ordinary Python: OBS asks for it on its UI thread, without a lock.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from obs_facelive import settings
from obs_facelive.home import Home
from obs_facelive.obs import abi

_Properties = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
_Clicked = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
_Destroyed = ctypes.CFUNCTYPE(None, ctypes.c_void_p)

PRIVACY_NOTE = "This protects you while the script is loaded: without scripts (Safe Mode) OBS shows the bare camera."


class Panel:
    """Makes the panel. Its C callbacks live as long as it does: for ever, once libobs knows them.

    Attributes
    ----------
    status_line, restart_engine, opened, closed : what the script connects; each takes the address of a filter's row
    """

    def __init__(self, libobs: ctypes.CDLL, home: Home) -> None:
        self._obs = {name: abi.bind(libobs, name) for name in abi.FUNCTIONS}
        self._home = home
        self._get_properties = _Properties(self._make)
        self._on_restart = _Clicked(self._restart)
        self._on_destroy = _Destroyed(lambda row: self.closed(row))
        self.status_line: Callable[[int], str] = lambda row: "FaceLive's script is not loaded"
        self.restart_engine: Callable[[], None] = lambda: None
        self.opened: Callable[[int], None] = lambda row: None
        self.closed: Callable[[int], None] = lambda row: None

    @property
    def address(self) -> int:
        """Of the C callback for ``obs_source_info.get_properties``."""
        return ctypes.cast(self._get_properties, ctypes.c_void_p).value or 0

    def _make(self, row: int) -> int:
        panel: int = self._obs["obs_properties_create"]()
        if row:
            self._obs["obs_properties_add_text"](panel, _c("status"), _c(self.status_line(row)), abi.TEXT_INFO)
            self.opened(row)
            self._obs["obs_properties_set_param"](panel, row, self._on_destroy)
        groups: dict[str, int] = {}
        for field in settings.fields():
            group = groups.get(field.group)
            if group is None:
                group = groups[field.group] = self._obs["obs_properties_create"]()
            self._add(group, field)
            if field.name == "privacy":
                self._obs["obs_properties_add_text"](group, _c("privacy_note"), _c(PRIVACY_NOTE), abi.TEXT_INFO)
        for name, group in groups.items():
            if name == "Engine":
                self._obs["obs_properties_add_button"](group, _c("restart"), _c("Restart the engine"), self._on_restart)
            self._obs["obs_properties_add_group"](panel, _c(f"group_{name.lower()}"), _c(name), abi.GROUP_NORMAL, group)
        return panel

    def _add(self, group: int, field: settings.Field) -> None:
        name, title = _c(field.name), _c(field.title)
        if field.kind == "bool":
            added = self._obs["obs_properties_add_bool"](group, name, title)
        elif field.kind == "int":
            added = self._obs["obs_properties_add_int_slider"](group, name, title, field.low, field.high, 1)
            self._obs["obs_property_int_set_suffix"](added, _c(f" {field.unit}"))
        else:
            added = self._obs["obs_properties_add_list"](group, name, title, abi.COMBO_LIST, abi.COMBO_STRING)
            choices = field.choices if field.kind == "choice" else self._personas()
            for value, label in choices.items():
                self._obs["obs_property_list_add_string"](added, _c(label), _c(value))
        self._obs["obs_property_set_long_description"](added, _c(field.help))

    def _personas(self) -> dict[str, str]:
        names = self._home.persona_titles()
        return {"": f"First one ({next(iter(names.values()))})" if names else "None yet: run install.py", **names}

    def _restart(self, properties: int, button: int, row: int) -> bool:
        self.restart_engine()
        return False


def _c(text: str) -> Any:
    return ctypes.c_char_p(text.encode())
