"""Models are known by their graphs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from obs_facelive.catalog import ModelError, load_catalog
from obs_facelive.contracts import Matched, load_contracts, match, recognise
from obs_facelive.runtime.graph import read_graph
from tests.unit.tiny_models import EMAP, arcface, codeformer, dfm, hyperswap, inswapper, restorer, tiny_model

PICTURE = [1, 3, 256, 256]


def matches(content: bytes, folder: Path | None = None) -> list[Matched]:
    return match(read_graph(content), content, load_contracts(folder))


def known(content: bytes, name: str = "x.onnx") -> str:
    """The contract that it is taken for, under a name that nobody knows."""
    return recognise(name, content, "-", load_contracts()).contract.name


def plain(size: int = 256, more: int = 0) -> bytes:
    """As ghost, simswap and hififace look from outside."""
    picture = [1, 3, size, size]
    return tiny_model(
        {"target": picture, "source": [1, 512]},
        {"output": picture, **{f"more {i}": [1, 8, 2, 2] for i in range(more)}},
    )


@pytest.mark.parametrize(
    ("content", "contract", "size", "names"),
    [
        (inswapper(128), "inswapper", 128, {"target": "target", "source": "source", "output": "output"}),
        (inswapper(256), "inswapper", 256, {"target": "target", "source": "source", "output": "output"}),
        (inswapper(128, EMAP.astype(np.float16)), "inswapper", 128, {}),
        (hyperswap(), "hyperswap", 256, {"target": "target", "source": "source", "output": "output", "mask": "mask"}),
        (arcface(), "arcface", 112, {"picture": "input.1", "embedding": "683"}),
        (restorer(256), "restorer", 256, {"picture": "input", "output": "2359"}),
        (restorer(512, more=14), "restorer", 512, {"picture": "input", "output": "2359"}),
        (codeformer([1]), "codeformer", 512, {"picture": "x", "weight": "w", "output": "y"}),
        (codeformer([]), "codeformer", 512, {"picture": "x", "weight": "w", "output": "y"}),
        (dfm(224), "dfm", 224, {"face": "in_face:0", "celeb": "out_celeb_face:0", "face_mask": "out_face_mask:0"}),
        (dfm(320, amp=True), "dfm_amp", 320, {"morph": "morph_value:0", "celeb_mask": "out_celeb_face_mask:0"}),
        (plain(512), "simswap_512", 512, {}),
        (plain(more=8), "ghost", 256, {"output": "output"}),
        (tiny_model({"target": PICTURE, "source": PICTURE}, {"y": PICTURE}), "uniface", 256, {"source": "source"}),
        (
            tiny_model({"source": [1, 3, 112, 112], "target": PICTURE}, {"y": PICTURE}),
            "blendswap",
            256,
            {"output": "y"},
        ),
        (
            tiny_model({"input_1": PICTURE, "input_2": [1, 512]}, {"output": PICTURE}),
            "cscs",
            256,
            {"source": "input_2"},
        ),
        (tiny_model({"x": [1, 3, 112, 112]}, {"y": [1, 512]}, dtype=TensorProto.FLOAT16), "arcface", 112, {}),
    ],
)
def test_each_kind_is_known_by_its_graph(content: bytes, contract: str, size: int, names: dict[str, str]) -> None:
    found = recognise("x.onnx", content, "-", load_contracts())
    assert (found.contract.name, found.size) == (contract, size)
    assert names.items() <= found.names.items()
    assert set(found.names) == {*found.contract.inputs, *found.contract.outputs}


def test_names_that_mean_nothing_are_no_hindrance() -> None:
    odd = tiny_model({"onnx::Gemm_1": [1, 512], "input": PICTURE}, {"781": PICTURE}, EMAP)
    found = recognise("x.onnx", odd, "-", load_contracts())
    assert found.names == {"target": "input", "source": "onnx::Gemm_1", "output": "781"}


@pytest.mark.parametrize(
    "content",
    [
        inswapper(128, None),
        inswapper(128, np.zeros((512, 511), np.float32)),
        tiny_model({"target": PICTURE, "source": [1, 512]}, {"output": [1, 3, 128, 128]}, EMAP),
        tiny_model({"target": PICTURE, "source": [1, 256]}, {"output": PICTURE}, EMAP),
        tiny_model({"target": PICTURE}, {"output": [1, 3, 128, 128]}, EMAP),
        tiny_model({"target": [1, 3, 64, 64], "source": [1, 512]}, {"output": [1, 3, 64, 64], "more": [1]}, EMAP),
        tiny_model({"target": PICTURE, "source": [1, 512]}, {"output": PICTURE}, dtype=TensorProto.DOUBLE),
        inswapper(16),
        inswapper(4096),
        tiny_model({"input.1": [1, 3, 640, 640]}, {"448": [12800, 1], "471": [3200, 1]}),
        tiny_model({"in_face:0": [1, 256, 256, 3]}, {"out_mask:0": [1, 256, 256, 1]}),  # XSeg
    ],
)
def test_what_is_none_of_them_is_none(content: bytes) -> None:
    assert matches(content) == []


def test_graphs_that_say_too_little_are_known_by_hash_or_name() -> None:
    with pytest.raises(ModelError, match=r"several kinds of model: ghost, hififace, simswap_256.*--contract NAME"):
        known(plain())
    assert [known(plain(), f"{name}.onnx") for name in ("ghost_2_256", "simswap_256", "hififace_unofficial_256")] == [
        "ghost",
        "simswap_256",
        "hififace",
    ]
    assert known(inswapper(256)) == "inswapper", "its matrix says it"
    assert known(inswapper(256), "ghost_1_256.onnx") == "ghost", "a known name says more than a matrix at the end"
    assert recognise("x.onnx", inswapper(256), "-", load_contracts(), "hififace").contract.name == "hififace"
    converter = tiny_model({"input": [1, 512]}, {"output": [1, 512]})
    with pytest.raises(ModelError, match="crossface_ghost, crossface_hififace, crossface_simswap"):
        known(converter)
    assert known(converter, "crossface_simswap.onnx") == "crossface_simswap"


def test_a_companion_is_taken_for_nothing_but_its_known_files() -> None:
    content = tiny_model({"input": ["n", 3, 112, 112]}, {"output": ["n", 512]})
    assert known(content) == "arcface"
    assert known(content, "cscs_id_adapter.onnx") == "cscs_id_adapter"
    assert recognise("x.onnx", content, "-", load_contracts(), "cscs_arcface").contract.name == "cscs_arcface"


def test_sizes_that_the_graph_leaves_open_fit() -> None:
    model = tiny_model({"x": ["n", 3, "h", "w"]}, {"y": ["n", 512]})
    (found,) = matches(model)
    assert (found.contract.name, found.size) == ("arcface", 112)
    swapper = tiny_model({"target": ["n", 3, "h", "w"], "source": [1, 512]}, {"output": ["n", 3, 128, 128]}, EMAP)
    assert [found.size for found in matches(swapper)] == [128]
    nothing = tiny_model({"target": ["n", 3, "h", "w"], "source": [1, 512]}, {"output": ["n", 3, "h", "w"]}, EMAP)
    found_for = {found.contract.name for found in matches(nothing)}
    assert "inswapper" not in found_for, "nobody says how large its picture is"
    assert "ghost" in found_for, "which is always 256"


def test_a_recogniser_that_scales_its_picture_itself_is_another() -> None:
    model = onnx.load_from_string(arcface())
    for operator in ("Sub", "Mul"):
        model.graph.node.add(op_type=operator)
    assert matches(model.SerializeToString()) == []
    model.graph.node.pop()
    assert len(matches(model.SerializeToString())) == 1


def test_the_example_in_the_docs(tmp_path: Path) -> None:
    page = Path(__file__).parents[2].joinpath("docs", "models.md").read_text(encoding="utf-8")
    (tmp_path / "a.toml").write_text(page.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    (contract,) = load_contracts(tmp_path)
    assert (contract.name, contract.files[0].free) == ("other_swapper", True)


def test_a_kind_is_added_by_a_file_alone(tmp_path: Path) -> None:
    toml = """
        name = "other_swapper"
        what = "Swaps by one photo in another way"
        kind = "swapper"
        template = "arcface_112_v1"
        mean = [0.485, 0.456, 0.406]
        std = [0.229, 0.224, 0.225]
        identity = "unit"
        inputs.target.shape = [1, 3, "S", "S"]
        inputs.source.shape = [1, 256]
        outputs.output.shape = [1, 3, "S", "S"]
        [[files]]
        file = "other.onnx"
        licence = "MIT"
        free = true
    """
    (tmp_path / "other.toml").write_text(toml)
    (found,) = matches(tiny_model({"a": [1, 256], "b": PICTURE}, {"c": PICTURE}), tmp_path)
    assert (found.contract.name, found.size) == ("other_swapper", 256)
    assert found.names == {"target": "b", "source": "a", "output": "c"}


GOOD = 'name="a"\nwhat="a"\nkind="recogniser"\ninputs.picture.shape=[1]\noutputs.embedding.shape=[1]\n'
FILE = '[[files]]\nfile="a.onnx"\nlicence="MIT"\nfree=true\n'


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("name = ", "a.toml"),
        ("\udcff", "a.toml"),
        (GOOD.replace('name="a"', 'name="A B"'), "name"),
        (GOOD.replace("recogniser", "restorer"), "kind"),
        (GOOD.replace("picture", "target"), "has the inputs picture, not target"),
        (GOOD.replace("outputs.embedding", "outputs.mask"), "has the outputs embedding, not mask"),
        (GOOD + 'identity="unit"\n', "identity"),
        (GOOD + 'source_template="ffhq_512"\n', "source_template"),
        (GOOD + 'converter="crossface_ghost"\n', "converter"),
        (GOOD.replace("recogniser", "converter"), "has the inputs embedding, not picture"),
        (GOOD + 'colour="red"\n', "colour"),
        (GOOD + "mean=[1, 2]\n", "mean"),
        (GOOD + FILE + 'url="https://example.org/a.onnx"\n', "sha256"),
        (GOOD + FILE + f'sha256="{"0" * 64}"\nurl="http://example.org/a.onnx"\n', "https"),
        (GOOD + FILE + 'sha256="12"\n', "sha256"),
        (GOOD + FILE.replace("a.onnx", "../a.onnx"), "file"),
    ],
)
def test_a_malformed_file_is_refused_in_words(tmp_path: Path, toml: str, words: str) -> None:
    (tmp_path / "a.toml").write_bytes(toml.encode(errors="surrogateescape"))
    with pytest.raises(ModelError, match=words):
        load_contracts(tmp_path)


def test_one_name_is_one_contract(tmp_path: Path) -> None:
    for file in ("a.toml", "b.toml"):
        (tmp_path / file).write_text(GOOD)
    with pytest.raises(ModelError, match=r"b\.toml: there is a contract a already"):
        load_contracts(tmp_path)


def test_what_is_shipped() -> None:
    contracts = load_contracts()
    assert {c.name for c in contracts} >= {
        "arcface",
        "codeformer",
        "dfm",
        "ghost",
        "hyperswap",
        "inswapper",
        "restorer",
        "uniface",
    }
    hashes = [known.sha256 for contract in contracts for known in contract.files if known.sha256]
    assert len(set(hashes)) == len(hashes)
    assert {contract.name for contract in contracts if any(known.free for known in contract.files)} == {"ghost"}
    kinds = {contract.name: contract.kind for contract in contracts}
    for contract in contracts:
        assert {kinds[name] for name in contract.recognisers} <= {"recogniser"}
        assert not contract.converter or kinds[contract.converter] == "converter"
    templates = pytest.importorskip("obs_facelive.swap.align").TEMPLATES
    assert {name for contract in contracts for name in (contract.template, contract.source_template)} <= {
        *templates,
        "",
    }


def test_the_catalog_of_embedded_models_is_another_folder() -> None:
    assert load_catalog()
