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
from tools.chaos.run import FAULTS, run
from tools.chaos.schedule import schedule
from tools.obs_session import ObsError


def main() -> int:
    """Returns the exit status: 1 where a promise was broken, or OBS ended."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.chaos", description="Breaks things while a real OBS records."
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--report", type=Path, required=True, metavar="DIR")
    parser.add_argument("--only", nargs="+", choices=sorted(FAULTS), metavar="FAULT", help=", ".join(FAULTS))
    parser.add_argument("--fps", type=int, default=30, choices=[10, 20, 24, 30])
    parser.add_argument(
        "--every", type=int, default=1, help="the recogniser looks at every n-th picture (default: each)"
    )
    parser.add_argument("--greed", type=int, default=1024, help="MiB that are eaten at the most (default: 1024)")
    options = parser.parse_args()
    home = Home.find()
    clip = home.root / "demo" / "camera.mp4"
    options.report.mkdir(parents=True, exist_ok=True)
    planned = schedule(options.seed, options.only or list(FAULTS))
    with tempfile.TemporaryDirectory(prefix="facelive-chaos-") as scratch:
        folder = Path(scratch)
        try:
            outcome = run(
                home, clip, folder, planned, options.minutes * 60, fps=options.fps, greed=options.greed << 20, say=_say
            )
        except (ObsError, OSError, TimeoutError) as error:
            print(f"error: {error}", file=sys.stderr)
            for log in ("facelive/logs", "obs/obs.out"):
                _keep(folder / log, options.report / Path(log).name)
            return 1
        _say("The recording is looked at ...")
        os.nice(19)  # there is no hurry any more
        judged = report.judge(home, outcome, options.every)
        report.write(options.report, outcome, judged, f"Seed {options.seed}")
        shutil.copy2(outcome.recording, options.report / outcome.recording.name)
        _keep(folder / "facelive/logs", options.report / "logs")
    print((options.report / "report.md").read_text())
    wrong = report.wrong(outcome, judged)
    print(json.dumps(wrong))
    return 1 if wrong else 0


def _keep(found: Path, place: Path) -> None:
    if found.is_dir():
        shutil.copytree(found, place, dirs_exist_ok=True)
    elif found.is_file():
        shutil.copy2(found, place)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
