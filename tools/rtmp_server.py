"""A real RTMP server on this machine: nginx with its RTMP module, in a folder of its own, on a free port of the loopback."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tools.ports import free_port

MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
_CONFIG = """
load_module {module};
daemon off;
master_process off;
worker_processes 1;
error_log {folder}/error.log;
pid {folder}/nginx.pid;
events {{ worker_connections 64; }}
rtmp {{ server {{
  listen 127.0.0.1:{port};
  chunk_size 4096;
  application live {{ live on; record all; record_path {folder}; record_suffix .flv; wait_key on; }}
}} }}
"""


def available() -> bool:
    """Whether Debian's nginx and libnginx-mod-rtmp are here."""
    return MODULE.is_file() and nginx() is not None


def nginx() -> str | None:
    """The program."""
    return shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """A running server: the address to publish to and to play from, without the stream's name. Raises `OSError`."""
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(_CONFIG.format(module=MODULE, folder=folder, port=port))
    process = subprocess.Popen([str(nginx()), "-p", str(folder), "-c", str(config)], stderr=subprocess.PIPE)
    try:
        end = time.monotonic() + 30
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if process.poll() is not None or time.monotonic() > end:
                problem = process.stderr.read().decode() if process.poll() is not None and process.stderr else "silent"
                raise OSError(f"nginx did not start: {problem}")
            time.sleep(0.1)
        yield f"rtmp://127.0.0.1:{port}/live"
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
