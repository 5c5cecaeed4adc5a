"""The panel's part that gets a known model: which, its licence, and what became of it. Ordinary Python, on OBS's UI thread."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, Final

from obs_facelive.home import Home, KnownModel
from obs_facelive.link.wanted import GET_FILE, accept_key
from obs_facelive.obs import abi

_Clicked = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
_Modified = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)

TITLE: Final = "Get a model"
BUTTON, RESULT = "get_model", "get_result"
HELP: Final = (
    "Networks that make or recognise faces, fetched from their public addresses and checked. A swapper by one photo also needs "
    "a recogniser. They want a good graphics card."
)
NONE: Final = "None to get"


class GetPanel:
    """Makes that part. Its C callbacks live as long as it does: for ever, once libobs knows them.

    Attributes
    ----------
    get : asks for the model to be fetched; takes the address of a row
    result : the line that says what became of it, likewise
    """

    def __init__(self, libobs: ctypes.CDLL, home: Home) -> None:
        self._obs = {name: abi.bind(libobs, name) for name in abi.FUNCTIONS}
        self._home = home
        self._on_get = _Clicked(self._clicked)
        self._on_file = _Modified(self._chosen)
        self.get: Callable[[int], None] = lambda row: None
        self.result: Callable[[int], str] = lambda row: ""

    def make(self, row: int) -> int:
        """The group's properties, for the row at that address (0: of no filter)."""
        known = self._home.known_models()
        group: int = self._obs["obs_properties_create"]()
        files = self._obs["obs_properties_add_list"](group, _c(GET_FILE), _c("Model"), abi.COMBO_LIST, abi.COMBO_STRING)
        self._obs["obs_property_set_long_description"](files, _c(HELP))
        for value, label in (("", "Choose…" if known else NONE), *((model.file, _label(model)) for model in known)):
            self._obs["obs_property_list_add_string"](files, _c(label), _c(value))
        for name, model in {_licence_key(model): model for model in known}.items():
            if model.free:
                self._obs["obs_properties_add_text"](group, _c(name), _c(f"Licence: {model.licence}"), abi.TEXT_INFO)
            else:
                title = f"I accept the licence: {model.licence}"
                self._obs["obs_properties_add_bool"](group, _c(name), _c(title))
        if row and (words := self.result(row)):
            self._obs["obs_properties_add_text"](group, _c(RESULT), _c(words), abi.TEXT_INFO)
        self._obs["obs_properties_add_button"](group, _c(BUTTON), _c("Get this model"), self._on_get)
        self._obs["obs_property_set_modified_callback"](files, self._on_file)
        return group

    def _clicked(self, properties: int, button: int, row: int) -> bool:
        self.get(row)
        return False

    def _chosen(self, properties: int, files: int, data: int) -> bool:
        """Only the licence of the chosen model is shown; without one there is nothing to accept, and nothing to get."""
        text = self._obs["obs_data_get_string"](data, _c(GET_FILE))
        chosen = ctypes.string_at(text).decode(errors="replace") if text else ""
        known = self._home.known_models()
        shown = {_licence_key(model) for model in known if model.file == chosen}
        for name in {BUTTON, *map(_licence_key, known)}:
            if field := self._obs["obs_properties_get"](properties, _c(name)):
                self._obs["obs_property_set_visible"](field, bool(shown) if name == BUTTON else name in shown)
        return True


def _licence_key(model: KnownModel) -> str:
    key = accept_key(model.licence)
    return f"{key}:free" if model.free else key


def _label(model: KnownModel) -> str:
    return f"{model.file} ({model.kind}{f', {model.bytes / 1e6:.0f} MB' if model.bytes else ''})"


def _c(text: str) -> Any:
    return ctypes.c_char_p(text.encode(errors="replace"))
