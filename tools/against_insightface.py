"""``facelive bench --against insightface`` with stand-ins of the networks: ``python -m tools.against_insightface``.

Further options are those of ``facelive bench``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from obs_facelive.cli import app
from tools.stand_ins.build import write


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tools.against_insightface", description=__doc__)
    parser.add_argument("--width", type=float, default=1.0, help="of the stand-ins, see tools.stand_ins")
    choice, more = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        swapper, recogniser = (write(Path(folder), f, choice.width) for f in ("inswapper_128.onnx", "w600k_r50.onnx"))
        command = ["bench", "--against", "insightface", "--swapper", swapper, "--recogniser", recogniser, *more]
        sys.exit(app([str(word) for word in command], standalone_mode=True))


if __name__ == "__main__":
    main()
