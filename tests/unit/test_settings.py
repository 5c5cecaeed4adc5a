"""Settings out of whatever JSON anybody wrote."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_facelive.fields import fields, read
from obs_facelive.settings import Settings


def test_every_field_is_described_and_its_default_is_allowed() -> None:
    for field in fields():
        assert field.title and field.help and field.group
        if field.kind == "int":
            assert field.low <= int(field.default) <= field.high and field.low < field.high
        if field.kind == "choice":
            assert field.default in field.choices and all(field.choices.values())


def test_nothing_said_means_the_defaults() -> None:
    assert read("{}") == (Settings(), [])


def test_good_values_are_taken_as_they_are() -> None:
    wanted = {"opacity": 20, "face": "all", "privacy": False, "persona": "anna"}
    settings, problems = read(json.dumps({**wanted, "unknown": 1}))
    assert {k: getattr(settings, k) for k in wanted} == wanted and not problems


@pytest.mark.parametrize(
    "raw, name, used",
    [
        ({"opacity": 300}, "opacity", 100),
        ({"opacity": -1}, "opacity", 0),
        ({"opacity": 49.6}, "opacity", 50),
        ({"opacity": "50"}, "opacity", 100),
        ({"opacity": True}, "opacity", 100),
        ({"face": "biggest"}, "face", "largest"),
        ({"privacy": 0}, "privacy", True),
        ({"persona": 5}, "persona", ""),
        ({"face": ["all"]}, "face", "largest"),
    ],
)
def test_bad_values_are_mended_and_said(raw: dict[str, object], name: str, used: object) -> None:
    settings, problems = read(json.dumps(raw))
    assert getattr(settings, name) == used
    assert problems and name in problems[0]


@pytest.mark.parametrize("text", [b"", b"nonsense", b"[]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_no_json_means_the_defaults_and_is_said(text: bytes) -> None:
    settings, problems = read(text)
    assert settings == Settings() and len(problems) == 1


def test_what_is_said_about_a_bad_value_is_short() -> None:
    _, problems = read(json.dumps({"persona": ["x" * 60_000], "face": "y" * 60_000}))
    assert len(problems) == 2 and max(map(len, problems)) < 200


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(text: bytes) -> None:
    settings, problems = read(text)
    assert isinstance(settings, Settings) and all(isinstance(problem, str) for problem in problems)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda c: st.lists(c) | st.dictionaries(st.text(), c),
)


@given(st.dictionaries(st.sampled_from([f.name for f in fields()]), json_values))
def test_whatever_it_is_the_result_is_valid(raw: dict[str, object]) -> None:
    settings, _ = read(json.dumps(raw))
    assert msgspec.convert(msgspec.to_builtins(settings), Settings) == settings
