"""A known model's way from the panel into the library: what is listed, what has to be accepted, how it is fetched."""

from __future__ import annotations

import ctypes
import hashlib
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_facelive import brought
from obs_facelive.brought import Brought, find_model
from obs_facelive.catalog import ModelError
from obs_facelive.download import Tell, fetch_pinned
from obs_facelive.engine.fetching import FetchingDesk, fetch, publish_known
from obs_facelive.home import Home, KnownModel
from obs_facelive.link.wanted import GET_FILE, Wanted, accept_key, read_wanted
from obs_facelive.obs.panel_get import BUTTON, NONE, RESULT, GetPanel
from tests.unit.fake_libobs import FakeLibobs
from tests.unit.portrait_server import Portraits, served
from tests.unit.test_brought import OTHER, own
from tests.unit.tiny_models import inswapper

FILE, LICENCE = "own.onnx", "for Sundays only"
URL = f"https://models.test/{FILE}"
CONTENT = inswapper(emap=None)
HASH = hashlib.sha256(CONTENT).hexdigest()
ACCEPTED = {GET_FILE: FILE, accept_key(LICENCE): True}


def known(home: Home, free: bool = False, sha256: str = HASH) -> Home:
    """A home whose person has a contract of their own, with a file that can be fetched."""
    free_or_not = f'licence="{LICENCE}"\nfree={str(free).lower()}'
    own(home, f'{OTHER}\n[[files]]\nfile="{FILE}"\n{free_or_not}\nurl="{URL}"\nsha256="{sha256}"\nbytes={len(CONTENT)}')
    return home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return known(Home(tmp_path / "home"))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A server on this machine in place of the one with the name."""
    with served({FILE: CONTENT}) as server:

        def here(url: str, target: Path, sha256: str, limit: int, what: str, tell: Tell) -> None:
            fetch_pinned(url.replace("https://models.test", server.base), target, sha256, limit, what, tell, pause=0.01)

        monkeypatch.setattr(brought, "fetch_pinned", here)
        yield server


def test_an_order_is_read_beside_all_other_settings() -> None:
    text = json.dumps({"opacity": 50, **ACCEPTED, accept_key("another"): False, accept_key("odd"): 1}).encode()
    assert read_wanted(text) == Wanted(FILE, frozenset({accept_key(LICENCE)}))


@given(
    st.binary(max_size=300) | st.sampled_from([b"[]", b"7", b'{"get_file": 7}', b'{"get_file": ""}', b"[" * 100_000])
)
def test_garbage_is_no_order(text: bytes) -> None:
    with pytest.raises(ValueError):
        read_wanted(text)


def ordered(home: Home, settings: dict[str, Any]) -> str:
    """What a desk says after that order."""
    with ThreadPoolExecutor(1) as worker:
        desk = FetchingDesk(lambda wanted, tell: fetch(home, wanted, tell), worker)
        desk.open(json.dumps(settings).encode())
    desk.tend(1.0)
    return desk.words


@pytest.mark.parametrize(
    "settings", [{GET_FILE: FILE}, {**ACCEPTED, accept_key(LICENCE): False}, {GET_FILE: FILE, accept_key("x"): True}]
)
def test_only_its_own_licence_opens_it(home: Home, server: Portraits, settings: dict[str, Any]) -> None:
    words = ordered(home, settings)
    assert words.startswith("No model was fetched: ") and f"Tick that you accept: {LICENCE}" in words
    assert not server.asked and not (home.models / FILE).exists()


def test_it_is_fetched_and_then_not_listed_any_more(home: Home, server: Portraits) -> None:
    publish_known(home)
    assert KnownModel(FILE, "swapper", LICENCE, False, len(CONTENT)) in home.known_models()
    assert len(home.known_models()) > 3, "those that FaceLive knows"
    assert ordered(home, ACCEPTED) == f"{FILE} is in the library: choose it as the engine."
    assert find_model(home, FILE).sha256 == HASH and FILE in home.swapper_titles()
    assert FILE not in [model.file for model in home.known_models()]


def test_a_free_one_needs_no_tick(tmp_path: Path, server: Portraits) -> None:
    home = known(Home(tmp_path / "home"), free=True)
    assert "is in the library" in ordered(home, {GET_FILE: FILE})


def test_broken_off_it_goes_on(home: Home, server: Portraits) -> None:
    server.break_after = len(CONTENT) // 3
    words = ordered(home, ACCEPTED)
    assert "is in the library" in words and len(server.asked) > 1 and server.asked[-1][1].startswith("bytes=")


def test_another_file_than_the_pinned_one_is_refused(tmp_path: Path, server: Portraits) -> None:
    home = known(Home(tmp_path / "home"), sha256="ab" * 32)
    words = ordered(home, ACCEPTED)
    assert "pinned" in words and not (home.models / FILE).exists()


@pytest.mark.parametrize(
    ("settings", "words"), [({}, "choose a model first"), ({GET_FILE: "x.onnx"}, "no known model")]
)
def test_what_cannot_be_had_is_said(home: Home, settings: dict[str, Any], words: str) -> None:
    assert words in ordered(home, settings)


def test_it_says_how_far_it_is_and_never_waits() -> None:
    told, going = threading.Event(), threading.Event()

    def slowly(wanted: Wanted, tell: Callable[[int, int], None]) -> Brought:
        tell(120_000_000, 554_000_000)
        told.set()
        going.wait(20)
        raise ModelError("the line is dead")

    with ThreadPoolExecutor(1) as worker:
        desk = FetchingDesk(slowly, worker)
        desk.open(json.dumps(ACCEPTED).encode())
        assert told.wait(20)
        desk.tend(1.0)
        assert desk.words == f"Getting {FILE}: 120 of 554 MB …"
        desk.open(b"{}")  # pressed again: the one in hand goes on
        assert desk.words == f"Getting {FILE}: 120 of 554 MB …"
        going.set()
    desk.tend(2.0)
    assert desk.words == "No model was fetched: the line is dead"


@pytest.mark.parametrize("text", [b"", b"[7]", b"{}", b'[{"file": 1}]', b"[" * 100_000, b'[{"bytes": 1e999}]'])
def test_a_list_that_is_none_lists_nothing(home: Home, text: bytes) -> None:
    home.known_models_file.parent.mkdir(parents=True)
    home.known_models_file.write_bytes(text)
    assert home.known_models() == []


class Properties(FakeLibobs):
    """libobs's properties, as far as the panel's part needs them: kind, title, choices and sight by name."""

    def begin(self) -> None:
        super().begin()
        self.shown: dict[str, dict[str, Any]] = {}
        self.modified = self.clicked = 0

    def _add(self, kind: str, name: int, title: int) -> int:
        self.shown[_text(name)] = {"kind": kind, "title": _text(title), "choices": {}, "seen": True}
        return len(self.shown)

    def _obs_properties_add_list(self, group: int, name: int, title: int, kind: int, format: int) -> int:
        return self._add("list", name, title)

    def _obs_properties_add_bool(self, group: int, name: int, title: int) -> int:
        return self._add("bool", name, title)

    def _obs_properties_add_text(self, group: int, name: int, title: int, kind: int) -> int:
        return self._add("text", name, title)

    def _obs_properties_add_button(self, group: int, name: int, title: int, clicked: int) -> int:
        self.clicked = clicked
        return self._add("button", name, title)

    def _obs_property_list_add_string(self, field: int, label: int, value: int) -> None:
        self._field(field)["choices"][_text(value)] = _text(label)

    def _obs_property_set_modified_callback(self, field: int, modified: int) -> None:
        self.modified = modified

    def _obs_properties_get(self, properties: int, name: int) -> int:
        return [*self.shown, _text(name)].index(_text(name)) + 1 if _text(name) in self.shown else 0

    def _obs_property_set_visible(self, field: int, seen: int) -> None:
        self._field(field)["seen"] = bool(seen)

    def _obs_data_get_string(self, data: int, name: int) -> int:
        self.kept = ctypes.create_string_buffer(str(self.settings.get(_text(name), "")).encode())
        return ctypes.addressof(self.kept)

    def _field(self, field: int) -> dict[str, Any]:
        return [*self.shown.values()][field - 1]


def _text(address: int) -> str:
    return ctypes.string_at(address).decode()


CALLBACK = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)


def test_the_panel_names_the_licence_and_shows_it_with_its_model_only(home: Home) -> None:
    publish_known(home)
    libobs = Properties()
    panel = GetPanel(libobs, home)  # type: ignore[arg-type]
    asked: list[int] = []
    panel.get, panel.result = asked.append, lambda row: "Getting it"
    panel.make(4)
    files = libobs.shown[GET_FILE]["choices"]
    assert files[""] == "Choose…" and files[FILE].startswith(f"{FILE} (swapper, ") and "inswapper_128.onnx" in files
    assert libobs.shown[RESULT]["title"] == "Getting it"
    mine = libobs.shown[accept_key(LICENCE)]
    assert mine["kind"] == "bool" and mine["title"] == f"I accept the licence: {LICENCE}"
    theirs = next(model.licence for model in home.known_models() if model.file == "inswapper_128.onnx")
    chosen = CALLBACK(libobs.modified)
    for file, licences in ((FILE, {LICENCE}), ("inswapper_128.onnx", {theirs}), ("", set[str]())):
        libobs.settings = {GET_FILE: file}
        assert chosen(1, 1, 1)
        seen = {name for name, field in libobs.shown.items() if field["seen"]}
        assert seen == {GET_FILE, RESULT, *map(accept_key, licences), *([BUTTON] if file else [])}
    assert not CALLBACK(libobs.clicked)(1, 1, 4) and asked == [4]
    assert not libobs.errors


def test_a_free_licence_is_shown_and_not_asked_for(tmp_path: Path) -> None:
    home = known(Home(tmp_path / "home"), free=True)
    publish_known(home)
    libobs = Properties()
    GetPanel(libobs, home).make(0)  # type: ignore[arg-type]
    fields = [field for field in libobs.shown.values() if LICENCE in field["title"]]
    assert [(field["kind"], field["title"]) for field in fields] == [("text", f"Licence: {LICENCE}")]
    assert not libobs.errors


def test_before_the_engine_ran_there_is_none_to_get(tmp_path: Path) -> None:
    libobs = Properties()
    GetPanel(libobs, Home(tmp_path / "home")).make(0)  # type: ignore[arg-type]
    assert libobs.shown[GET_FILE]["choices"] == {"": NONE} and not libobs.errors
