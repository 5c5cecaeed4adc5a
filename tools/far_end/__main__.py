"""The far end, end to end:

    python -m tools.far_end stream --out DIR [--bitrate 2500 6000] [--seconds 20] [--by rtmp]     see `tools.far_end.stream`

Writes a report (``report.json``), contact sheets and one picture as it arrived into DIR, one folder a bit rate. Exit status 1
where a promise is broken.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from obs_facelive.home import Home
from tools.far_end import scene, stream
from tools.far_end.judge import Judge
from tools.obs_session import ObsError


def main() -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.far_end", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["stream"])
    parser.add_argument("--out", type=Path, required=True, help="folder for the reports")
    parser.add_argument(
        "--bitrate", type=int, nargs="+", default=[2500, 6000], help="kbit a second (default: 2500 6000)"
    )
    parser.add_argument(
        "--seconds", type=float, default=20.0, help="length of the stream with the filter (default: 20)"
    )
    parser.add_argument("--by", choices=["rtmp", "srt"], default="rtmp", help="how OBS streams (default: rtmp)")
    parser.add_argument("--fps", type=int, default=30, help="OBS's pictures a second (default: 30; a busy machine: 10)")
    parser.add_argument("--persona", help="its id (default: the first one)")
    options = parser.parse_args()
    home = Home.find()
    persona = options.persona or home.persona_names()[0]
    broken = []
    with tempfile.TemporaryDirectory(prefix="facelive-") as folder:
        clip = Path(folder) / "camera.mp4"
        try:
            scene.make_clip(home.root / "demo" / "camera.mp4", clip)
            judge = Judge(home, clip, persona)
            for kbit in options.bitrate:
                name = f"{options.by}-{kbit}"
                say(f"OBS streams {options.seconds:.0f} seconds at {kbit} kbit by {options.by} ...")
                where = Path(folder) / name
                streamed = stream.stream(home, clip, persona, options.by, kbit, options.seconds, where, options.fps)
                judged = stream.judge(judge, streamed)
                stream.write(streamed, judged, kbit, options.out / name)
                say(f"with the filter: {judged.worn.words()}")
                say(f"without (control): {judged.bare.words()}")
                print(json.dumps({"kbit": kbit, "by": options.by, "stats": streamed.stats, "ms": judged.delays}))
                broken += [f"{name}: {words}" for words in judged.wrong()]
        except (ObsError, OSError, TimeoutError, ValueError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    for words in broken:
        print(f"error: {words}", file=sys.stderr)
    return 1 if broken else 0


def say(text: str) -> None:
    """A line for the person; standard output is the figures'."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
