"""The far end: a program of its own that takes a stream and writes down what came, and when.

    python -m tools.far_end.receive rtmp://127.0.0.1:1935/live/key OUT.mkv

Writes the coded pictures as they came to OUT.mkv, and for each picture the moment when it was decoded, by the wall clock, to
OUT.times. Ends when nothing comes any more. An ``srt://`` address is listened on (`tools.far_end.srt`).
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import av
from av.container import InputContainer

from tools.far_end.srt import Listener

_WAIT, _SILENCE = 60.0, 4.0
"""Seconds until something comes; seconds without anything after which it is over."""


def receive(address: str, out: Path) -> int:
    """Takes ``address`` until it ends. Gives how many pictures came."""
    count = 0
    with ExitStack() as stack:
        source: InputContainer
        if address.startswith("srt:"):
            listener = stack.enter_context(Listener(address))
            source = stack.enter_context(av.open(listener, mode="r", format="mpegts"))
        else:
            # Without "live", FFmpeg asks for a recording first, and nginx ends the connection.
            options = {"rtmp_live": "live"}
            source = stack.enter_context(av.open(address, mode="r", options=options, timeout=(_WAIT, _SILENCE)))
        target = stack.enter_context(av.open(str(out), "w"))
        times = stack.enter_context(open(out.with_suffix(".times"), "w"))
        video = source.streams.video[0]
        video.thread_type, video.codec_context.thread_count = "SLICE", 1  # threads of frames would add their own delay
        copy = target.add_stream_from_template(video)
        with suppress(av.FFmpegError):  # silence, or the other end has gone
            for packet in source.demux(video):
                if packet.dts is None:
                    continue
                pictures = packet.decode()
                now = time.time_ns()
                times.writelines(f"{now}\n" for _ in pictures)
                count += len(pictures)
                packet.stream = copy
                target.mux(packet)
    return count


if __name__ == "__main__":
    print(receive(sys.argv[1], Path(sys.argv[2])))
