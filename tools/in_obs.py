"""The command line of what is measured in a real OBS, for people and ``facelive bench``: figures as one line of JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from obs_facelive.home import Home
from tools.obs_session import ObsError


def command(tool: str, what: str, measure: Callable[[Home, Path], dict[str, Any]]) -> int:
    """Prints what ``measure`` gives for a clip as the camera; the exit status. ``tool``: its module's name in `tools`."""
    parser = argparse.ArgumentParser(prog=f"python -m tools.{tool}", description=what)
    parser.add_argument("--clip", type=Path, help="what the camera shows (default: the demo's clip)")
    options = parser.parse_args()
    home = Home.find()
    clip = (options.clip or home.root / "demo" / "camera.mp4").absolute()
    if not clip.is_file():
        print(f"{clip} is missing: run 'python3 install.py demo' first", file=sys.stderr)
        return 1
    try:
        print(json.dumps(measure(home, clip)))
    except (ObsError, TimeoutError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0
