"""Pictures through a real RTMP server (`tools.rtmp_server`)."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import av

from obs_facelive.frame import Pixels
from tools.mark import ways
from tools.mark.material import FPS
from tools.rtmp_server import server


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
