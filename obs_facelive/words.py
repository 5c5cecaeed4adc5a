"""Words from somewhere that is not trusted, made fit for a panel, a log and a file. Standard library only."""

from __future__ import annotations


def plain(text: str, limit: int) -> str:
    """``text`` as one line of at most ``limit`` characters, with nothing in it that is markup for OBS's panels.

    What cannot be printed is a space: line ends, control characters, lone surrogates, marks that turn the writing's direction.
    """
    marks = {"<": "‹", ">": "›"}
    line = "".join(marks.get(c, c if c.isprintable() else " ") for c in text[: limit + 1])
    return line if len(line) <= limit else line[: limit - 1] + "…"
