"""Writes ``docs/states.md`` by asking the state machine itself, over all of its inputs: ``python -m tools.states_doc``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from obs_facelive.link.layout import FAILED, LOADING, NO_CONSENT, NO_FACE, REMOVED, SWAPPED, TURNED, WITHDRAWN
from obs_facelive.states import (
    AWAY_NS,
    CAMERA,
    CAUSES,
    COVER,
    ENGINE_ABSENT,
    ENGINE_RUNNING,
    ENGINE_STARTING,
    FRESH_NS,
    HOLD,
    REASONS,
    STATE_NAMES,
    Situation,
    decide,
)

FILE = Path(__file__).parents[1] / "docs" / "states.md"
HOLD_NS = Situation().hold_ns

Change: TypeAlias = dict[str, int]
Axis: TypeAlias = dict[str, Change]
"""An input of the state machine: each of its values in words, and what `Situation` has to say for it."""

SWITCHES: dict[str, Axis] = {
    "swap": {"off": {"swap": 0}, "on": {"swap": 1}},
    "privacy": {"off": {"privacy": 0}, "on": {"privacy": 1}},
}
PICTURE: dict[str, Axis] = {
    "finished picture": {
        "none": {"has_picture": 0},
        "bare, no face in it": {"has_picture": 1, "picture_is_raw": 1},
        "swapped": {"has_picture": 1, "picture_is_raw": 0},
    },
    "its age": {
        f"< {FRESH_NS / 1e9:g} s": {"picture_age_ns": FRESH_NS - 1},
        "< hold limit": {"picture_age_ns": FRESH_NS},
        "older": {"picture_age_ns": HOLD_NS},
    },
    "newest result": {
        "none": {"last_status": 0},
        "loading": {"last_status": LOADING},
        "swapped": {"last_status": SWAPPED},
        "failed": {"last_status": FAILED},
        "no face": {"last_status": NO_FACE},
        "turned": {"last_status": TURNED},
        "withdrawn": {"last_status": WITHDRAWN},
        "no consent": {"last_status": NO_CONSENT},
        "removed": {"last_status": REMOVED},
    },
    "when no face": {
        "hold": {"no_face_choice": HOLD},
        "cover": {"no_face_choice": COVER},
        "camera": {"no_face_choice": CAMERA},
    },
}
WORLD: dict[str, Axis] = {
    "script": {"missing": {"supervised": 0}, "there": {"supervised": 1}},
    "engine": {
        "absent": {"engine": ENGINE_ABSENT},
        "starting": {"engine": ENGINE_STARTING},
        "running": {"engine": ENGINE_RUNNING},
    },
}

HEAD = f"""# What is seen, and when

Made from `obs_facelive/states.py` by `python -m tools.states_doc`: the tables are answers of the state machine itself.

| state | picture |
|---|---|
| live | the camera's frame with the persona on it |
| hold | the last such picture |
| cover | the camera, blurred so strongly that nobody is recognised, with a line that says why |
| bypass | the bare camera |

A picture is live while the result that it belongs to came less than {FRESH_NS / 1e9:g} s ago; then it is held, up to the
hold limit (setting "Hold for at most", {HOLD_NS / 1e9:g} s unless you change it). What was not drawn for {AWAY_NS / 1e9:g} s
forgets its pictures.
"""


def rules(axes: Mapping[str, Axis], ask: Callable[[Situation], str]) -> list[tuple[list[str], str]]:
    """What ``ask`` answers over all combinations of ``axes``, as few rows of a table: each axis's values, and the answer.

    Values of an axis that make no difference from there on share a row; "any" is all of them.
    """

    def below(rest: Sequence[Axis], given: Change) -> list[tuple[list[str], str]]:
        if not rest:
            return [([], ask(Situation(**given)))]
        groups: list[tuple[list[str], list[tuple[list[str], str]]]] = []
        for words, change in rest[0].items():
            rows = below(rest[1:], given | change)
            same = next((names for names, known in groups if known == rows), None)
            if same is None:
                groups.append(([words], rows))
            else:
                same.append(words)
        return [
            (["any" if len(names) == len(rest[0]) else ", ".join(names), *values], answer)
            for names, rows in groups
            for values, answer in rows
        ]

    return below(list(axes.values()), {})


def shown(situation: Situation) -> tuple[str, str]:
    """What is seen as the picture gets older, in words, and the words that are shown with it."""
    steps: list[str] = []
    words: list[str] = []
    last = ""
    for age, since in ((0, ""), (FRESH_NS, f"from {FRESH_NS / 1e9:g} s: "), (HOLD_NS, "from the hold limit: ")):
        state, reason = decide(*situation._replace(picture_age_ns=age))
        if STATE_NAMES[state] != last:
            last = STATE_NAMES[state]
            steps.append(since + last)
        if REASONS[reason] and REASONS[reason] not in words:
            words.append(REASONS[reason])
    return ", ".join(steps), ", ".join(words)


def text() -> str:
    """The whole page."""
    page = [
        HEAD,
        "\n## Causes\n",
        _row("what happens", "what the state machine hears of it", "what is seen", "words"),
        _row(*["---"] * 4),
    ]
    page += [_row(cause.name, cause.seen_as, *shown(cause.situation)) for cause in CAUSES]
    page += ["\n## Which picture\n", *_table(SWITCHES | PICTURE, lambda s: STATE_NAMES[decide(*s)[0]], "state")]
    page += ["\nWhether the script is there, and what the engine does, changes the words only, never the picture.\n"]
    page += ["\n## Which words\n", *_table(WORLD | {"newest result": PICTURE["newest result"]}, _words, "words")]
    return "".join(page)


def _words(situation: Situation) -> str:
    return REASONS[decide(*situation._replace(has_picture=0))[1]]


def _table(axes: Mapping[str, Axis], ask: Callable[[Situation], str], answer: str) -> list[str]:
    head = [*axes, answer]
    return ["\n", _row(*head), _row(*["---"] * len(head)), *(_row(*values, word) for values, word in rules(axes, ask))]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
