"""Hotkeys of the filters and cameras: registered on the sources that they are for, obeyed by changing settings."""

from __future__ import annotations

import json

from obs_facelive.home import Home
from obs_facelive.obs import abi
from obs_facelive.obs import rows as r
from obs_facelive.obs.filter import SourceTypes
from obs_facelive.obs.instances import Instance


class Hotkeys:
    """Those of all living filters and cameras. On the supervisor's thread."""

    def __init__(self, types: SourceTypes, home: Home) -> None:
        self._types, self._home = types, home
        self._rows, self._words = types.rows, types.rows.words
        self._libobs = {name: abi.bind(types.libobs, name) for name in abi.FUNCTIONS}

    def tend(self, instance: Instance) -> None:
        """Registers its hotkeys as soon as that can be done, and obeys what was pressed since the last call."""
        if not instance.hotkey_ids:
            instance.hotkey_ids = self._register(instance.row)
        words = self._words[instance.row]
        pressed = int(words[r.HOTKEY_SWAP]), int(words[r.HOTKEY_NEXT]), int(words[r.HOTKEY_PREVIOUS])
        new = [now - before for now, before in zip(pressed, instance.presses, strict=True)]
        if any(new) and self._obey(instance.row, *new):
            instance.presses = pressed

    def forget(self, instance: Instance) -> None:
        """Takes its hotkeys away."""
        for hotkey in instance.hotkey_ids:
            self._libobs["obs_hotkey_unregister"](hotkey)

    def _register(self, row: int) -> tuple[int, ...]:
        """On the source that the filter is on: libobs gives filters, which are private sources, no hotkeys of their own.

        Here and not in a callback: libobs calls those under locks that a hotkey may want.
        """
        address = self._words[row].ctypes.data
        parent = self._types.strong_parent(address)
        if not parent:
            return ()
        register = self._libobs["obs_hotkey_register_source"]
        ids = tuple(
            register(parent, name.encode(), text.encode(), callback, address)
            for name, text, callback in self._types.hotkeys
        )
        self._libobs["obs_source_release"](parent)
        return ids

    def _obey(self, row: int, swaps: int, nexts: int, previous: int) -> bool:
        """Hotkeys change settings the way the panel does, so that everybody sees the change. False: try again."""
        try:
            settings = json.loads(self._rows.json(row))
        except (ValueError, RecursionError):  # it is being written, or made to harm
            return False
        change: dict[str, str | bool] = {}
        if swaps % 2:
            change["swap"] = not self._words[row, r.SWAP]
        personas = self._home.persona_names()
        if nexts != previous and personas:
            at_now = personas.index(settings["persona"]) if settings.get("persona") in personas else 0
            change["persona"] = personas[(at_now + nexts - previous) % len(personas)]
        source = self._types.strong_source(self._words[row].ctypes.data)
        if not source:
            return False
        self._types.scenes.change_settings(source, change)
        self._libobs["obs_source_release"](source)
        return True
