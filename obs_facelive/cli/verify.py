"""``facelive verify``: does a picture, a video or a stream carry the invisible mark?"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from obs_facelive.home import Home

if TYPE_CHECKING:
    from obs_facelive.provenance.verify import Found

UNMARKED, UNREADABLE = 1, 2


def verify(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|URL", help="An image, a video, or a file:, http: or rtmp: address of this machine."
        ),
    ],
    seconds: Annotated[float, typer.Option(min=1, help="For how long a stream is looked at.")] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """See whether a face in a picture, a video or a stream was swapped by FaceLive.

    Ends with 0 if it carries the invisible mark, with 1 if none was found, with 2 if it cannot be looked at. None found is
    no proof that nothing was swapped.
    """
    # These are slow to import; the other commands do without them.
    from obs_facelive.catalog import ModelError
    from obs_facelive.provenance.sources import SourceError, pictures
    from obs_facelive.provenance.verify import Verifier

    try:
        found = Verifier(Home.find().models)(pictures(source, seconds))
    except (SourceError, ModelError) as error:
        if as_json:
            print(json.dumps({"error": str(error)}))
        else:
            Console(stderr=True, soft_wrap=True).print(f"[red]error:[/] {escape(str(error))}", highlight=False)
        raise typer.Exit(UNREADABLE) from error
    if as_json:
        word = None if found.word is None else f"{found.word:08x}"
        report = asdict(found) | {
            "is_marked": found.is_marked,
            "confidence": found.confidence,
            "bits_right": found.bits_right,
        }
        print(json.dumps(report | {"word": word}))
    else:
        Console(soft_wrap=True).print(_words(source, found), highlight=False)
    if not found.is_marked:
        raise typer.Exit(UNMARKED)


def _words(source: str, found: Found) -> str:
    """The answer, for people."""
    name = escape(source)
    if not found.with_face:
        return f"[yellow]no[/]: no face was found in {name}, and the mark is around faces ({found.pictures} pictures)"
    looked = f"{found.pictures} pictures looked at, {found.with_face} with a face, {found.marked} marked"
    if not found.is_marked:
        return f"[yellow]no[/]: {name} carries no mark of FaceLive that can be read ({looked}; score {found.score:.1f})"
    bits = f"{found.bits_right} of 32 bits right"
    mirrored = "; mirrored" if found.mirrored else ""
    lines = [
        f"[green]yes[/]: {name} carries the mark of FaceLive: a face in it was swapped",
        f"  confidence {_percent(found.chance)} (score {found.score:.1f}; {bits}{mirrored})",
        f"  {looked}",
    ]
    if found.pictures > 1:
        spans = ", ".join(f"{_clock(span.start)} to {_clock(span.end)}" for span in found.spans)
        lines.append(f"  marked: {spans}")
    return "\n".join(lines)


def _percent(chance: float) -> str:
    """1 - ``chance``, with no more nines than anybody reads."""
    return "over 99.9999 %" if chance < 1e-6 else f"{100 * (1 - chance):.4f} %"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:04.1f}"
