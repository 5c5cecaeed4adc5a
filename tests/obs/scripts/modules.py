"""A script that writes down, again and again, what OBS's interpreter has imported."""

import os
import sys
from pathlib import Path


def script_tick(seconds: float) -> None:
    """Every frame, after the first ones."""
    file = Path(os.environ["FACELIVE_TEST_MODULES"])
    file.with_suffix(".new").write_text("\n".join(sorted(sys.modules)))
    file.with_suffix(".new").replace(file)
