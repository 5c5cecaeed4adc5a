"""``facelive model`` as a person uses it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from obs_facelive import brought
from obs_facelive.download import DownloadError
from obs_facelive.home import Home
from tests.unit.test_brought import OTHER, own, write
from tests.unit.test_cli import facelive
from tests.unit.tiny_models import dfm, inswapper, tiny_model


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An empty one."""
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("FACELIVE_HOME", str(tmp_path / "home"))
    return Home.find()


def test_a_model_from_adding_to_removing(home: Home, tmp_path: Path) -> None:
    code, text = facelive("model", "list")
    assert (code, "facelive model add" in text) == (1, True), text
    assert facelive("model", "add", write(tmp_path / "anna.dfm", dfm())) == (
        0,
        "anna.dfm is in the library: dfm (dfm), 224 pixels\n",
    )
    assert facelive("model", "add", write(tmp_path / "swap.onnx", inswapper()))[0] == 0
    code, text = facelive("model", "list")
    assert code == 0 and "224 px" in text and "128 px" in text and "ReSwapper" in text
    assert facelive("model", "verify") == (0, "ok anna.dfm\nok swap.onnx\n")
    code, text = facelive("model", "verify", "swap.onnx", "--measure")
    assert code == 0 and text.startswith("ok swap.onnx: CPU: ") and " ms" in text
    note, compiled = next(home.devices.glob("*.json")), next(home.devices.glob("*.json")).with_suffix("")
    compiled.mkdir()
    note.write_bytes(note.read_bytes().replace(b'"ms":', b'"ms":77'))
    assert facelive("model", "verify", "swap.onnx", "--measure")[1] != text
    assert b'"ms":77' not in note.read_bytes() and not compiled.exists(), "what was known stays"
    (home.models / "swap.onnx").write_bytes(b"")
    code, text = facelive("model", "verify")
    assert code == 1 and "ok anna.dfm" in text and "bad swap.onnx" in text and "damaged" in text
    (home.models / "swap.onnx").unlink()
    assert "the file is gone" in facelive("model", "list")[1]
    assert facelive("model", "remove", "anna.dfm")[0] == 1, "it asks, and nobody said yes"
    assert (home.models / "anna.dfm").is_file()
    assert facelive("model", "remove", "anna.dfm", "--yes") == (0, "anna.dfm is gone.\n")
    assert facelive("model", "remove", "swap.onnx", "-y")[0] == 0
    code, text = facelive("model", "remove", "swap.onnx", "-y")
    assert code == 1 and "no model 'swap.onnx'" in text


def test_what_is_refused_is_said(home: Home, tmp_path: Path) -> None:
    own(home, OTHER)
    source = write(tmp_path / "x.onnx", inswapper(256, None))
    code, text = facelive("model", "add", source)
    assert code == 1 and "ghost, hififace, simswap_256, other" in text and "--contract NAME" in text
    code, text = facelive("model", "add", source, "--contract", "other")
    assert code == 0 and "swapper (other), 256 pixels" in text
    converter = write(tmp_path / "crossface_ghost.onnx", tiny_model({"input": [1, 512]}, {"output": [1, 512]}))
    code, text = facelive("model", "add", converter)
    assert code == 0 and "pixels" not in text
    assert "converter  crossface_ghost" in facelive("model", "list")[1] and "0 px" not in facelive("model", "list")[1]
    facelive("model", "remove", "crossface_ghost.onnx", "--yes")
    code, text = facelive("model", "add", tmp_path / "missing.onnx")
    assert code == 1 and "cannot be read" in text
    code, text = facelive("model", "verify", "y.onnx")
    assert code == 1 and "There are: x.onnx" in text
    (home.models / "brought.json").write_text("{")
    for command in (("list",), ("verify",), ("remove", "x.onnx"), ("add", source, "--contract", "other")):
        code, text = facelive("model", *command)
        assert code == 1 and "Delete it" in text


def test_known_models(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = facelive("model", "list", "--known")
    assert code == 0 and "hyperswap_1a_256.onnx" in text and "non-commercial" in text and "403 MB" in text
    asked: list[str] = []

    def fetch(url: str, target: Path, sha256: str, *_: object) -> None:
        asked.append(url)
        if len(asked) == 1:
            raise DownloadError("it could not be fetched")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(inswapper(emap=None))

    monkeypatch.setattr(brought, "fetch_pinned", fetch)
    code, text = facelive("model", "get", "inswapper_128.onnx")
    assert code == 1 and "non-commercial" in text and "--accept-licence" in text and not asked
    code, text = facelive("model", "get", "nothing.onnx")
    assert code == 1 and "Known:" in text
    code, text = facelive("model", "get", "inswapper_128.onnx", "--accept-licence")
    assert code == 1 and "could not be fetched" in text and asked[0].startswith("https://huggingface.co/")
    hash = hashlib.sha256(inswapper(emap=None)).hexdigest()
    url = "https://models.test/free.onnx"
    own(home, f'{OTHER}\n[[files]]\nfile="free.onnx"\nlicence="MIT"\nfree=true\nurl="{url}"\nsha256="{hash}"')
    code, text = facelive("model", "get", "free.onnx")
    assert code == 0 and "free.onnx is in the library" in text and asked[1] == url
