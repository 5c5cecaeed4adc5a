"""The commands: see `tools.vcam`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from obs_facelive.home import Home
from tools.vcam.build import BuildError, build
from tools.vcam.film import film
from tools.vcam.guest import Guest, GuestError
from tools.vcam.report import judge
from tools.wheels import FetchError


def main() -> int:
    """Returns the exit status; that of a command in the guest is its own."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.vcam", description="OBS's virtual camera, seen from outside."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("build", help="make the guest")
    make.add_argument("folder", type=Path)
    run = commands.add_parser("run", help="boot it and run a shell command")
    run.add_argument("shell")
    run.add_argument("--folder", type=Path, action="append", default=[], help="that it may write to, at the same path")
    run.add_argument("--seconds", type=float, default=600)
    made = commands.add_parser("report", help="FaceLive in OBS in it; what ffmpeg and a meeting see")
    made.add_argument("--out", type=Path, required=True, metavar="DIR")
    made.add_argument("--pictures", type=int, default=150, help="that each reader takes (default: 150)")
    options = parser.parse_args()
    try:
        if options.command == "build":
            build(options.folder, _say)
            return 0
        guest = Guest.find()
        if options.command == "run":
            return guest.run(["bash", "-c", options.shell], seconds=options.seconds, writable=options.folder)
        return _report(guest, options.out, options.pictures)
    except (BuildError, FetchError, GuestError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _report(guest: Guest, out: Path, pictures: int) -> int:
    home = Home.find()
    with tempfile.TemporaryDirectory(prefix="facelive-", dir=guest.folder) as folder:
        seen = judge(home, film(guest, home, Path(folder), pictures))
        seen.write(out)
    print(seen.markdown())
    return 1 if seen.wrong() else 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
