"""Fetching portraits from a server on this machine that has the same paths as their CDN."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from obs_facelive.download import TRIES
from obs_facelive.personas.fetch import BASE, COMMIT, MAX_PORTRAIT, FetchError, Pin, fetch_portraits, read_pins
from tests.unit.portrait_server import Portraits, served

PATHS = [f"{sex}/512/{number}.jpg" for number in range(3) for sex in ("female", "male")]


@pytest.fixture
def server() -> Iterator[Portraits]:
    random = np.random.default_rng(3)
    with served({path: random.bytes(100_000 + 7 * i) for i, path in enumerate(PATHS)}) as portraits:
        yield portraits


def pins(server: Portraits) -> list[Pin]:
    return [Pin(path, hashlib.sha256(content).hexdigest()) for path, content in server.files.items()]


def test_two_hundred_portraits_are_pinned() -> None:
    known = read_pins()
    assert len(known) == len({pin.path for pin in known}) == len({pin.sha256 for pin in known}) == 200
    assert {pin.path for pin in known} == {f"{s}/512/{n}.jpg" for s in ("female", "male") for n in range(100)}
    assert all(len(pin.sha256) == 64 and int(pin.sha256, 16) for pin in known)
    assert [pin.path for pin in known[:2]] == ["female/512/0.jpg", "male/512/0.jpg"], "few of them are of both"
    assert BASE.startswith("https://") and BASE.endswith(COMMIT)


def test_all_come_and_come_once(server: Portraits, tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    found = fetch_portraits(tmp_path, pins(server), lambda *step: told.append(step), server.base)
    assert {path: file.read_bytes() for path, file in found.items()} == server.files
    assert told[0] == (0, 6, PATHS[0]) and told[-1][:2] == (6, 6)
    asked = len(server.asked)
    fetch_portraits(tmp_path, pins(server), base=server.base)
    assert len(server.asked) == asked == 6, "what is there is not asked for again"
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("ranges", [True, False])
def test_what_is_broken_off_is_gone_on_with(server: Portraits, tmp_path: Path, ranges: bool) -> None:
    server.ranges, server.break_after = ranges, 15_000
    with pytest.raises(FetchError, match="goes on where it stopped"):
        fetch_portraits(tmp_path, pins(server), base=server.base, pause=0)
    part = tmp_path / f"{PATHS[0]}.part"
    assert part.stat().st_size == 15_000 * (TRIES if ranges else 1)
    assert not (tmp_path / PATHS[0]).exists(), "half a picture has not its name"
    server.break_after, server.sent = None, 0
    found = fetch_portraits(tmp_path, pins(server), base=server.base)
    assert {path: file.read_bytes() for path, file in found.items()} == server.files
    everything = sum(map(len, server.files.values()))
    assert server.sent == everything - (15_000 * TRIES if ranges else 0)


def test_a_part_of_something_else_is_begun_anew(server: Portraits, tmp_path: Path) -> None:
    for path, length in ((PATHS[0], 50), (PATHS[1], 200_000)):
        part = tmp_path / f"{path}.part"
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(bytes(length))
    found = fetch_portraits(tmp_path, pins(server), base=server.base, pause=0)
    assert {path: file.read_bytes() for path, file in found.items()} == server.files


def test_another_picture_than_the_pinned_one_is_refused(server: Portraits, tmp_path: Path) -> None:
    wanted = pins(server)
    server.files[PATHS[1]] = b"\xff\xd8 another"
    with pytest.raises(FetchError, match="not the picture that was pinned"):
        fetch_portraits(tmp_path, wanted, base=server.base, pause=0)
    assert not (tmp_path / PATHS[1]).exists() and not list(tmp_path.rglob("*.part"))


def test_a_file_that_was_changed_here_is_fetched_again(server: Portraits, tmp_path: Path) -> None:
    found = fetch_portraits(tmp_path, pins(server), base=server.base)
    found[PATHS[0]].write_bytes(b"changed")
    assert fetch_portraits(tmp_path, pins(server), base=server.base)[PATHS[0]].read_bytes() == server.files[PATHS[0]]


def test_a_picture_without_end_is_refused(server: Portraits, tmp_path: Path) -> None:
    wanted = pins(server)
    server.files[PATHS[0]] = bytes(MAX_PORTRAIT + 100_000)
    with pytest.raises(FetchError, match="larger than any"):
        fetch_portraits(tmp_path, wanted, base=server.base, pause=0)
    assert not list(tmp_path.rglob("*.part"))


def test_what_the_server_says_is_told(server: Portraits, tmp_path: Path) -> None:
    server.status = 404
    with pytest.raises(FetchError, match="404"):
        fetch_portraits(tmp_path, pins(server), base=server.base, pause=0)
    assert len(server.asked) == 1, "what is not there does not come by asking again"
    server.status = 503
    with pytest.raises(FetchError, match="503"):
        fetch_portraits(tmp_path, pins(server), base=server.base, pause=0)
    assert len(server.asked) == 1 + TRIES


def test_without_a_connection_it_says_what_to_do(tmp_path: Path) -> None:
    with served({}) as gone:
        base = gone.base
    with pytest.raises(FetchError, match="online"):
        fetch_portraits(tmp_path, read_pins()[:1], base=base, pause=0)
    with pytest.raises(FetchError, match="no address"):
        fetch_portraits(tmp_path, read_pins()[:1], base="file:///etc")
