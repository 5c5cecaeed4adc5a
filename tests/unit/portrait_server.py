"""A web server on this machine that hands out files as the portraits' CDN does, ranges too, and can be told to misbehave."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Portraits:
    """What is served, and what was asked for.

    Attributes
    ----------
    files : path → content
    base : address of the root
    break_after : bytes of an answer's body after which the connection is closed; None: never
    ranges : whether it knows how to go on where somebody stopped
    status : what it answers whatever is asked, 0: nothing special
    asked : path and range of each request so far
    sent : bytes of bodies
    """

    files: dict[str, bytes]
    base: str = ""
    break_after: int | None = None
    ranges: bool = True
    status: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)
    sent: int = 0


@contextmanager
def served(files: dict[str, bytes]) -> Iterator[Portraits]:
    """A running server."""
    portraits = Portraits(files)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            portraits.asked.append((self.path.lstrip("/"), wanted))
            content = portraits.files.get(self.path.lstrip("/"))
            if portraits.status or content is None:
                self.send_error(portraits.status or 404)
                return
            start = 0
            if portraits.ranges and (match := re.fullmatch(r"bytes=(\d+)-", wanted)):
                start = int(match[1])
                if start >= len(content):
                    self.send_error(416)
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            else:
                self.send_response(200)
            body = content[start:]
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            body = body[: portraits.break_after]
            portraits.sent += len(body)  # before: whoever has read it all may look at once
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    portraits.base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield portraits
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
