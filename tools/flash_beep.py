"""How far sound and picture are apart: a clip that flashes and beeps at the same moments, and a recording of it, measured.

    python -m tools.flash_beep make CAMERA.mp4 OUT.mkv
    python -m tools.flash_beep measure RECORDING.mkv

Each picture of the clip carries its number, too: two copies of it in one recording show how late the one is against the other.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np
import numpy.typing as npt

from obs_facelive.frame import Pixels
from tools import barcode

FIRST: Final = 0.5
"""Seconds until the first flash."""
EVERY: Final = 1.0
LASTS: Final = 0.3
"""Long enough that an engine which leaves out most pictures still sees it."""
RATE: Final = 48000
TONE: Final = 1000
CORNER: Final = (0.02, 0.72, 0.15, 0.95)
"""Where it flashes, in parts of the picture's width and height: x0 y0 x1 y1. Neither a face nor the badge comes there."""
NUMBER: Final = (0.02, 0.03, 0.32, 0.15)
"""Where each picture carries its number (`tools.barcode`)."""
LATEST: Final = 0.75
"""A flash belongs to the beep at most so many seconds before it, or `EVERY` less this after it."""

Area = tuple[float, float, float, float]


def make(camera: Path, out: Path, width: int = 640, height: int = 360, rounds: int = 1) -> None:
    """Writes the clip ``camera`` again, smaller, with a flash and a beep that begin together once a second. Matroska, PCM.

    ``rounds`` : so many times over, for what must not be disturbed by a player that starts again
    """
    with av.open(camera) as source, av.open(out, "w") as made:
        given = source.streams.video[0]
        fps = Fraction(given.average_rate or 30)
        options = {"crf": "16", "preset": "veryfast", "bf": "0", "g": str(round(fps))}
        video = made.add_stream("libx264", rate=fps, options=options)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        audio = made.add_stream("pcm_s16le", rate=RATE, layout="mono")
        coded: list[av.Packet[Any]] = []
        length = Fraction(0)
        for number, frame in enumerate(source.decode(given)):
            picture = np.asarray(frame.to_ndarray(format="bgr24", width=width, height=height), np.uint8)
            on = _on(number / fps)
            cut(picture, CORNER)[...] = 255 if on else 0
            _write(cut(picture, NUMBER), number)
            coded += video.encode(av.VideoFrame.from_ndarray(picture, "bgr24"))
            start, end = (round(RATE * n / fps) for n in (number, number + 1))
            wave = np.cos(np.arange(start, end) * (2 * np.pi * TONE / RATE)) * (16000 if on else 0)
            sound = av.AudioFrame.from_ndarray(wave[None].astype(np.int16), "s16", "mono")
            sound.sample_rate, sound.pts, sound.time_base = RATE, start, Fraction(1, RATE)
            coded += audio.encode(sound)
            length = (number + 1) / fps
        for stream in (video, audio):
            coded += stream.encode(None)
        for turn in range(rounds):
            for packet in coded:
                made.mux(_later(packet, turn * length))


def _later(packet: av.Packet[Any], seconds: Fraction) -> av.Packet[Any]:
    copy: av.Packet[Any] = av.Packet(bytes(packet))
    copy.stream, copy.time_base, copy.is_keyframe = packet.stream, packet.time_base, packet.is_keyframe
    ticks = round(seconds / packet.time_base)
    copy.pts, copy.dts = (packet.pts or 0) + ticks, (packet.dts or 0) + ticks
    return copy


def _on(seconds: Fraction) -> bool:
    return seconds >= FIRST and (seconds - Fraction(FIRST)) % Fraction(EVERY) < LASTS


def cut(picture: Pixels, area: Area) -> Pixels:
    """The part of a picture, (h, w) or (h, w, c), that an area covers: a view."""
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = area
    return picture[round(y0 * height) : round(y1 * height), round(x0 * width) : round(x1 * width)]


def _write(area: Pixels, number: int) -> None:
    code = np.zeros((barcode.HEIGHT, barcode.WIDTH, 3), np.uint8)
    barcode.draw(code, number, 0, 0)
    area[...] = cv2.resize(code, area.shape[1::-1], interpolation=cv2.INTER_AREA)


def numbers(
    recording: Path, areas: Sequence[Area] = (NUMBER,)
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """When each of the recording's pictures is seen, (n,) in s, and the numbers in its areas, (n, areas); -1: unreadable."""
    times, found = [], []
    with av.open(recording) as container:
        for frame in container.decode(video=0):
            picture = np.asarray(frame.to_ndarray(format="gray"), np.uint8)
            codes = [cv2.resize(cut(picture, area), (barcode.WIDTH, barcode.HEIGHT)) for area in areas]
            read = [barcode.read(np.asarray(code, np.uint8)[..., None], 0, 0) for code in codes]
            times.append(frame.time or 0.0)
            found.append([-1 if number is None else number for number in read])
    return np.array(times), np.array(found)


def offsets(recording: Path, area: Area = CORNER) -> npt.NDArray[np.float64]:
    """Milliseconds from each beep to its flash, as a player would show them: positive where the picture is late.

    Flashes and beeps without a partner, at the recording's ends, are left out.
    """
    lit, heard = flashes(recording, area), beeps(recording)
    apart = lit[None] - heard[:, None]
    return np.asarray(apart[(apart < LATEST) & (apart >= LATEST - EVERY)] * 1000)


def flashes(recording: Path, area: Area = CORNER) -> npt.NDArray[np.float64]:
    """Seconds at which the area turns from dark to bright."""
    found, dark = [], False
    with av.open(recording) as container:
        for frame in container.decode(video=0):
            bright = cut(np.asarray(frame.to_ndarray(format="gray"), np.uint8), area).mean() > 128
            if bright and dark and frame.time is not None:
                found.append(frame.time)
            dark = not bright
    return np.array(found)


def beeps(recording: Path) -> npt.NDArray[np.float64]:
    """Seconds at which a tone begins after a silence."""
    heard = np.concatenate([[0.0], *(time + np.flatnonzero(loud) / RATE for time, loud in _loudness(recording))])
    return np.asarray(heard[1:][np.diff(heard) > 2 * LASTS])


def _loudness(recording: Path) -> Iterator[tuple[float, npt.NDArray[np.bool_]]]:
    """The sound, piece by piece: when it begins, and which samples are part of a tone."""
    with av.open(recording) as container:
        resampler = av.AudioResampler("s16", "mono", RATE)
        for frame in container.decode(audio=0):
            time = frame.time or 0.0
            for piece in resampler.resample(frame):
                yield time, np.abs(piece.to_ndarray()[0].astype(np.int32)) > 3000


def describe(recording: Path, area: Area = CORNER) -> dict[str, float]:
    """Figures of `offsets`, in milliseconds."""
    apart = offsets(recording, area)
    if not len(apart):
        return {"events": 0}
    low, middle, high = (round(float(v), 1) for v in (apart.min(), np.median(apart), apart.max()))
    return {"events": len(apart), "median": middle, "mean": round(float(apart.mean()), 1), "min": low, "max": high}


def main() -> int:
    """The command line. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.flash_beep", description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make", help="a clip that flashes and beeps")
    making.add_argument("camera", type=Path)
    making.add_argument("out", type=Path)
    commands.add_parser("measure", help="offsets in a recording, in ms").add_argument("recording", type=Path)
    options = parser.parse_args()
    if options.command == "make":
        make(options.camera, options.out)
    else:
        print(json.dumps(describe(options.recording)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
