"""The command: see `tools.chaos`."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from obs_facelive.home import Home
from tools.chaos import report
from tools.chaos.kept import keep, load
from tools.chaos.run import FAULTS, Outcome, run
from tools.chaos.schedule import schedule
from tools.chaos.studio import SIZES, make_clips
from tools.obs_session import ObsError


def main() -> int:
    """Returns the exit status: 1 where a promise was broken, or OBS ended."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.chaos", description="Breaks things while a real OBS records."
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--report", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--again", action="store_true", help="break nothing: look again at what is in the report's folder"
    )
    parser.add_argument("--only", nargs="+", choices=sorted(FAULTS), metavar="FAULT", help=", ".join(FAULTS))
    parser.add_argument("--fps", type=int, default=30, choices=[10, 20, 24, 30])
    parser.add_argument(
        "--every", type=int, default=1, help="the recogniser looks at every n-th picture (default: each)"
    )
    parser.add_argument("--greed", type=int, default=1024, help="MiB that are eaten at the most (default: 1024)")
    options = parser.parse_args()
    home, folder = Home.find(), Path(options.report)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        outcome = load(folder) if options.again else _run(home, options, folder)
    except (ObsError, OSError, TimeoutError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    _say("The recording is looked at ...")
    os.nice(19)  # there is no hurry any more
    with tempfile.TemporaryDirectory(prefix="facelive-chaos-") as scratch:
        clip = make_clips(_camera(home), Path(scratch))[SIZES[0]]
        judged = report.judge(home, clip, outcome, options.every)
    report.write(folder, outcome, judged, f"Seed {options.seed}")
    print((folder / "report.md").read_text())
    wrong = report.wrong(outcome, judged)
    print(json.dumps(wrong))
    return 1 if wrong else 0


def _run(home: Home, options: argparse.Namespace, folder: Path) -> Outcome:
    planned = schedule(options.seed, options.only or list(FAULTS))
    seconds, greed = options.minutes * 60, options.greed << 20
    with tempfile.TemporaryDirectory(prefix="facelive-chaos-") as place:
        scratch = Path(place)
        try:
            return keep(
                run(home, _camera(home), scratch, planned, seconds, fps=options.fps, greed=greed, say=_say), folder
            )
        finally:
            for logs in (scratch / "facelive/logs", scratch / "obs/home/.config/obs-studio/logs"):
                if logs.is_dir():
                    shutil.copytree(logs, folder / "logs", dirs_exist_ok=True)


def _camera(home: Home) -> Path:
    return home.root / "demo" / "camera.mp4"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
