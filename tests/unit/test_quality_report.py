"""Figures: aims, files, what became better or worse; which frames are taken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tools.quality import report
from tools.quality.plan import Plan
from tools.quality.row import Row, compare, measure, read_csv, summaries, write_csv
from tools.quality.sheet import CELL, cell, sheet
from tools.quality.watch import LEAD, runs


def row(name: str, value: float, clip: str = "a", persona: str = "x") -> Row:
    return Row(clip, persona, name, value, 5)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("expression.landmarks", 1.9, 2.1),
        ("expression.mouth", 0.95, 0.85),
        ("identity.share", 0.95, 0.94),
        ("steadiness.ratio", 0.8, 1.3),
        ("sticking.px", 0.4, 0.6),
        ("seam.step", 1.1, 1.2),
        ("occlusion.mug.kept", 0.91, 0.5),
        ("occlusion.hand_on_chin.lost", 0.04, 0.06),
        ("light.side.slope", 1.2, 1.4),
        ("light.side.slope", 0.8, 0.6),
        ("yaw.45-60.landmarks", 1.5, 2.5),
    ],
)
def test_aims(name: str, good: float, bad: float) -> None:
    assert measure(name).meets(good) is True
    assert measure(name).meets(bad) is False


def test_what_has_no_aim_meets_nothing() -> None:
    assert measure("speed.fps").meets(1.0) is None
    with pytest.raises(KeyError):
        measure("beauty")


def test_rows_outlive_their_file(tmp_path: Path) -> None:
    rows = [row("seam.step", 1.0625), row("light.dim.slope", 0.5, "b", "y")]
    write_csv(rows, tmp_path / "quality.csv")
    assert read_csv(tmp_path) == read_csv(tmp_path / "quality.csv") == rows
    assert [file.name for file in tmp_path.iterdir()] == ["quality.csv"]


def test_another_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.csv"
    file.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"other\.csv"):
        read_csv(file)


def test_better_and_worse_by_what_the_measure_wants() -> None:
    before = [row("seam.step", 1.5), row("expression.mouth", 0.5), row("light.dim.slope", 1.4), row("live", 1.0)]
    after = [row("seam.step", 1.2), row("expression.mouth", 0.4), row("light.dim.slope", 0.8), row("live", 1.0)]
    changes = {c.measure: (c.better, c.worse, c.count) for c in compare(before, after)}
    assert changes == {
        "seam.step": (1, 0, 1),
        "expression.mouth": (0, 1, 1),
        "light.dim.slope": (1, 0, 1),
        "live": (0, 0, 1),
    }
    marks = {line[0]: line[4] for line in report.change_table(compare(before, after))}
    assert marks == {"seam.step": "better", "expression.mouth": "worse", "light.dim.slope": "better", "live": "same"}


def test_only_what_both_runs_have_is_compared() -> None:
    assert compare([row("seam.step", 1, "a")], [row("seam.step", 1, "b")]) == []


def test_a_summary_names_the_worst() -> None:
    rows = [row("expression.mouth", v, persona=p) for v, p in ((0.95, "x"), (0.2, "y"), (0.92, "z"))]
    (line,) = summaries(rows)
    assert (line.median, line.worst.persona, line.count) == (0.92, "y", 3)
    assert line.meet == pytest.approx(2 / 3)


def test_the_report_escapes_names_and_shows_what_changed(tmp_path: Path) -> None:
    rows = [row("identity.share", 0.5, clip="<b>")]
    report.write(
        tmp_path / "r.html", "T & t", rows, compare([row("identity.share", 1.0, clip="<b>")], rows), [("s", "s.jpg")]
    )
    page = (tmp_path / "r.html").read_text()
    assert "T &amp; t" in page
    assert "<b>" not in page
    assert "worse" in page
    assert 'src="s.jpg"' in page
    assert "0 of 1 pairs" in page


def test_runs_lie_evenly_and_inside() -> None:
    chosen = runs(300, 3, 24)
    assert [len(run) for run in chosen] == [LEAD + 24] * 3
    assert chosen[0].start == 0
    assert chosen[-1].stop == 300
    assert runs(90, 3, 24) == [range(90)]


def test_every_persona_has_a_turn_in_long_runs() -> None:
    personas = list("abcdefgh")
    plan = Plan([str(k) for k in range(8)], personas)
    chosen = [plan.chosen(k) for k in range(8)]
    assert all(len(set(pair)) == 2 for pair in chosen)
    assert {name for pair in chosen for name in pair} == set(personas)
    assert Plan(["0"], ["a"], thorough=2).chosen(5) == ["a"]


def test_cells_keep_their_shape_and_sheets_their_order() -> None:
    picture = np.full((100, 200, 4), 255, np.uint8)
    square = cell(picture, (slice(0, 50), slice(0, 100)))
    assert square.shape == (CELL, CELL, 3)
    assert (square[CELL // 2] == 255).all()
    assert (square[0] == 0).all()
    made = sheet([[square, square // 2], [square, square]], ["one", "two"], ["a", "b\nc"])
    assert made.shape[0] > 2 * CELL
    assert made.shape[1] > 2 * CELL
