"""The panel's part that records consent for the chosen persona, and takes it back. Ordinary Python, on OBS's UI thread."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, Final

from obs_facelive import refused
from obs_facelive.link.permission import GIVEN_BY, GIVEN_FOR
from obs_facelive.obs import abi

_Clicked = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)

TITLE: Final = "Consent for the chosen persona"
PERMIT, WITHDRAW, RESULT, USES = "consent_permit", "consent_withdraw", "consent_result", "consent_uses"
HELP: Final = {
    GIVEN_BY: "Who gives permission, or declares that the picture shows nobody. May stay empty for your own face.",
    GIVEN_FOR: "What the face may be worn for. May stay empty for your own face.",
}


class ConsentPanel:
    """Makes that part. Its C callbacks live as long as it does: for ever, once libobs knows them.

    Attributes
    ----------
    permit, withdraw : ask for consent to be recorded, or taken back; each takes the address of a row
    result : the line that says what became of it, likewise
    needed : whether there is anything to consent to, likewise
    """

    def __init__(self, libobs: ctypes.CDLL) -> None:
        self._obs = {name: abi.bind(libobs, name) for name in abi.FUNCTIONS}
        self._on_permit = _Clicked(self._permitted)
        self._on_withdraw = _Clicked(self._withdrawn)
        self.permit: Callable[[int], None] = lambda row: None
        self.withdraw: Callable[[int], None] = lambda row: None
        self.result: Callable[[int], str] = lambda row: ""
        self.needed: Callable[[int], bool] = lambda row: False

    def make(self, row: int) -> int:
        """The group's properties, for the row at that address (0: of no filter)."""
        group: int = self._obs["obs_properties_create"]()
        text, button = self._obs["obs_properties_add_text"], self._obs["obs_properties_add_button"]
        if row and (words := self.result(row)):
            text(group, _c(RESULT), _c(words), abi.TEXT_INFO)
        for name, title in ((GIVEN_BY, "Permission given by"), (GIVEN_FOR, "For what")):
            field = text(group, _c(name), _c(title), abi.TEXT_DEFAULT)
            self._obs["obs_property_set_long_description"](field, _c(HELP[name]))
        text(group, _c(USES), _c(refused.WORDS), abi.TEXT_INFO)
        button(group, _c(PERMIT), _c("Record consent"), self._on_permit)
        button(group, _c(WITHDRAW), _c("Withdraw it"), self._on_withdraw)
        return group

    def _permitted(self, properties: int, button: int, row: int) -> bool:
        self.permit(row)
        return False

    def _withdrawn(self, properties: int, button: int, row: int) -> bool:
        self.withdraw(row)
        return False


def _c(text: str) -> Any:
    return ctypes.c_char_p(text.encode(errors="replace"))
