"""Makes the demo's camera clip: ``python -m tools.demo_clip --out FILE.mp4``.

A talking head of a person who does not exist, before a drawn room: head pose in space, smile, speech, blinks, glances.
The clip ends where it begins.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.video.reformatter import ColorRange, Colorspace

from obs_facelive.catalog import ModelError
from obs_facelive.frame import Pixels
from obs_facelive.home import Home
from obs_facelive.topology import load_canonical_face
from tools import barcode
from tools.talking_head.head import Head
from tools.talking_head.look import Look
from tools.talking_head.matte import cut_out
from tools.talking_head.motion import LOOP, motion_at
from tools.talking_head.person import DEMO, load_person
from tools.talking_head.renderer import Renderer, Seat
from tools.wheels import FetchError

_ALONE = Seat()
_IN_FRONT, _BEHIND = Seat(x=0.64, size=0.95), Seat(x=0.20, y=0.56, size=0.62)
_BT709 = 1
_LIMITED_RANGE = 1


@dataclass(frozen=True)
class Clip:
    """What the clip shows.

    Attributes
    ----------
    seconds : its length; a whole number of `tools.talking_head.motion.LOOP` moves at natural speed
    width, height : of the picture, even
    fps : pictures a second
    numbered : each picture carries its number as a bar code (`tools.barcode`), the first one 0
    second_face : somebody smaller sits behind
    empty : seconds (from, to) in which nobody is there
    """

    seconds: float = LOOP
    width: int = 1280
    height: int = 720
    fps: int = 30
    numbered: bool = False
    second_face: bool = False
    empty: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.width < 64 or self.height < 64 or self.width % 2 or self.height % 2:
            raise ValueError(f"a clip's sides are even and at least 64, not {self.width}x{self.height}")
        if self.frames < 1:
            raise ValueError(f"{self.seconds:g} s at {self.fps} pictures a second make no picture")

    @property
    def frames(self) -> int:
        """How many pictures it has."""
        return round(self.seconds * self.fps)

    def script_time(self, frame: int) -> float:
        """The moment of the motion's loop that ``frame`` shows: whole loops, so that the last picture runs into the first."""
        loops = max(1, round(self.seconds / LOOP))
        return frame / self.frames * loops * LOOP


def load_renderer(models: Path, wheels: Path, width: int, height: int, who: str = DEMO) -> Renderer:
    """The talking head of ``who``, made from the pinned wheel (kept in ``wheels``) with the networks in ``models``."""
    person = load_person(models, wheels, who)
    colour, opacity = cut_out(person.portrait.pixels)
    head = Head(person, load_canonical_face(models), opacity)
    return Renderer(head, Look(person, head, colour, opacity), width, height)


def draw(clip: Clip, renderer: Renderer) -> Iterator[Pixels]:
    """The clip's pictures, (height, width, 3) uint8 BGR."""
    for number in range(clip.frames):
        now = clip.script_time(number)
        people = [(_IN_FRONT if clip.second_face else _ALONE, motion_at(now))]
        if clip.second_face:
            people.insert(0, (_BEHIND, motion_at(now + 0.4 * LOOP)))
        if clip.empty and clip.empty[0] <= number / clip.fps < clip.empty[1]:
            people = []
        picture = renderer.frame(number, people)
        if clip.numbered:
            barcode.draw(picture, number)
        yield picture


def encode(clip: Clip, pictures: Iterator[Pixels], out: Path, crf: int = 19) -> None:
    """Writes H.264 (MPEG-4 part 2 where there is no x264), yuv420p, BT.709; replaces ``out`` in one step. Prints progress.

    ``crf`` is x264's constant quality: less is better, and larger.
    """
    temporary = out.with_name(f".{os.getpid()}-{out.name}")
    started = time.monotonic()
    try:
        with av.open(temporary, "w", format="mp4") as container:
            x264 = "libx264" in av.codecs_available
            options = {"crf": str(crf), "preset": "veryfast", "bf": "0"} if x264 else {"qscale": "3"}
            stream = container.add_stream("libx264" if x264 else "mpeg4", rate=Fraction(clip.fps), options=options)
            stream.width, stream.height, stream.pix_fmt, stream.gop_size = clip.width, clip.height, "yuv420p", clip.fps
            context = stream.codec_context
            # One thread: the same bytes on every run.
            context.thread_count = 1
            context.colorspace = context.color_primaries = context.color_trc = _BT709
            context.color_range = _LIMITED_RANGE
            for number, picture in enumerate(pictures, 1):
                frame = av.VideoFrame.from_ndarray(picture, "bgr24")
                frame = frame.reformat(
                    format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
                )
                container.mux(stream.encode(frame))
                if number % clip.fps == 0 or number == clip.frames:
                    print(
                        f"{out.name}: {number} of {clip.frames} pictures, {time.monotonic() - started:.0f} s",
                        flush=True,
                    )
            container.mux(stream.encode())
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)


def make_clip(clip: Clip, out: Path, models: Path, wheels: Path) -> None:
    """Draws and writes ``clip``. Raises as `tools.talking_head.person.load_person` does."""
    out.parent.mkdir(parents=True, exist_ok=True)
    encode(clip, draw(clip, load_renderer(models, wheels, clip.width, clip.height)), out)


def _size(text: str) -> tuple[int, int]:
    width, height = (int(v) for v in text.lower().split("x"))
    return width, height


def _span(text: str) -> tuple[float, float]:
    start, end = (float(v) for v in text.split(":"))
    return start, end


def main() -> int:
    """The command line. Returns the exit status."""
    parser = argparse.ArgumentParser(description="Makes the demo's camera clip of a person who does not exist.")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.mp4")
    parser.add_argument("--seconds", type=float, default=LOOP, help=f"length (default: {LOOP:g}, one loop)")
    parser.add_argument(
        "--size", type=_size, default=(1280, 720), metavar="WIDTHxHEIGHT", help="even numbers (default: 1280x720)"
    )
    parser.add_argument("--fps", type=int, default=30)
    parser.add_argument("--models", type=Path, default=Home.find().models, metavar="DIR", help="the embedded models")
    parser.add_argument(
        "--wheels", type=Path, metavar="DIR", help="keep the downloaded wheel here (default: throw away)"
    )
    parser.add_argument("--barcode", action="store_true", help="draw each picture's number as a bar code")
    parser.add_argument("--second-face", action="store_true", help="somebody smaller sits behind")
    parser.add_argument("--empty-at", type=_span, metavar="START:END", help="seconds in which nobody is in the picture")
    options = parser.parse_args()
    try:
        clip = Clip(
            seconds=options.seconds,
            width=options.size[0],
            height=options.size[1],
            fps=options.fps,
            numbered=options.barcode,
            second_face=options.second_face,
            empty=options.empty_at,
        )
    except ValueError as error:
        parser.error(str(error))
    try:
        with tempfile.TemporaryDirectory() as scratch:
            make_clip(clip, options.out, options.models, options.wheels or Path(scratch))
    except (FetchError, ModelError, OSError, ValueError) as error:
        print(f"The demo's clip cannot be made: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
