"""A real OBS streams; another program takes the stream from a real server; every picture that arrives is judged and timed.

OBS codes with x264 at a constant bit rate, a key frame every two seconds, as Twitch asks, and sends by RTMP to nginx with its
RTMP module, or by SRT straight to the receiver. Its last seconds are streamed with the filter switched off (OBS's eye): the
judge must find the bare face in every one of those, and they show the stream's delay without the filter.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import cv2
import numpy as np

from obs_facelive.frame import Pixels
from obs_facelive.home import Home
from obs_facelive.video import read_frames
from tools import rtmp_server
from tools.far_end import clock, scene
from tools.far_end.judge import Judge
from tools.far_end.report import Report
from tools.obs_config import Stream, Video
from tools.obs_session import ObsError, ObsSession
from tools.ports import free_port
from tools.waiting import wait_for

Way = Literal["rtmp", "srt"]
KEY: Final = "far"
BARE: Final = 4.0
"""Seconds that are streamed with the filter off."""
_SETTLED: Final = 1.0
"""Seconds after it was switched off in which nothing is judged; and after the receiver's start in which nothing is timed."""


@dataclass(frozen=True)
class Streamed:
    """What a stream left behind.

    Attributes
    ----------
    video : the coded pictures that arrived
    arrived : each of them; ``late``: those whose clock can be read
    off : when the filter was switched off, by the wall clock
    added : the filter's own word about its delay, seconds, looked at again and again
    stats : OBS's about the stream
    """

    video: Path
    arrived: Sequence[clock.Arrived]
    late: Sequence[clock.Late]
    off: float
    added: Sequence[float]
    stats: dict[str, int]


def stream(
    home: Home, clip: Path, persona: str, way: Way, kbit: int, seconds: float, folder: Path, fps: int = 30
) -> Streamed:
    """Streams ``clip`` (see `tools.far_end.scene.make_clip`) for ``seconds`` with the filter, and `BARE` without.

    Raises `ObsError`, or `OSError` where nginx or libsrt are missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    video, log = folder / "received.mkv", folder / "ticks"
    with ExitStack() as stack:
        if way == "rtmp":
            server, key = stack.enter_context(rtmp_server.server(folder)), KEY
            address = f"{server}/{KEY}"
        else:
            server, key = f"srt://127.0.0.1:{free_port(socket.SOCK_DGRAM)}", ""
            address = server
        env = {"FACELIVE_HOME": str(home.root)} | scene.environment(log)
        collection = scene.collection(clip, persona, folder)
        obs = ObsSession(
            folder / "obs",
            [collection],
            video=Video(*scene.CANVAS, fps=fps),
            env=env,
            stream=Stream(server, key, kbit),
            start_seconds=180,
        )
        with obs:
            obs.wait_status("the filter to be live", lambda status: status["state"] == "live", seconds=90)
            program = [sys.executable, "-m", "tools.far_end.receive", address, str(video)]
            receiver = stack.enter_context(subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
            stack.callback(receiver.kill)
            added, off, stats = _send(obs, seconds)
            if way == "rtmp":  # after an SRT stream OBS 29.0.2 ends with a segmentation fault, without any script, too
                obs.quit()
        words, _ = receiver.communicate(timeout=60)
        if receiver.returncode:
            raise OSError(f"the receiver ended with {receiver.returncode}: {words.decode()[-2000:]}")
    times = [int(line) / 1e9 for line in video.with_suffix(".times").read_text().split()]
    arrived = [scene.arrived(picture, at) for picture, at in zip(pictures(video), times, strict=False)]
    return Streamed(video, arrived, clock.lateness(arrived, clock.read_ticks(log)), off, added, stats)


def _send(obs: ObsSession, seconds: float) -> tuple[list[float], float, dict[str, int]]:
    """(the filter's word about its delay, when it was switched off, OBS's figures)."""
    client, added = obs.client, list[float]()

    def passed(until: float) -> bool:
        status = obs.status(scene.FILTER)
        if status is not None:
            added.append(status["added_delay_ms"] / 1000)
        answer = client.get_stream_status()
        if not answer.output_active:
            raise ObsError(f"OBS does not stream (any more)\n{obs.log()[-3000:]}")
        return bool(answer.output_duration >= until * 1000)

    client.start_stream()
    wait_for("the stream to begin", lambda: client.get_stream_status().output_active, 30)
    wait_for("enough of the stream", lambda: passed(seconds), 4 * seconds + 120)
    off, said = time.time(), list(added)  # before OBS is told: it may draw a bare picture before it answers
    client.set_source_filter_enabled(scene.SEAT, scene.FILTER, False)
    wait_for("the bare end of the stream", lambda: passed(seconds + _SETTLED + BARE), 120)
    answer = client.get_stream_status()
    client.stop_stream()
    wait_for("the stream to end", lambda: not client.get_stream_status().output_active, 120)
    stats = {"sent": answer.output_total_frames, "skipped": answer.output_skipped_frames, "bytes": answer.output_bytes}
    return said, off, stats


def pictures(video: Path, first: int = 0, end: int | None = None) -> Iterator[Pixels]:
    """The pictures that arrived, (h, w, 3) uint8 BGR, from number ``first`` on, up to before ``end``."""
    for frame in read_frames(video):
        if end is not None and frame.id >= end:
            return
        if frame.id >= first:
            yield np.ascontiguousarray(frame.pixels[..., :3])


@dataclass(frozen=True)
class Judged:
    """A stream's pictures: those with the filter, and those without, which must be found out; and its delays in ms."""

    worn: Report
    bare: Report
    delays: dict[str, float]

    def wrong(self) -> list[str]:
        """What breaks a promise, in words."""
        found = self.worn.wrong()
        if not self.bare.pictures or self.bare.raw < self.bare.pictures:
            found.append(f"the judge finds only {self.bare.raw} of {self.bare.pictures} bare pictures")
        return found


def judge(judge: Judge, streamed: Streamed) -> Judged:
    """Looks at every picture that arrived but those around the moment when the filter was switched off.

    The last tick before that moment is left out, too: its picture may have been drawn after it.
    """
    last, first = 0, len(streamed.arrived)
    drawn = {late.at: late.drawn for late in streamed.late}
    for number, picture in enumerate(streamed.arrived):
        when = drawn.get(picture.at)
        if when is not None and when < streamed.off:
            last = number
        elif when is not None and when > streamed.off + _SETTLED:
            first = min(first, number)
    worn = judge.judge(pictures(streamed.video, 0, last))
    bare = judge.judge(pictures(streamed.video, first))
    return Judged(worn, bare, delays(streamed))


def delays(streamed: Streamed) -> dict[str, float]:
    """Medians in milliseconds.

    ``stream``: from OBS's drawing to the far end's decoded picture, with the filter; ``stream_off``: the same without.
    ``with`` and ``without``: from the moment when OBS showed the camera's picture bare. ``filter``: the difference that the
    filter makes in the same pictures; ``filter_says``: its own word.
    """
    start = min((late.drawn for late in streamed.late), default=0.0) + _SETTLED
    on = [late for late in streamed.late if start < late.drawn < streamed.off]
    off = [late for late in streamed.late if late.drawn > streamed.off + _SETTLED]
    return {
        "stream": _median([late.stream for late in on]),
        "stream_off": _median([late.stream for late in off]),
        "with": _median([late.whole for late in on]),
        "without": _median([late.whole for late in off]),
        "filter": _median([late.filter for late in on]),
        "filter_off": _median([late.filter for late in off]),
        "filter_says": _median(list(streamed.added)),
    }


def _median(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return round(float(np.median(known)) * 1000, 1) if known else float("nan")


def write(streamed: Streamed, judged: Judged, kbit: int, folder: Path) -> None:
    """The figures, contact sheets of both parts, and a picture from the middle of the stream, as it arrived."""
    judged.worn.write(folder, "worn")
    judged.bare.write(folder, "bare")
    figures = {"kbit": kbit, "stats": streamed.stats, "delays_ms": judged.delays, "wrong": judged.wrong()}
    (folder / "report.json").write_text(
        json.dumps(figures | {"worn": judged.worn.words(), "bare": judged.bare.words()})
    )
    middle = judged.worn.pictures // 2
    for picture in pictures(streamed.video, middle, middle + 1):
        cv2.imwrite(str(folder / "picture.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 80])
