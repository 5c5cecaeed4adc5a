"""What the commands say, and how they end."""

from __future__ import annotations

from typing import Final, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

FAILURE: Final = 1
MISUSE: Final = 2


def end(text: str, code: int = FAILURE) -> NoReturn:
    """Says what went wrong, and ends the command with the exit status ``code``."""
    Console(stderr=True, soft_wrap=True).print(f"[red]error:[/] {escape(text)}", highlight=False)
    raise typer.Exit(code)


def say(text: str) -> None:
    """One line on standard output; ``text`` may have rich's markup."""
    Console(soft_wrap=True).print(text, highlight=False)
