"""The command: see `tools.quality`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cv2

from obs_facelive.catalog import ModelError
from obs_facelive.fields import read
from obs_facelive.home import Home
from obs_facelive.personas.library import PersonaError, load_info
from obs_facelive.video import VideoError
from tools.quality import report
from tools.quality.judge import file_of, judge
from tools.quality.plan import MEASURES, Plan, all_clips
from tools.quality.rig import Rig
from tools.quality.row import Row, compare, read_csv, write_csv
from tools.quality.sheet import save
from tools.wheels import FetchError

_QUICK = ("sweep", "hand", "camera", "d10")


def main() -> int:
    """Returns the exit status."""
    options = _parser().parse_args()
    home = Home.find()
    settings, problems = read(options.settings)
    earlier: list[Row] | None = None
    try:
        earlier = read_csv(options.against) if options.against else None
    except (OSError, ValueError) as error:
        problems = [*problems, str(error)]
    if problems:
        print("\n".join(problems), file=sys.stderr)
        return 1
    cv2.setNumThreads(1)
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {line}", flush=True)

    rows: list[Row] = []
    sheets: list[tuple[str, str]] = []
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        for verdict in judge(Rig(home, settings), _plan(home, options), say):
            rows += verdict.rows
            for title, name, picture in verdict.sheets:
                file = file_of(options.out, name)
                save(picture, file)
                sheets.append((title, file.name))
            # After every clip: an interrupted run leaves what it has found.
            write_csv(rows, options.out / "quality.csv")
    except (FetchError, ModelError, PersonaError, VideoError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    changes = compare(earlier, rows) if earlier is not None else None
    report.write(options.out / "report.html", options.title, rows, changes, sheets)
    for line in report.summary_table(rows):
        print("  ".join(f"{v:{w}}" for v, w in zip([line[0], *line[2:]], (28, 9, 9, 6, 5, 0), strict=True)))
    for line in report.change_table(changes or []):
        print("  ".join(f"{v:{w}}" for v, w in zip(line, (28, 9, 9, 9, 7, 4, 4, 4), strict=True)))
    say(str(options.out / "report.html"))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.quality", description="Judges how good the swapped face looks."
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the report")
    parser.add_argument("--against", type=Path, metavar="DIR_OR_CSV", help="an earlier report, to be compared with")
    parser.add_argument("--clips", nargs="+", metavar="CLIP", help="names of scenes, or files (default: all there are)")
    parser.add_argument("--personas", nargs="+", metavar="ID", help="default: all but mixes")
    parser.add_argument(
        "--frames", type=int, default=24, help="frames of a long run; a short one has a third (default: 24)"
    )
    parser.add_argument("--runs", type=int, default=3, help="runs a clip (default: 3)")
    parser.add_argument("--thorough", type=int, default=2, help="personas a clip in long runs (default: 2)")
    parser.add_argument("--measures", nargs="+", choices=MEASURES, default=MEASURES)
    parser.add_argument("--settings", default="{}", help="JSON, as the filter's settings")
    parser.add_argument("--quick", action="store_true", help="four clips, two personas, short runs: two minutes")
    parser.add_argument("--title", default="Quality of the swap")
    return parser


def _plan(home: Home, options: argparse.Namespace) -> Plan:
    clips = options.clips or all_clips(home)
    # Mixes have features that the shipped people have, too.
    personas = options.personas or [
        name for name in home.persona_names() if load_info(home.personas / name).origin != "mix"
    ]
    if not personas:
        raise PersonaError(f"there is no persona in {home.personas}: run 'python3 install.py' again")
    if options.quick:
        clips = options.clips or [clip for clip in clips if Path(clip).stem in _QUICK]
        personas = options.personas or personas[:: max(1, len(personas) // 2)][:2]
        return Plan(clips, personas, 1, 2, 12, 6, options.measures, trial=12)
    short = max(3, options.frames // 3)
    return Plan(clips, personas, options.thorough, options.runs, options.frames, short, options.measures)


if __name__ == "__main__":
    sys.exit(main())
