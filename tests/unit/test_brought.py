"""Adding models, and what is refused."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec
import onnx
import pytest

from obs_facelive import brought
from obs_facelive.brought import (
    add_model,
    contracts_of,
    find_companion,
    find_kind,
    find_model,
    get_model,
    list_models,
    remove_model,
    verify_model,
)
from obs_facelive.catalog import ModelError
from obs_facelive.download import Tell, fetch_pinned
from obs_facelive.home import Home
from obs_facelive.runtime import onnx_file
from tests.unit.portrait_server import served
from tests.unit.tiny_models import EMAP, arcface, dfm, hyperswap, inswapper, tiny_model

OTHER = """
    name = "other"
    what = "Looks like inswapper from outside"
    kind = "swapper"
    identity = "raw"
    inputs.target.shape = [1, 3, "S", "S"]
    inputs.source.shape = [1, 512]
    outputs.output.shape = [1, 3, "S", "S"]
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def own(home: Home, toml: str) -> None:
    folder = home.models / "contracts"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "own.toml").write_text(toml)


def files(home: Home) -> set[str]:
    """All in the models folder but the list and the contracts."""
    return {p.name for p in home.models.glob("*") if p.is_file() and p.name != "brought.json"}


def test_models_are_added_listed_and_removed(home: Home, tmp_path: Path) -> None:
    assert list_models(home) == []
    contents = {"a.onnx": inswapper(), "b.onnx": hyperswap(), "r50.onnx": arcface(), "Somebody (1).dfm": dfm()}
    for name, content in contents.items():
        add_model(home, write(tmp_path / name, content))
    listed = list_models(home)
    assert [(b.file, b.kind, b.contract, b.size, b.title) for b in listed] == [
        ("Somebody (1).dfm", "dfm", "dfm", 224, "Somebody (1)"),
        ("a.onnx", "swapper", "inswapper", 128, "a"),
        ("b.onnx", "swapper", "hyperswap", 256, "b"),
        ("r50.onnx", "recogniser", "arcface", 112, "r50"),
    ]
    for one in listed:
        assert one.path.read_bytes() == contents[one.file]
        assert one.sha256 == hashlib.sha256(contents[one.file]).hexdigest()
        assert one.matched().names == one.names
        assert verify_model(home, one.file) == find_model(home, one.file) == one
    assert find_kind(home, "recogniser").file == "r50.onnx"
    for one in listed:
        remove_model(home, one.file)
    assert list_models(home) == [] and files(home) == set()
    with pytest.raises(ModelError, match=r"no recogniser was added yet.*'facelive model get w600k_r50\.onnx'"):
        find_kind(home, "recogniser")
    with pytest.raises(ModelError, match="no dfm was added yet"):
        find_kind(home, "dfm")


def test_companions_are_found_by_their_contract(home: Home, tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"ghost_1_256\.onnx needs .* crossface_ghost.*'facelive model get crossface_ghost\.onnx'"
    ):
        find_companion(home, "crossface_ghost", "ghost_1_256.onnx")
    converter = tiny_model({"input": [1, 512]}, {"output": [1, 512]})
    for name in ("crossface_simswap.onnx", "crossface_ghost.onnx"):
        add_model(home, write(tmp_path / name, converter))
    found = find_companion(home, "crossface_ghost", "ghost_1_256.onnx")
    assert (found.file, found.kind, found.size) == ("crossface_ghost.onnx", "converter", 0)
    assert verify_model(home, found.file) == found
    add_model(
        home,
        write(tmp_path / "cscs_arcface_model.onnx", tiny_model({"input": ["n", 3, 112, 112]}, {"output": [1, 512]})),
    )
    with pytest.raises(ModelError, match="no recogniser was added yet"):
        find_kind(home, "recogniser")  # that one serves CSCS alone


def test_names_are_made_safe(home: Home, tmp_path: Path) -> None:
    assert add_model(home, write(tmp_path / "Zoë <b>.DFM", dfm())).file == "Zo_ _b_.DFM"
    for name in ("model.pth", ".hidden.onnx", f"{'x' * 100}.onnx", "face_recognition.onnx", "FACE_Recognition.onnx"):
        with pytest.raises(ModelError, match="name"):
            add_model(home, write(tmp_path / name, dfm()))
    assert files(home) == {"Zo_ _b_.DFM"}


def test_a_file_that_was_put_there_by_hand_is_taken(home: Home) -> None:
    home.models.mkdir(parents=True)
    path = write(home.models / "a.onnx", inswapper())
    assert add_model(home, path).path == path
    assert files(home) == {"a.onnx"}


def test_another_file_of_the_name_is_not_overwritten(home: Home, tmp_path: Path) -> None:
    add_model(home, write(tmp_path / "a.onnx", inswapper(128)))
    assert add_model(home, tmp_path / "a.onnx").size == 128, "the same again"
    with pytest.raises(ModelError, match=r"another a\.onnx.*model remove"):
        add_model(home, write(tmp_path / "a.onnx", inswapper(256)))
    assert find_model(home, "a.onnx").size == 128
    write(home.models / "b.onnx", b"something")
    with pytest.raises(ModelError, match="Give yours another name"):
        add_model(home, write(tmp_path / "b.onnx", inswapper()))
    assert (home.models / "b.onnx").read_bytes() == b"something"


def test_what_is_damaged_is_seen_and_made_whole(home: Home, tmp_path: Path) -> None:
    source = write(tmp_path / "a.onnx", inswapper())
    path = add_model(home, source).path
    path.write_bytes(inswapper(256))
    with pytest.raises(ModelError, match="changed or damaged"):
        verify_model(home, "a.onnx")
    path.unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        verify_model(home, "a.onnx")
    path.write_bytes(b"damaged")
    assert verify_model(home, add_model(home, source).file).size == 128


def test_several_kinds_fit(home: Home, tmp_path: Path) -> None:
    own(home, OTHER)
    source = write(tmp_path / "x.onnx", inswapper(256, None))
    with pytest.raises(
        ModelError, match=r"several kinds of model: ghost, hififace, simswap_256, other.*--contract NAME"
    ):
        add_model(home, source)
    assert files(home) == set() and list_models(home) == []
    assert add_model(home, source, "other").contract == "other"
    assert add_model(home, source, "hififace").contract == "hififace", "said anew"
    assert add_model(home, write(tmp_path / "inswapper_128.onnx", inswapper())).contract == "inswapper", "by its name"
    known = f'[[files]]\nfile="y"\nlicence=""\nfree=true\nsha256="{hashlib.sha256(inswapper(256)).hexdigest()}"\n'
    own(home, OTHER + known)
    assert add_model(home, write(tmp_path / "inswapper_128.fp16.onnx", inswapper(256))).contract == "other", "its hash"
    for contract, words in (
        ("nothing", "no contract 'nothing'"),
        ("hyperswap", "does not keep the contract hyperswap"),
    ):
        with pytest.raises(ModelError, match=words):
            add_model(home, source, contract)


def test_contracts_of_ones_own(home: Home, tmp_path: Path) -> None:
    own(home, OTHER)
    assert {c.name for c in contracts_of(home)} > {"other", "inswapper"}
    add_model(home, write(tmp_path / "x.onnx", inswapper(emap=None)))
    own(home, OTHER.replace('"other"', '"inswapper"'))
    with pytest.raises(ModelError, match="a contract inswapper itself"):
        contracts_of(home)
    (home.models / "contracts" / "own.toml").unlink()
    with pytest.raises(ModelError, match="contract other, which is not as it was"):
        verify_model(home, "x.onnx")
    own(home, OTHER.replace('"S", "S"]', "64, 64]"))
    with pytest.raises(ModelError, match="does not keep the contract other any more"):
        verify_model(home, "x.onnx")


def _external(content: bytes) -> bytes:
    model = onnx.load_from_string(content)
    weights = model.graph.initializer[0]
    weights.ClearField("raw_data")
    weights.data_location = onnx.TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="/etc/passwd")
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cut short"),
        (b"no model at all", "not an ONNX file"),
        (inswapper()[:-9], "cut short"),
        (b"\x18\x00\x00\x00ORTM" + bytes(50), "ONNX Runtime's own format"),
        (_external(inswapper()), "weights in other files"),
        (
            tiny_model({"x\n<b>": [1, 2]}, {"y": [3, "n"]}),
            r"no kind.*takes x ‹b› float32 \[1, 2\] and gives y float32 \[3, \?\]",
        ),
        (inswapper(emap=None), "no kind of model that FaceLive knows"),
    ],
)
def test_what_is_no_such_model_leaves_nothing(home: Home, tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        add_model(home, write(tmp_path / "a.onnx", content))
    assert not home.models.exists() or not any(home.models.iterdir())


def test_what_cannot_be_read_or_is_too_large(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        add_model(home, tmp_path / "missing.onnx")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.onnx")
        with pytest.raises(ModelError, match="not an ordinary file"):
            add_model(home, tmp_path / "pipe.onnx")
    monkeypatch.setattr(onnx_file, "MAX_BYTES", 1000)
    with pytest.raises(ModelError, match=r"more than 0\.001 MB is refused"):
        add_model(home, write(tmp_path / "a.onnx", inswapper()))
    assert not home.models.exists()


@pytest.mark.parametrize("broken", ["a.onnx", "brought.json"])
def test_a_full_disk_leaves_nothing(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    fsync = os.fsync

    def full(handle: int) -> None:
        if broken in os.readlink(f"/proc/self/fd/{handle}"):
            os.ftruncate(handle, 100)
            raise OSError(28, "No space left on device")
        fsync(handle)

    source = write(tmp_path / "a.onnx", inswapper())
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelError, match="No space left"):
        add_model(home, source)
    assert not any(home.models.iterdir()) and list_models(home) == []


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"../x.onnx": 1}', b"x" * (1 << 21)])
def test_a_damaged_list_says_what_to_do(home: Home, content: bytes) -> None:
    home.models.mkdir(parents=True)
    write(home.models / "brought.json", content)
    with pytest.raises(ModelError, match="Delete it"):
        list_models(home)


def test_a_list_names_no_file_outside(home: Home, tmp_path: Path) -> None:
    add_model(home, write(tmp_path / "a.onnx", inswapper()))
    path = home.models / "brought.json"
    entry = msgspec.json.decode(path.read_bytes())["a.onnx"]
    for name in ("../outside.onnx", "/etc/a.onnx", "a.onnx/..", "manifest.json", "..onnx", ""):
        write(path, msgspec.json.encode({name: entry}))
        with pytest.raises(ModelError, match="no model's name"):
            remove_model(home, name)
    write(path, msgspec.json.encode({"b.onnx": entry}))
    assert find_model(home, "b.onnx").path == home.models / "b.onnx", "the key counts"


def test_known_files_are_fetched(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content, told = inswapper(emap=EMAP * 2), list[tuple[int, int]]()
    with served({"x.onnx": content}) as server:

        def fetch(url: str, target: Path, sha256: str, limit: int, what: str, tell: Tell) -> None:
            fetch_pinned(url.replace("https://models.test", server.base), target, sha256, limit, what, tell, pause=0)

        monkeypatch.setattr(brought, "fetch_pinned", fetch)
        known = f"""
            [[files]]
            file = "x.onnx"
            url = "https://models.test/x.onnx"
            sha256 = "{hashlib.sha256(content).hexdigest()}"
            bytes = {len(content)}
            licence = "for research only"
            free = false
            [[files]]
            file = "y.onnx"
            licence = "MIT"
            free = true
        """
        own(home, OTHER + known)
        with pytest.raises(ModelError, match=r"for research only.*--accept-licence"):
            get_model(home, "x.onnx")
        with pytest.raises(ModelError, match="Get it yourself"):
            get_model(home, "y.onnx")
        with pytest.raises(ModelError, match=r"no known model 'z'. Known: .*x\.onnx"):
            get_model(home, "z")
        assert not server.asked, "nothing is asked for without consent"
        server.break_after = 1000
        with pytest.raises(ModelError, match="goes on where it stopped"):
            get_model(home, "x.onnx", accept=True)
        assert files(home) == set() and list_models(home) == []
        server.break_after = None
        found = get_model(home, "x.onnx", True, lambda done, size: told.append((done, size)))
        assert (found.contract, found.path.read_bytes()) == ("other", content)
        assert told[0][0] > 1000 and told[-1] == (len(content), len(content))
        assert server.sent == len(content), "no byte came twice"
        asked = len(server.asked)
        assert get_model(home, "x.onnx", True) == found and len(server.asked) == asked
        found.path.write_bytes(b"damaged")
        assert get_model(home, "x.onnx", True) == verify_model(home, "x.onnx")
        remove_model(home, "x.onnx")
        server.files["x.onnx"] = arcface()
        with pytest.raises(ModelError, match="pinned"):
            get_model(home, "x.onnx", True)
        server.files["x.onnx"] = content + bytes(1 << 20)
        with pytest.raises(ModelError, match="larger than any model"):
            get_model(home, "x.onnx", True)
    assert files(home) == set() and not any((home.root / "cache" / "models").iterdir())
