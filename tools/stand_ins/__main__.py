"""Writes stand-ins for models that people bring: ``python -m tools.stand_ins --out DIR [--width 0.125] [--only FILE]``."""

from __future__ import annotations

import argparse
from pathlib import Path

from tools.stand_ins.build import STAND_INS, write


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tools.stand_ins", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the folder that they are written to")
    parser.add_argument(
        "--width", type=float, default=1.0, help="channels, as a share of the original's (1: 2 GB in all)"
    )
    parser.add_argument("--only", choices=list(STAND_INS), nargs="+", default=list(STAND_INS), help="not all of them")
    choice = parser.parse_args()
    for file in choice.only:
        path = write(choice.out, file, choice.width)
        print(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")


if __name__ == "__main__":
    main()
