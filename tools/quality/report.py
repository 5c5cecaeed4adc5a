"""The report for people: a table of all measures, what changed, the contact sheets."""

from __future__ import annotations

import html
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from tools.quality.row import Change, Measure, Row, measure, summaries

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 90rem; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; margin: 1rem 0 }
td, th { padding: .2rem .7rem; border-bottom: 1px solid #ddd; text-align: left }
td.n { text-align: right; font-variant-numeric: tabular-nums }
.good { color: #16722b } .bad { color: #b3261e; font-weight: 600 }
img { max-width: 100%; display: block; margin: .5rem 0 1.5rem }
"""


def aim_of(what: Measure) -> str:
    """The aim in words; empty without one."""
    if what.aim is None:
        return ""
    return {"lower": f"<= {what.aim:g}", "higher": f">= {what.aim:g}", "one": f"1 +- {what.aim:g}"}[what.better]


def summary_table(rows: Sequence[Row]) -> list[list[str]]:
    """A line a measure: name, what it is, median, aim, share that meets it, how many, the worst."""
    lines = []
    for line in summaries(rows):
        what, worst = measure(line.measure), line.worst
        meet = "" if line.meet is None else f"{line.meet:.0%}"
        where = f"{worst.value:.3g} ({worst.clip}, {worst.persona})"
        lines.append([line.measure, what.title, f"{line.median:.3g}", aim_of(what), meet, str(line.count), where])
    return lines


def change_table(changes: Sequence[Change]) -> list[list[str]]:
    """A line a measure: name, median before, after, the mark, how many became better, worse, of how many."""
    lines = []
    for c in changes:
        what = measure(c.measure)
        step = what.badness(c.before) - what.badness(c.after)
        slack = 0.02 * max(abs(c.before), 0.05)
        mark = "better" if step > slack else "worse" if -step > slack else "same"
        counts = [str(c.better), str(c.worse), str(c.count)]
        lines.append([c.measure, f"{c.before:.3g}", f"{c.after:.3g}", aim_of(what), mark, *counts])
    return lines


def notes(rows: Sequence[Row]) -> list[str]:
    """What a reader must know to read the figures."""
    shares = [row for row in rows if row.measure == "identity.share"]
    good = sum(row.value >= 0.95 for row in shares)
    said = [
        "Synthetic clips and the demo's camera show P010 of openpeople; the persona leila is P004, a near twin of hers: the "
        "recogniser can hardly tell them apart. Those pairs are counted like all others.",
        "steadiness.ratio is below 1 on clips with strong sensor noise (dim): the persona's texture has none.",
    ]
    if shares:
        part = good / len(shares)
        first = f"Identity: {good} of {len(shares)} pairs of clip and persona ({part:.0%}; aim 90%) reach 95% of their frames."
        bad = ", ".join(f"{row.clip} x {row.persona} ({row.value:.0%})" for row in shares if row.value < 0.95)
        said.insert(0, first + (f" Not: {bad}." if bad else ""))
    return said


def write(
    file: Path, title: str, rows: Sequence[Row], changes: Sequence[Change] | None, sheets: Iterable[tuple[str, str]]
) -> None:
    """Writes the HTML, replacing ``file`` in one step; ``sheets``: titles and names of JPEG files beside it."""
    parts = [f"<h1>{html.escape(title)}</h1>"]
    parts += [f"<p>{html.escape(note)}</p>" for note in notes(rows)]
    if changes is not None:
        parts.append("<h2>Before and after</h2>")
        parts.append(_table("measure|before|after|aim|mark|better|worse|of".split("|"), change_table(changes)))
    parts.append("<h2>All measures</h2>")
    parts.append(_table("measure|what|median|aim|meet it|pairs|worst".split("|"), summary_table(rows)))
    for name, picture in sheets:
        shown = html.escape(picture, quote=True)
        parts.append(f'<h2>{html.escape(name)}</h2><a href="{shown}"><img src="{shown}" loading="lazy" alt=""></a>')
    page = f"<!doctype html><meta charset=utf-8><title>{html.escape(title)}</title><style>{_STYLE}</style>"
    fresh = file.with_name(f".{os.getpid()}-{file.name}")
    fresh.write_text(page + "\n".join(parts) + "\n")
    fresh.replace(file)


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = ["<tr>" + "".join(f"<th>{html.escape(v)}</th>" for v in head) + "</tr>"]
    for line in lines:
        rows.append("<tr>" + "".join(_cell(v) for v in line) + "</tr>")
    return "<table>" + "\n".join(rows) + "</table>"


def _cell(value: str) -> str:
    kind = {"better": "good", "worse": "bad", "0%": "bad", "100%": "good"}.get(value, "")
    if not kind and value[:1].isdigit():
        kind = "n"
    return f'<td class="{kind}">{html.escape(value)}</td>' if kind else f"<td>{html.escape(value)}</td>"
