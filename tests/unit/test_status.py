"""What the engine says of itself: shown in OBS's panel and log, so it is checked, and harmless whatever it is."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs_facelive.link import layout as at
from obs_facelive.link.atomic import write_word
from obs_facelive.link.memory import SharedMemory
from obs_facelive.obs import rows as r
from obs_facelive.obs.lately import Lately
from obs_facelive.obs.status import Report, engine_report, in_words, read_report, status

GOOD: dict[str, Any] = {
    "fps": 29.9,
    "swap_fps": 15,
    "stages_ms": {"detect": 3.5},
    "provider": "CPU",
    "persona": "amina",
    "rung": "full",
    "rung_why": "",
    "error": "",
    "enrolment": "",
}


def test_a_report_is_read() -> None:
    assert read_report(json.dumps({**GOOD, "later": [1]}).encode()) == Report(**GOOD)
    assert read_report(b"{}") == Report()


@pytest.mark.parametrize("field", ["fps", "swap_fps"])
@pytest.mark.parametrize("value", ["30", None, True, [], {}, -1, 1e7, 10**400, "NaN"])
def test_a_number_is_a_number(field: str, value: object) -> None:
    text = json.dumps({**GOOD, field: value}).replace('"NaN"', "NaN")
    assert read_report(text.encode()) == Report()


@pytest.mark.parametrize("field", ["provider", "persona", "rung", "rung_why", "error", "enrolment"])
@pytest.mark.parametrize("value", [7, None, ["x"], {"a": 1}, "x" * 2001])
def test_words_are_words(field: str, value: object) -> None:
    assert read_report(json.dumps({**GOOD, field: value}).encode()) == Report()


@pytest.mark.parametrize("value", [[1], {"detect": "fast"}, {"detect": -1}, {str(n): 1 for n in range(65)}])
def test_times_are_numbers_by_stage(value: object) -> None:
    assert read_report(json.dumps({**GOOD, "stages_ms": value}).encode()) == Report()


def test_nothing_in_it_is_markup_or_more_than_one_line() -> None:
    evil = '<img src="file:///etc/passwd">\n12:00:00: [FaceLive] all is well\0\x1b[2J\u202e\u2028'
    report = read_report(json.dumps({**GOOD, "error": evil, "stages_ms": {evil: 1.0}}).encode())
    for words in (report.error, *report.stages_ms):
        assert words.isprintable() and "<" not in words and ">" not in words
    assert report.error.startswith("‹img src")


texts = st.binary() | st.builds(
    lambda values: json.dumps(values).encode(),
    st.fixed_dictionaries(
        {},
        optional={
            name: st.none()
            | st.booleans()
            | st.integers()
            | st.floats()
            | st.text()
            | st.dictionaries(st.text(), st.floats())
            for name in GOOD
        },
    ),
)


@given(texts, st.sampled_from(range(5)))
def test_the_panel_has_a_line_whatever_the_engine_says(text: bytes, state: int) -> None:
    memory = SharedMemory.create(at.block_bytes(4096, 4096))
    try:
        text = text[: at.TEXT_BYTES - 1]
        memory.buffer[at.STATUS_TEXT : at.STATUS_TEXT + len(text)] = text
        write_word(memory.address + 8 * at.STATUS_SEQ, 2)
        for word in (at.APPLIED_SEQ, at.SETTINGS_SEQ):
            write_word(memory.address + 8 * word, 2**63 - 1)
        row = np.zeros(r.ROW_WORDS, np.int64)
        row[r.STATE] = state
        now = status(row, memory, False, Lately(), ("FaceLive", "camera"), "")
        json.loads(json.dumps(now, allow_nan=False))
        line = in_words({"late_ms": 0.0, **now}, "")
        assert line and line.isprintable() and len(line) < 1500
        line.encode()
    finally:
        memory.close()


def test_a_torn_report_is_none() -> None:
    memory = SharedMemory.create(at.block_bytes(4096, 4096))
    content = json.dumps(GOOD).encode()
    memory.buffer[at.STATUS_TEXT : at.STATUS_TEXT + len(content)] = content
    for seq, expected in ((0, Report()), (2, Report(**GOOD)), (3, Report()), (-1, Report()), (2**62, Report(**GOOD))):
        write_word(memory.address + 8 * at.STATUS_SEQ, seq)
        assert engine_report(memory) == expected
    memory.close()


def test_a_text_without_an_end_is_read_up_to_its_room() -> None:
    memory = SharedMemory.create(at.block_bytes(4096, 4096))
    memory.buffer[at.STATUS_TEXT : at.STATUS_TEXT + at.TEXT_BYTES + 50] = b" " * (at.TEXT_BYTES + 50)
    write_word(memory.address + 8 * at.STATUS_SEQ, 2)
    assert engine_report(memory) == Report()
    memory.close()


def test_what_a_frame_costs_is_told_by_the_last_seconds() -> None:
    lately, row = Lately(), np.zeros(r.ROW_WORDS, np.int64)
    assert lately.a_frame() == (0.0, 0.0)
    lately.sample(row)
    assert lately.a_frame() == (0.0, 0.0)
    for views in (1, 4):
        for _ in range(70):
            row[r.TICKS] += 2
            row[r.RENDERS] += 2 * views
            row[r.CAPTURES] += 2
            lately.sample(row)
        assert lately.a_frame() == (views, 1.0)
