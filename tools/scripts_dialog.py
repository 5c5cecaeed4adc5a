"""OBS's Tools → Scripts dialog, used as a person uses it: obs-websocket cannot reload or remove a script."""

from __future__ import annotations

from contextlib import suppress

from tools.obs_session import ObsError, ObsSession
from tools.virtual_display import Desktop, Window
from tools.waiting import wait_for

_BUTTONS = ("add", "remove", "reload")  # in the order in which Tab meets them after the list


def _open(desktop: Desktop) -> Window:
    main = desktop.windows("OBS ")[0]
    # From below: while OBS records, its first entry is grey and is stepped over. "Scripts" is the last but one in OBS 29.
    for steps in (2, 1, 3, 4):
        others = {window.id for window in desktop.windows()}
        _open_menu(desktop, main)
        for key in ["Up"] * steps + ["Return"]:
            desktop.press(key)
        opened = wait_for("a window", lambda: [w for w in desktop.windows() if w.id not in others], 20)  # noqa: B023
        if opened[-1].title == "Scripts":
            return opened[-1]
        desktop.close_window(opened[-1])
    raise ObsError("no entry of the Tools menu opens the Scripts dialog")


def _open_menu(desktop: Desktop, main: Window) -> None:
    """Opens the Tools menu; a busy OBS may miss the key, and what is pressed before the menu is there is lost."""
    for _ in range(10):
        desktop.focus(main)
        desktop.press("Alt_L", "t")
        with suppress(TimeoutError):
            wait_for("the Tools menu", desktop.menus, 3)
            return
    raise ObsError("the Tools menu does not open")


def _press(obs: ObsSession, button: str) -> None:
    with Desktop(obs.display) as desktop:
        dialog = _open(desktop)
        desktop.focus(dialog)
        desktop.click(dialog.x + 120, dialog.y + 68)  # the first script of the list
        for _ in range(_BUTTONS.index(button) + 1):
            desktop.press("Tab")
        desktop.press("space")
        desktop.close_window(dialog)
        wait_for("the dialog to close", lambda: not desktop.windows("Scripts"), 10)


def reload_first_script(obs: ObsSession) -> None:
    """Press the reload button for the first script."""
    _press(obs, "reload")


def remove_first_script(obs: ObsSession) -> None:
    """Press the bin button for the first script."""
    _press(obs, "remove")
