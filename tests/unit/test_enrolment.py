"""What is kept of the owner: encrypted, for nobody else to read, whole or not at all."""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from keyring.errors import KeyringLocked, PasswordDeleteError

from obs_facelive.frame import Floats
from obs_facelive.home import Home
from obs_facelive.identity import key as key_module
from obs_facelive.identity.enrolment import (
    MAX_POSES,
    Enrolled,
    Enrolment,
    EnrolmentError,
    delete,
    enrolment_file,
    load,
    save,
)
from obs_facelive.identity.key import store_name


class Store(keyring.backend.KeyringBackend):
    """A key store of an operating system."""

    priority = 5

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False
        self.answers = threading.Event()
        self.answers.set()

    def _open(self) -> None:
        self.answers.wait()
        if self.locked:
            raise KeyringLocked("somebody has to unlock it")

    def get_password(self, service: str, username: str) -> str | None:
        self._open()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._open()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._open()
        if (service, username) not in self.kept:
            raise PasswordDeleteError("it is not there")
        del self.kept[service, username]


class Nowhere(Store):
    """What keyring offers where there is no key store."""

    priority = 0


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(Nowhere())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def store() -> Store:
    made = Store()
    keyring.set_keyring(made)
    return made


def somebody(seed: int = 0, count: int = 10, spread: float = 0.5) -> list[Floats]:
    """Looks at one person, alike by about .8 with that spread."""
    random = np.random.default_rng(seed)
    face = random.normal(0, 1, 128)
    looks = face / np.linalg.norm(face) + random.normal(0, spread / np.sqrt(128), (count, 128))
    return [(look / np.linalg.norm(look)).astype(np.float32) for look in looks]


def test_what_is_kept_is_what_is_found(home: Home) -> None:
    kept = save(home, Enrolment.of(somebody()))
    found = load(home)

    assert found is not None and found.place == kept.place == "file"
    np.testing.assert_array_equal(found.poses, kept.poses)
    assert found.made == kept.made
    assert found.likeness(somebody()[3]) > 0.8 and abs(found.likeness(somebody(1)[3])) < 0.4
    assert 0.5 < found.spread < 1


def test_nobody_is_none(home: Home) -> None:
    assert load(home) is None
    assert delete(home) is False


def test_the_file_is_encrypted_and_for_its_owner_only(home: Home) -> None:
    enrolment = save(home, Enrolment.of(somebody()))
    content = enrolment_file(home).read_bytes()

    assert enrolment.poses[0].tobytes()[:8] not in content
    assert len(set(content[-1000:])) > 200, "what is encrypted looks like noise"
    if sys.platform != "win32":
        for path in (enrolment_file(home), home.identity / "key"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(home.identity.stat().st_mode) == 0o700


def test_the_key_is_in_the_key_store_where_there_is_one(home: Home, store: Store) -> None:
    assert store_name()
    assert save(home, Enrolment.of(somebody())).place == "store"
    assert not (home.identity / "key").exists() and len(store.kept) == 1
    assert [path.name for path in home.identity.iterdir()] == ["owner"]
    found = load(home)
    assert found is not None and found.place == "store"

    store.kept.clear()
    with pytest.raises(EnrolmentError, match=r"gone from the key store.*'facelive enrol' again"):
        load(home)


def test_a_key_in_a_file_goes_when_there_is_a_key_store(home: Home) -> None:
    save(home, Enrolment.of(somebody()))
    assert (home.identity / "key").exists()
    keyring.set_keyring(Store())
    save(home, Enrolment.of(somebody()))
    assert not (home.identity / "key").exists() and load(home) is not None


def test_a_locked_key_store_is_an_error_in_words_and_a_file_is_the_next_best_place(home: Home, store: Store) -> None:
    save(home, Enrolment.of(somebody()))
    store.locked = True
    with pytest.raises(EnrolmentError, match="key store says no: somebody has to unlock it"):
        load(home)
    assert save(home, Enrolment.of(somebody())).place == "file" and load(home) is not None


def test_a_key_store_that_does_not_answer_is_not_waited_for(
    home: Home, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(home, Enrolment.of(somebody()))
    monkeypatch.setattr(key_module, "_PATIENCE", 0.2)
    store.answers.clear()
    try:
        with pytest.raises(EnrolmentError, match="does not answer"):
            load(home)
    finally:
        store.answers.set()


@pytest.mark.parametrize("in_store", [True, False])
def test_deleting_leaves_nothing(home: Home, in_store: bool) -> None:
    store = Store()
    if in_store:
        keyring.set_keyring(store)
    save(home, Enrolment.of(somebody()))

    assert delete(home) is True
    assert not list(home.identity.iterdir()) and not store.kept
    assert load(home) is None and delete(home) is False


def test_each_time_it_is_kept_the_key_is_a_new_one(home: Home) -> None:
    save(home, Enrolment.of(somebody()))
    before = (home.identity / "key").read_bytes(), enrolment_file(home).read_bytes()
    save(home, Enrolment.of(somebody()))
    assert before[0] != (home.identity / "key").read_bytes() and before[1] != enrolment_file(home).read_bytes()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cut short"),
        (b"FACELIVE OWNER", "cut short"),
        (b"x" * 600, "not one of FaceLive's"),
        (b"FACELIVE OWNER\x07\x00" + bytes(600), "format 7"),
        (b"FACELIVE OWNER\x01\x09" + bytes(600), "not one of FaceLive's"),
        (b"FACELIVE OWNER\x01\x00" + bytes(600), "changed, or its key"),
        (bytes(1 << 20), "is refused"),
    ],
)
def test_other_files_are_refused_in_words(home: Home, content: bytes, words: str) -> None:
    save(home, Enrolment.of(somebody()))
    enrolment_file(home).write_bytes(content)
    with pytest.raises(EnrolmentError, match=f"{words}.*Run 'facelive enrol' again"):
        load(home)


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10_000), bit=st.integers(0, 7), cut=st.booleans())
def test_a_changed_bit_or_a_cut_is_noticed(home: Home, at: int, bit: int, cut: bool) -> None:
    save(home, Enrolment.of(somebody()))
    content = bytearray(enrolment_file(home).read_bytes())
    at %= len(content)
    if cut:
        del content[at:]
    else:
        content[at] ^= 1 << bit
    enrolment_file(home).write_bytes(content)
    with pytest.raises(EnrolmentError):
        load(home)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_pipe_in_its_place_is_refused(home: Home) -> None:
    home.identity.mkdir()
    os.mkfifo(enrolment_file(home))
    with pytest.raises(EnrolmentError, match="ordinary file"):
        load(home)


def test_a_key_that_is_none_is_refused(home: Home) -> None:
    save(home, Enrolment.of(somebody()))
    (home.identity / "key").write_bytes(b"\xff not base64")
    with pytest.raises(EnrolmentError, match="is no key"):
        load(home)
    (home.identity / "key").unlink()
    with pytest.raises(EnrolmentError, match="cannot be read"):
        load(home)


def test_what_cannot_be_written_leaves_what_was_there(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("obs_facelive.identity.key.write_private", full)
    with pytest.raises(EnrolmentError, match="No space left"):
        save(home, Enrolment.of(somebody()))
    assert list(home.identity.iterdir()) == []


def test_too_few_looks_and_several_people_are_refused() -> None:
    with pytest.raises(EnrolmentError, match="3 good looks"):
        Enrolment.of(somebody(count=2))
    with pytest.raises(EnrolmentError, match="3 good looks"):
        Enrolment.of([])
    with pytest.raises(EnrolmentError, match="more than one person"):
        Enrolment.of(somebody(0) + somebody(1))


def test_a_stray_look_is_left_out_and_many_are_thinned() -> None:
    assert len(Enrolment.of([*somebody(0), *somebody(1, 1)]).poses) == 10
    assert len(Enrolment.of(somebody(count=500)).poses) == MAX_POSES


def test_a_running_engine_notices_what_changes(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Enrolled, "_EVERY", 0.0)
    monkeypatch.setattr(Enrolled, "_AGAIN", 0.0)
    enrolled = Enrolled(home)
    assert enrolled.current() is None and enrolled.problem == "not enrolled"
    save(home, Enrolment.of(somebody(0)))
    first = enrolled.current()
    assert first is not None and enrolled.current() is first and enrolled.problem == ""
    save(home, Enrolment.of(somebody(1)))
    second = enrolled.current()
    assert second is not None and second.likeness(somebody(1)[0]) > 0.8
    enrolment_file(home).write_bytes(b"broken")
    assert enrolled.current() is None and "cut short" in enrolled.problem
    save(home, Enrolment.of(somebody(2)))
    assert enrolled.current() is not None
    delete(home)
    assert enrolled.current() is None and enrolled.problem == "not enrolled"
