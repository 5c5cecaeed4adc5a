"""A meeting in Chromium, with itself: `call.html` reads the camera, sends it, and posts what arrives to a server here."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from tools.waiting import wait_for

_PAGE: Final = Path(__file__).with_name("call.html")
_FLAGS: Final = (
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--mute-audio"),
    *("--disable-background-networking", "--disable-component-update", "--disable-extensions", "--disable-sync"),
    "--use-fake-ui-for-media-stream",  # nobody is there to press "Allow"; the camera is the real one
    "--allow-loopback-in-peer-connection",
)
WINDOW: Final = (20, 20, 1320, 470)
"""Where Chromium's window is on the screen: x, y, width, height."""


class MeetingError(Exception):
    """The meeting did not take place; the text says what the page, or Chromium, said."""


class _Server(ThreadingHTTPServer):
    """Serves the page; keeps what it posts.

    Attributes
    ----------
    pictures : how many have arrived
    then : called when a picture of this number has arrived, before the page takes the next one
    end : what the page said last; None while the meeting goes on
    """

    def __init__(self, out: Path, then: Mapping[int, Callable[[], None]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.out = out
        self.then = then
        self.pictures = 0
        self.end: dict[str, Any] | None = None


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self._answer(_PAGE.read_bytes() if self.path.startswith("/?") else b"")

    def do_POST(self) -> None:
        posted = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/picture":
            (self.server.out / f"{self.server.pictures:05}.png").write_bytes(posted)
            self.server.then.get(self.server.pictures, _nothing)()
            self.server.pictures += 1
        else:
            self.server.end = json.loads(posted)
        self._answer(b"")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *about: object) -> None:
        """Says nothing."""


def _nothing() -> None:
    """What is to be done after most pictures."""


def hold(
    out: Path,
    display: str,
    env: Mapping[str, str],
    pictures: int,
    seconds: float,
    then: Mapping[int, Callable[[], None]],
) -> dict[str, Any]:
    """Holds the meeting until ``pictures`` have arrived at its far end.

    Parameters
    ----------
    out : gets the pictures as ``far/00000.png`` ...
    env : Chromium's environment
    seconds : how long it may take
    then : number of a picture → what to do when it has arrived, before the next one is taken

    Returns
    -------
    What the page says: ``cameras`` (labels in its list), ``settings`` (of the camera), ``received`` (codec, size, ...).

    Raises
    ------
    MeetingError
        The page or Chromium failed, or it took too long.
    """
    far, said = out / "far", out / "chromium.out"
    far.mkdir()
    server = _Server(far, then)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/?pictures={pictures}"
    x, y, width, height = WINDOW
    place = (
        f"--window-size={width},{height}",
        f"--window-position={x},{y}",
        "--user-data-dir=/tmp/chromium/profile",
    )
    with open(said, "wb") as file:
        browser = subprocess.Popen(["chromium", *_FLAGS, *place, f"--app={address}"], env=env, stdout=file, stderr=file)

    try:
        wait_for(f"{pictures} pictures", lambda: server.end is not None or browser.poll() is not None, seconds)
    except TimeoutError as error:
        text = said.read_text(errors="replace")
        raise MeetingError(f"{error}; {server.pictures} pictures arrived\n{text[-3000:]}") from error
    finally:
        browser.terminate()
        browser.wait()
        server.shutdown()
    if server.end is None or "error" in server.end:
        raise MeetingError(f"the page said {server.end}\n{said.read_text(errors='replace')[-3000:]}")
    return server.end
