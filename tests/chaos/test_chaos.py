"""A minute of chaos around a real OBS: nobody's bare face is recorded, everything is got over, nothing is left behind.

The long form is ``python -m tools.chaos``, with every fault and ten minutes.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from obs_facelive.home import Home
from tools.chaos import report
from tools.chaos.run import Outcome, run
from tools.chaos.schedule import schedule
from tools.recogniser import recogniser_file
from tools.wheels import UnavailableError

pytestmark = pytest.mark.chaos

FAULTS = [
    "engine killed",
    "engine hangs",
    "engine starved",
    "out of memory",
    "log full",
    "model broken",
    "persona gone",
    "camera resized",
    "filters shuffled",
    "filter's eye",
    "scenes switched",
    "collection switched",
    "settings spammed",
    "script reloaded",
    "cores burned",
]
EVERY = 10


@pytest.fixture(scope="module")
def outcome(home: Home, camera_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    try:
        recogniser_file(home)
    except UnavailableError as problem:
        pytest.skip(str(problem))
    planned = islice(schedule(1, FAULTS, short=True), len(FAULTS))
    folder = tmp_path_factory.mktemp("chaos")
    return run(home, camera_clip, folder, planned, 300, fps=20, greed=1 << 28, say=print)


def test_nobody_is_bared_and_everything_is_got_over(home: Home, outcome: Outcome, tmp_path: Path) -> None:
    judged = report.judge(home, outcome, EVERY)
    report.write(tmp_path, outcome, judged, "Short form")
    print((tmp_path / "report.md").read_text())

    assert [each.name for each in outcome.struck] and len(outcome.struck) == len(FAULTS)
    assert [fault for fault in report.wrong(outcome, judged) if "p95" not in fault] == []  # no times on a busy machine
    kinds = judged.figures["kinds"]
    assert kinds["live"] > 100 and kinds["covered"] > 10


def test_a_bare_recording_is_found_out(home: Home, outcome: Outcome) -> None:
    bare = replace(outcome, recording=outcome.control[0][1])

    judged = report.judge(home, bare, EVERY)

    assert len(judged.bare) == len([seen for seen in judged.seen if seen.code is not None]) > 10
    assert any("show the bare face" in fault for fault in report.wrong(bare, judged))
