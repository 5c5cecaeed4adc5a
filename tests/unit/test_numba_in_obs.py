"""numba inside OBS, where the system's packages come before ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("module", "works"), [("obs_facelive.obs.native", True), ("numba.core.typing.cffi_utils", False)]
)
def test_a_cffi_of_two_versions_does_no_harm(tmp_path: Path, module: str, works: bool) -> None:
    (tmp_path / "cffi.py").write_text(
        "class FFI:\n    def __init__(self):\n        raise Exception('Version mismatch')\n"
    )
    program = f"import sys; sys.path[:0] = {[str(tmp_path), str(CHECKOUT)]!r}; import {module}; import cffi"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode == 0) == works, done.stderr
