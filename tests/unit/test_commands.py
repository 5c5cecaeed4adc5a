"""The control channel: what is a command is one wholly, everything else is nothing."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_facelive.link.commands import LINE_BYTES, Add, Close, Get, Open, Permit, Remember, Withdraw, lines, read
from obs_facelive.link.layout import MAX_CAPACITY, MAX_PATCH_CAPACITY

NAME = "fl-1234-" + "aZ0_-" * 4 + "ab"
GOOD: dict[str, Any] = {"open": NAME, "capacity": 4096, "patch_capacity": 8192}


def test_commands_are_read() -> None:
    assert read(json.dumps(GOOD).encode()) == Open(NAME, 4096, 8192)
    assert read(json.dumps({"close": NAME}).encode() + b"\n") == Close(NAME)
    assert read(json.dumps({"add": NAME}).encode()) == Add(NAME)
    assert read(json.dumps({"get": NAME}).encode()) == Get(NAME)
    assert read(json.dumps({"permit": NAME}).encode()) == Permit(NAME)
    assert read(json.dumps({"withdraw": NAME}).encode()) == Withdraw(NAME)
    assert read(json.dumps({**GOOD, "capacity": MAX_CAPACITY, "patch_capacity": MAX_PATCH_CAPACITY}).encode())


@pytest.mark.parametrize(
    "name", ["", "fl-", "x", NAME + "a", NAME[:-1], "/" + NAME, "../" + NAME, NAME + "\n", NAME + "\0", 7, None, [NAME]]
)
def test_only_blocks_have_names(name: object) -> None:
    kinds = ("close", "remember", "add", "get", "permit", "withdraw")
    for command in ({**GOOD, "open": name}, *({kind: name} for kind in kinds)):
        with pytest.raises(ValueError, match="neither open"):
            read(json.dumps(command).encode())


@pytest.mark.parametrize("field, limit", [("capacity", MAX_CAPACITY), ("patch_capacity", MAX_PATCH_CAPACITY)])
@pytest.mark.parametrize("value", [0, -8, 7, 12, None, "4096", [], {}, True, 4096.5, 1e300, "above"])
def test_only_possible_sizes_are_sizes(field: str, limit: int, value: object) -> None:
    with pytest.raises(ValueError, match="neither open"):
        read(json.dumps({**GOOD, field: limit + 8 if value == "above" else value}).encode())


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"open": ' * 50_000,
        b'{"open": 1' + b"0" * 10_000 + b"}",
        b'{"open": "\\ud800"}',
        b"{}",
        json.dumps({**GOOD, "more": 1}).encode(),
        json.dumps({**GOOD, "close": NAME}).encode(),
    ],
)
def test_anything_else_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="neither open"):
        read(line)


@given(
    st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda c: st.lists(c) | st.dictionaries(st.sampled_from([*GOOD, "close"]), c),
    ).map(lambda v: json.dumps(v).encode())
)
def test_no_line_does_any_harm(line: bytes) -> None:
    with pytest.raises(ValueError, match="neither open"):
        read(line)


def test_lines_come_one_by_one_and_none_is_too_long() -> None:
    long = b"x" * (LINE_BYTES - 1) + b"\n"
    stream = io.BytesIO(b"a\n" + long + b"y" * (5 * LINE_BYTES) + b"\n" + b"z" * LINE_BYTES + b"\nb\nnot ended")
    assert list(lines(stream)) == [b"a\n", long, b"", b"", b"b\n"]


def test_a_face_to_be_remembered_is_one_in_a_block() -> None:
    assert read(json.dumps({"remember": NAME}).encode()) == Remember(NAME)
    for name in ("", "fl-", 7, None):
        with pytest.raises(ValueError, match="nor remember"):
            read(json.dumps({"remember": name}).encode())
    with pytest.raises(ValueError, match="nor remember"):
        read(json.dumps({"remember": NAME, "open": NAME}).encode())
