"""What the commands say, and how they end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from obs_facelive.finding import Finding

FAILURE: Final = 1
MISUSE: Final = 2


def end(text: str, code: int = FAILURE) -> NoReturn:
    """Says what went wrong, and ends the command with the exit status ``code``."""
    Console(stderr=True, soft_wrap=True).print(f"[red]error:[/] {escape(text)}", highlight=False)
    raise typer.Exit(code)


def say(text: str) -> None:
    """One line on standard output; ``text`` may have rich's markup."""
    Console(soft_wrap=True).print(text, highlight=False)


def show_findings(findings: Sequence[Finding], as_json: bool) -> None:
    """A table, or one line of JSON; ends the command with `FAILURE` where one of them is bad."""
    if as_json:
        print(json.dumps([msgspec.structs.asdict(finding) for finding in findings]))
    else:
        table = Table("", "", "found", "what to do", show_edge=False, box=None)
        colours = {"ok": "green", "warn": "yellow", "bad": "red"}
        for finding in findings:
            mark = f"[{colours[finding.status]}]{finding.status}[/]"
            table.add_row(mark, escape(finding.name), escape(finding.found), escape(finding.remedy))
        Console().print(table)
    if any(finding.status == "bad" for finding in findings):
        raise typer.Exit(FAILURE)
