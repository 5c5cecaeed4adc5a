"""The panel's part that adds a persona: a photo, whose it is, and what became of it. Ordinary Python, on OBS's UI thread."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, Final

from obs_facelive import refused
from obs_facelive.link.order import BY, NAME, PHOTO, PURPOSE, WHOSE, WHOSE_FACE
from obs_facelive.obs import abi

_Clicked = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
_Modified = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)

TITLE: Final = "Add a persona"
BUTTON, RESULT, USES = "add_persona", "add_result", "add_uses"
_WITH_PHOTO: Final = (NAME, WHOSE_FACE, BY, PURPOSE, USES, BUTTON)
"""What is shown once a photo was chosen."""
_PICTURES: Final = "Photos (*.jpg *.jpeg *.png *.webp *.bmp);;All files (*)"
HELP: Final = {
    PHOTO: "One person, seen from the front, in even light. FaceLive's engine makes the persona; nothing leaves this computer.",
    WHOSE_FACE: "A real person's face is worn only with a record of consent, and with the badge.",
    BY: "Who gave permission, or declares that the picture shows nobody. May stay empty for your own face.",
    PURPOSE: "What the face may be worn for. May stay empty for your own face.",
}


class PersonaPanel:
    """Makes that part. Its C callbacks live as long as it does: for ever, once libobs knows them.

    Attributes
    ----------
    add : asks for the photo to be added; takes the address of a row
    result : the line that says what became of it, likewise
    """

    def __init__(self, libobs: ctypes.CDLL) -> None:
        self._obs = {name: abi.bind(libobs, name) for name in abi.FUNCTIONS}
        self._on_add = _Clicked(self._clicked)
        self._on_photo = _Modified(self._chosen)
        self.add: Callable[[int], None] = lambda row: None
        self.result: Callable[[int], str] = lambda row: ""

    def make(self, row: int) -> int:
        """The group's properties, for the row at that address (0: of no filter)."""
        group: int = self._obs["obs_properties_create"]()
        photo = self._obs["obs_properties_add_path"](
            group, _c(PHOTO), _c("Add a photo…"), abi.PATH_FILE, _c(_PICTURES), None
        )
        text = self._obs["obs_properties_add_text"]
        if row and (words := self.result(row)):
            text(group, _c(RESULT), _c(words), abi.TEXT_INFO)
        text(group, _c(NAME), _c("Name"), abi.TEXT_DEFAULT)
        whose = self._obs["obs_properties_add_list"](
            group, _c(WHOSE_FACE), _c("Whose face"), abi.COMBO_LIST, abi.COMBO_STRING
        )
        for value, label in (("", "Choose…"), *WHOSE.items()):
            self._obs["obs_property_list_add_string"](whose, _c(label), _c(value))
        text(group, _c(BY), _c("Permission given by"), abi.TEXT_DEFAULT)
        text(group, _c(PURPOSE), _c("For what"), abi.TEXT_DEFAULT)
        text(group, _c(USES), _c(refused.WORDS), abi.TEXT_INFO)
        self._obs["obs_properties_add_button"](group, _c(BUTTON), _c("Add this persona"), self._on_add)
        for name, help in HELP.items():
            field = self._obs["obs_properties_get"](group, _c(name))
            self._obs["obs_property_set_long_description"](field, _c(help))
        self._obs["obs_property_set_modified_callback"](photo, self._on_photo)
        return group

    def _clicked(self, properties: int, button: int, row: int) -> bool:
        self.add(row)
        return False

    def _chosen(self, properties: int, photo: int, data: int) -> bool:
        """Without a photo there is nothing to be said about it."""
        path = self._obs["obs_data_get_string"](data, _c(PHOTO))
        shown = bool(path and ctypes.string_at(path))
        for name in _WITH_PHOTO:
            field = self._obs["obs_properties_get"](properties, _c(name))
            if field:
                self._obs["obs_property_set_visible"](field, shown)
        return True


def _c(text: str) -> Any:
    return ctypes.c_char_p(text.encode(errors="replace"))
