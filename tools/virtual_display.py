"""An X display of our own, and hands and eyes for it: window titles, closing a window politely, clicks, keys, pictures.

It does what a window manager and a person would do, with python-xlib alone: no xdotool, no ImageMagick.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from Xlib import XK, X, display, error
from Xlib.ext import xtest
from Xlib.protocol import event

from obs_facelive.frame import Pixels


class DisplayError(RuntimeError):
    """The display cannot be started or reached."""


@contextmanager
def virtual_display(width: int = 1600, height: int = 1000) -> Iterator[str]:
    """Run Xvfb on a free display number while the context lasts; gives the display's name (``:7``).

    Raises
    ------
    DisplayError
        Xvfb is missing, or ended before it was ready; the message carries what it said.
    """
    read, write = os.pipe()
    with tempfile.TemporaryFile() as said:
        # Xvfb finds the free number itself and writes it when it takes connections: no race, nothing to poll.
        command = ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"]
        try:
            server = subprocess.Popen([*command, "-noreset"], pass_fds=[write], stdout=said, stderr=said)
        except FileNotFoundError as missing:
            os.close(read)
            raise DisplayError("Xvfb is not installed (Debian, Ubuntu: apt install xvfb)") from missing
        finally:
            os.close(write)
        try:
            with os.fdopen(read) as number:
                line = number.readline().strip()
            if not line:
                said.seek(0)
                raise DisplayError(f"Xvfb did not start: {said.read().decode(errors='replace').strip()}")
            yield f":{line}"
        finally:
            server.terminate()
            server.wait()


@dataclass(frozen=True)
class Window:
    """A top window: its X id, title, and place on the screen in pixels."""

    id: int
    title: str
    x: int
    y: int
    width: int
    height: int


class Desktop:
    """A connection to a display without a window manager. A context manager.

    Raises
    ------
    DisplayError
        The display cannot be opened.
    """

    def __init__(self, name: str) -> None:
        try:
            self._display = display.Display(name)
        except (error.DisplayError, OSError) as problem:
            raise DisplayError(f"cannot open display {name}: {problem}") from problem
        self._root = self._display.screen().root

    def __enter__(self) -> Desktop:
        return self

    def __exit__(self, *problem: object) -> None:
        self._display.close()

    def windows(self, title: str = "") -> list[Window]:
        """The shown windows whose title contains `title`, from the bottom to the top."""
        return [window for window in self._shown() if window.title and title in window.title]

    def menus(self) -> list[Window]:
        """The shown windows without a title: menus that are open."""
        return [window for window in self._shown() if not window.title]

    def _shown(self) -> list[Window]:
        found: list[Window] = []
        for window in self._root.query_tree().children:
            try:
                name, shown, place = window.get_wm_name(), window.get_attributes().map_state, window.get_geometry()
            except error.XError:  # closed while we looked
                continue
            if shown == X.IsViewable:
                found.append(Window(window.id, str(name or ""), place.x, place.y, place.width, place.height))
        return found

    def close_window(self, window: Window) -> None:
        """Send WM_DELETE_WINDOW (ICCCM 4.2.8.1): what the button in a window's frame sends."""
        atom = self._display.intern_atom
        target = self._display.create_resource_object("window", window.id)
        data = (32, [atom("WM_DELETE_WINDOW"), X.CurrentTime, 0, 0, 0])
        target.send_event(event.ClientMessage(window=target, client_type=atom("WM_PROTOCOLS"), data=data))
        self._display.sync()

    def focus(self, window: Window) -> None:
        """Put the window on top and give it the keyboard."""
        target = self._display.create_resource_object("window", window.id)
        target.configure(stack_mode=X.Above)
        target.set_input_focus(X.RevertToPointerRoot, X.CurrentTime)
        self._display.sync()

    def place(self, window: Window, x: int, y: int, width: int, height: int) -> None:
        """Move and resize the window, in pixels."""
        target = self._display.create_resource_object("window", window.id)
        target.configure(x=x, y=y, width=width, height=height)
        self._display.sync()

    def click(self, x: int, y: int) -> None:
        """Press and release the left mouse button at a point of the screen."""
        xtest.fake_input(self._display, X.MotionNotify, x=x, y=y)
        xtest.fake_input(self._display, X.ButtonPress, 1)
        xtest.fake_input(self._display, X.ButtonRelease, 1)
        self._display.sync()

    def press(self, *keys: str) -> None:
        """Press keys together (X11 names: ``Alt_L``, ``t``, ``Return``), then release them."""
        codes = [self._display.keysym_to_keycode(XK.string_to_keysym(key)) for key in keys]
        for code in codes:
            xtest.fake_input(self._display, X.KeyPress, code)
        for code in reversed(codes):
            xtest.fake_input(self._display, X.KeyRelease, code)
        self._display.sync()

    def picture(self, window: Window | None = None) -> Pixels:
        """What a window (which must be wholly on the screen, and on top) or the screen shows: (h, w, 3) uint8 BGR."""
        target = self._display.create_resource_object("window", window.id) if window else self._root
        place = target.get_geometry()
        raw = target.get_image(0, 0, place.width, place.height, X.ZPixmap, 0xFFFFFFFF)
        return np.frombuffer(raw.data, np.uint8).reshape(place.height, place.width, 4)[:, :, :3].copy()
