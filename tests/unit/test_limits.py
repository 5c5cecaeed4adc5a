"""Files that anybody may bring: too large, too deep, no files at all, or made to be read in two ways."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from obs_facelive.catalog import ModelError
from obs_facelive.files import read_at_most
from obs_facelive.home import MAX_INFO_BYTES, Home
from obs_facelive.runtime import onnx_file
from obs_facelive.runtime.onnx_file import read_model
from obs_facelive.runtime.session import open_session
from obs_facelive.words import plain


def varint(number: int) -> bytes:
    more, last = divmod(number, 128)
    return bytes([last | 128]) + varint(more) if more else bytes([last])


def part(field: int, value: bytes | int, key_above: int = 0) -> bytes:
    """One protobuf field; ``key_above``: added to its key above the 32 bits that a key has."""
    kind = 2 if isinstance(value, bytes) else 0
    key = varint((field << 3 | kind) + (key_above << 32))
    return key + (varint(len(value)) + value if isinstance(value, bytes) else varint(value))


def add_model(weights: bytes, place: str = "graph") -> bytes:
    """A model that adds its weights, a serialised tensor named ``w``, to its input; ``place``: the part of it that has them."""
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])]
    graph = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "g", inputs, outputs).SerializeToString()
    graph += part(5, weights)
    model = helper.make_model(
        helper.make_graph([], "", [], []), opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    model.ClearField("graph")
    places = {
        "graph": part(7, graph),
        "training": part(20, part(1, graph)),
        "function": part(25, part(7, part(5, part(5, weights)))),
        "default of a function": part(25, part(11, part(5, weights))),
        "sparse": part(7, part(15, part(1, weights))),
        "sparse attribute": part(7, part(1, part(5, part(22, part(2, weights))))),
        "branch": part(7, part(1, part(5, part(6, graph)))),
        "list of branches": part(7, part(1, part(5, part(11, graph)))),
    }
    return bytes(model.SerializeToString()) + places[place]


EXTERNAL = part(1, b"location") + part(2, b"weights.bin")
TENSOR: bytes = TensorProto(name="w", dims=[4], data_type=TensorProto.FLOAT).SerializeToString()


@pytest.mark.parametrize(
    "weights",
    [
        TENSOR + part(13, EXTERNAL) + part(14, 1),
        TENSOR + part(13, EXTERNAL),
        TENSOR + part(14, 1),
        TENSOR + part(14, 0) + part(14, 1) + part(14, 0),
        TENSOR + part(13, EXTERNAL) + part(14, 2**32 + 1),  # as 32 bits that is 1
        TENSOR + part(13, EXTERNAL, 1) + part(14, 1, 1),  # ONNX Runtime's reader drops what is above 32 bits of a key
        TENSOR + part(13, EXTERNAL, 7) + part(14, 1, 7),
        # ONNX Runtime's own mark for weights in this process's memory
        TENSOR + part(13, part(1, b"location") + part(2, b"*/_ORT_MEM_ADDR_/*")) + part(14, 1),
    ],
)
@pytest.mark.parametrize(
    "place",
    "graph,training,function,default of a function,sparse,sparse attribute,branch,list of branches".split(","),
)
def test_weights_elsewhere_are_refused_however_they_are_written(tmp_path: Path, weights: bytes, place: str) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(add_model(TENSOR, place))
    assert read_model(path)
    path.write_bytes(add_model(weights, place))
    with pytest.raises(ModelError, match=r"keeps its weights in other files|protobuf key"):
        read_model(path)


def test_what_the_tests_above_change_is_all_that_is_wrong_with_their_model(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(add_model(numpy_helper.from_array(np.ones(4, np.float32), "w").SerializeToString()))
    session = open_session(path, "cpu")
    assert session.run(None, {"x": np.ones(4, np.float32)})[0].tolist() == [2, 2, 2, 2]
    assert session.get_session_options().get_session_config_entry("session.load_model_format") == "ONNX"


def test_onnx_runtime_does_read_keys_of_more_than_32_bits() -> None:
    """Why they are refused: it takes such a tensor for an external one."""
    with pytest.raises(Exception, match=r"(?i)external"):
        ort.InferenceSession(
            add_model(TENSOR + part(13, EXTERNAL, 1) + part(14, 1, 1)), providers=["CPUExecutionProvider"]
        )


@given(st.binary(max_size=200), st.integers(0, 2**16), st.binary(max_size=8))
def test_garbage_is_a_model_error_or_nothing(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, at: int, more: bytes
) -> None:
    model = add_model(numpy_helper.from_array(np.ones(4, np.float32), "w").SerializeToString())
    path = tmp_path_factory.getbasetemp() / "garbage.onnx"
    place = at % len(model)
    for made in (content, model[:place] + more + model[place + len(more) :], model[:place] + content + model[place:]):
        path.write_bytes(made)
        try:
            assert read_model(path) == made
        except ModelError as error:
            assert "garbage.onnx" in str(error)


def test_another_format_a_deep_one_and_a_long_one_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\x20\0\0\0ORTM" + bytes(100))
    with pytest.raises(ModelError, match="own format"):
        read_model(path)
    graph = b""
    for _ in range(5000):  # a graph in an attribute of a node of a graph in ...
        graph = part(1, part(5, part(6, graph)))
    path.write_bytes(part(7, graph))
    with pytest.raises(ModelError, match="not an ONNX file"):
        read_model(path)
    monkeypatch.setattr(onnx_file, "MAX_FIELDS", 1000)
    path.write_bytes(part(7, part(5, part(4, 0)) * 1000))
    with pytest.raises(ModelError, match="parts"):
        read_model(path)


def test_operators_of_libraries_that_a_model_asks_for_are_not_there(tmp_path: Path) -> None:
    node = helper.make_node("Run", ["x"], ["y"], domain="my.library")
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    graph = helper.make_graph([node], "g", values[:1], values[1:])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("my.library", 1)]
    path = tmp_path / "model.onnx"
    path.write_bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())
    with pytest.raises(ModelError, match="cannot be opened"):
        open_session(path, "cpu")


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(1000))
    assert read_at_most(path, 1000) == bytes(1000)
    with pytest.raises(ValueError, match=r"it has 0\.001 MB; more than 0\.000999 MB is refused"):
        read_at_most(path, 999)
    with pytest.raises(FileNotFoundError):
        read_at_most(tmp_path / "none", 1)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX's special files")
def test_devices_and_pipes_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (Path("/dev/zero"), tmp_path / "pipe"):
        with pytest.raises(ValueError, match="ordinary"):
            read_at_most(path, 1000)
    (tmp_path / "model.onnx").symlink_to("/dev/zero")
    with pytest.raises(ModelError, match=r"model\.onnx is refused: it is not an ordinary file"):
        read_model(tmp_path / "model.onnx")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    for name in ("good", "Bad", "b\nad", ".hidden", "x" * 49, "caf\udce9"):
        (home.personas / name).mkdir(parents=True)
        (home.personas / name / "persona.json").write_text('{"name": "Title"}')
    return home


def test_only_folders_with_a_personas_name_are_personas(home: Home) -> None:
    assert home.persona_names() == ["good"]
    assert home.persona_titles() == {"good": "Title"}


@pytest.mark.parametrize(
    "content, title",
    [
        (b'{"name": "Anna\\nB <b>\\u202e\\ud800"}', "Anna B ‹b›"),
        (b'{"name": "%s"}' % (b"x" * 100), "x" * 63 + "…"),
        (b'{"name": "   "}', "good"),
        (b"[" * 60_000, "good"),
        (b'{"name": "Long"}' + b" " * MAX_INFO_BYTES, "good"),
        (b'{"name": 1' + b"0" * 10_000 + b"}", "good"),
    ],
)
def test_a_personas_title_is_a_short_line_of_text(home: Home, content: bytes, title: str) -> None:
    (home.personas / "good" / "persona.json").write_bytes(content)
    assert home.persona_titles() == {"good": title}


def test_a_description_that_is_a_device_does_not_stop_obs(home: Home) -> None:
    (home.personas / "good" / "persona.json").unlink()
    (home.personas / "good" / "persona.json").symlink_to("/dev/zero")
    assert home.persona_titles() == {"good": "good"}


@given(st.text(), st.integers(1, 50))
def test_plain_words_are_one_printable_line(text: str, limit: int) -> None:
    line = plain(text, limit)
    assert len(line) <= limit and line.isprintable()
    assert "<" not in line and ">" not in line
    line.encode()


def test_onnx_runtime_tells_nobody_anything(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(ort, "disable_telemetry_events", lambda: calls.append("off"))
    open_session(models / "face_blendshapes_v2.onnx", "cpu")
    assert calls == ["off"]
