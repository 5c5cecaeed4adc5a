"""Networks that are too large for the memory there is: said in words, in a process that really has no more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from obs_facelive.brought import add_model
from obs_facelive.home import Home
from tests.unit.tiny_models import inswapper

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a limit of a process's memory")

FLOATS = 1 << 29
"""Two gigabytes of them."""
TOO_MANY = 1 << 45
"""More than a process can have, whatever computer it runs on."""
OPENS = """
import resource, sys
from obs_facelive.brought import find_model, list_models
from obs_facelive.catalog import ModelError
from obs_facelive.engine.opening import Opening
from obs_facelive.home import Home
from obs_facelive.runtime.providers import Place
home = Home.find()
taken = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + (600 << 20),) * 2)
for file in ("reads.onnx", "loads.onnx", "runs.onnx", "good.onnx", "runs.onnx", "runs.onnx"):
    model = find_model(home, file)
    try:
        model.read() if file == "reads.onnx" else Opening(home).open(model, Place("cpu"), 32)
    except ModelError as error:
        print(file, error)
    else:
        print(file, "opened")
"""


def hungry(when: str, floats: int = FLOATS) -> bytes:
    """Keeps inswapper's contract, and wants so many numbers when it is loaded, or when it is run."""
    length = numpy_helper.from_array(np.array([floats], np.int64), "length")
    one = helper.make_node("ReduceMax", ["source"], ["one"], keepdims=0)
    many = {
        "loads": [helper.make_node("ConstantOfShape", ["length"], ["many"])],
        "runs": [one, helper.make_node("Expand", ["one", "length"], ["many"])],
    }[when]
    nodes = [
        *many,
        helper.make_node("ReduceSum", ["many"], ["sum"], keepdims=0),
        helper.make_node("Add", ["target", "sum"], ["output"]),
    ]
    picture = [1, 3, 32, 32]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("target", picture), ("source", [1, 512]), ("output", picture))
    ]
    emap = numpy_helper.from_array(np.eye(512, dtype=np.float32), "emap")
    graph = helper.make_graph(nodes, "hungry", ends[:2], ends[2:], [length, emap])
    opsets = [helper.make_opsetid("", 13)]
    return bytes(helper.make_model(graph, ir_version=8, opset_imports=opsets).SerializeToString())


def test_a_network_without_room_is_refused_in_words_and_the_process_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home")
    files = {"reads": inswapper(32), "good": inswapper(32), "loads": hungry("loads"), "runs": hungry("runs")}
    for name, content in files.items():
        file = tmp_path / f"{name}.onnx"
        file.write_bytes(content)
        add_model(home, file)
    with (home.models / "reads.onnx").open("ab") as grown:
        grown.truncate(FLOATS * 2)  # a gigabyte that takes no room on the disk
    monkeypatch.setenv("FACELIVE_HOME", str(home.root))

    done = subprocess.run([sys.executable, "-c", OPENS], capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert len(said) == 6, done.stdout
    assert said[3] == "good.onnx opened"
    for line in (*said[:3], *said[4:]):
        assert "there is not enough memory for it" in line and "choose another engine" in line
        assert line.split()[0] in line.split(maxsplit=1)[1], "it does not say which"
    assert said[2] == said[4] == said[5], "an error in words is no reason to leave it alone"
