"""What can be known of Windows and macOS from here (`tools.platforms`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.platforms import LIBRARIES, PYTHONS, TARGETS, ResolutionError, Target, exported, resolve, unbound

RUNTIMES = {"cpu": "onnxruntime", "cuda": "onnxruntime-gpu", "directml": "onnxruntime-directml"}


@pytest.mark.parametrize("system", LIBRARIES)
def test_libobs_exports_every_function_that_we_call(system: str, tmp_path: Path) -> None:
    names = exported(LIBRARIES[system], tmp_path)
    assert len(names) > 1000
    assert unbound(names) == []
    assert unbound(names - {"obs_register_source_s"}) == ["obs_register_source_s"]


@pytest.mark.parametrize(
    "python", [*(pytest.param(each, marks=pytest.mark.slow) for each in PYTHONS[:-1]), PYTHONS[-1]]
)
@pytest.mark.parametrize("system", TARGETS)
def test_dependencies_resolve_to_wheels(system: str, python: str) -> None:
    found = resolve(TARGETS[system], python)
    runtimes = [name for name in found if name.startswith("onnxruntime")]
    assert runtimes == [RUNTIMES[TARGETS[system].runtime]]
    assert [name for name in found if name.startswith("opencv")] == ["opencv-python"]
    assert {"insightface", "numba", "numpy", "onnx"} <= found.keys()


def test_what_has_no_wheels_does_not_resolve() -> None:
    with pytest.raises(ResolutionError, match="onnxruntime-directml"):
        resolve(Target("aarch64-apple-darwin", "directml"), "3.12")
