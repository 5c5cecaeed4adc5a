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

import av

from obs_facelive.frame import Pixels
from tools.mark import ways
from tools.mark.material import FPS

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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
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


def streamed(pictures: list[Pixels], bit_rate: int, folder: Path) -> list[Pixels]:
    """``pictures`` as a real server has them: encoded, published at their own speed, recorded by the server."""
    source = folder / "source.flv"
    ways.encode(pictures, str(source), "flv", bit_rate)
    with server(folder) as address:
        publish(source, f"{address}/mark")
        end = time.monotonic() + 10
        while not (got := _recorded(folder / "mark.flv", len(pictures))) and time.monotonic() < end:
            time.sleep(0.2)
    if not got:
        raise OSError("nothing came through the RTMP server")
    return got


def _recorded(path: Path, count: int) -> list[Pixels]:
    """The pictures of a recording; none while it is not whole."""
    with suppress(av.FFmpegError, OSError):
        pictures = ways.decode(str(path))
        # The server begins with the first key frame after the stream's header.
        return pictures if len(pictures) > count - 5 else []
    return []


def publish(source: Path, address: str, times: int = 1) -> None:
    """Sends a FLV file to ``address`` at its own speed, so many ``times``, one after the other, as one stream."""
    with av.open(address, "w", format="flv", timeout=30) as target:
        stream, began, start = None, time.monotonic(), 0
        for _ in range(times):
            with av.open(str(source)) as file:
                stream = stream or target.add_stream_from_template(file.streams.video[0])
                end = 0
                for packet in file.demux(video=0):
                    if packet.dts is None:
                        continue
                    packet.dts, packet.pts = packet.dts + start, (packet.pts or 0) + start
                    end = packet.dts + round(1 / (FPS * packet.time_base))
                    time.sleep(max(0.0, float(packet.dts * packet.time_base) - (time.monotonic() - began)))
                    packet.stream = stream
                    target.mux(packet)
                start = end
