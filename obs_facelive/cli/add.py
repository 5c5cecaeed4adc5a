"""``facelive persona add``, ``add-pack`` and ``fetch``: what puts personas into the library."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from obs_facelive.cli.console import MISUSE, end, say
from obs_facelive.home import Home
from obs_facelive.personas.errors import PersonaError

if TYPE_CHECKING:
    from obs_facelive.personas.add import PhotoReport
    from obs_facelive.personas.add import Progress as Tell
    from obs_facelive.personas.advice import Judgement
    from obs_facelive.personas.info import Kind, PersonaInfo
    from obs_facelive.personas.pack import PackReport


def add_persona(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO…", help="One to eight photos of one person.")],
    name: Annotated[str, typer.Option(help="What it is called. Default: the first photo's name.")] = "",
    consent: Annotated[
        str | None,
        typer.Option(
            metavar="self|granted|synthetic",
            help="Whose face it is: your own (self), of somebody who gave you permission (granted), of nobody (synthetic).",
        ),
    ] = None,
    by: Annotated[str, typer.Option(help="Who gave permission; for 'synthetic', who says that nobody is seen.")] = "",
    purpose: Annotated[str, typer.Option("--for", help="What the face will be used for.")] = "",
    when: Annotated[str, typer.Option(help="When permission was given, as 2026-11-25. Default: today.")] = "",
    signed: Annotated[Path | None, typer.Option(help="A signed paper; a copy is kept with the persona.")] = None,
) -> None:
    """Make a persona from photos, and say what is wrong with them and what would be better."""
    from obs_facelive.catalog import ModelError
    from obs_facelive.engine.stages import Stages
    from obs_facelive.personas.add import Statement, UnusableError, add_photos
    from obs_facelive.personas.consent import BASIS, ConsentError
    from obs_facelive.personas.look import Studio
    from obs_facelive.refused import WORDS

    kinds: dict[str, Kind] = {"self": "self", "granted": "granted", "synthetic": "synthetic"}
    if consent not in kinds:
        end(
            "a photo shows somebody's face, so say whose: --consent self (your own), --consent granted (this person gave you "
            "permission; then also --by and --for), or --consent synthetic (nobody; also --by and --for)",
            MISUSE,
        )
    home = Home.find()
    try:
        statement = Statement(by, purpose, when, signed, Stages(home).is_owner)
        with _progress("photos") as tell:
            report = add_photos(
                Studio(home.models), home, photos, name or photos[0].stem, kinds[consent], statement, tell
            )
    except UnusableError as error:
        for photo in error.photos:
            _tell_report(photo)
        end(str(error))
    except ConsentError as error:
        end(str(error), MISUSE)
    except (PersonaError, ModelError, OSError) as error:
        end(str(error))
    for photo in report.photos:
        _tell_report(photo)
    texture = f", the texture is that of {report.photos[report.best].name}" if len(photos) > 1 else ""
    say(f"[green]{escape(report.info.id)}[/] is in the library: {report.score} of 100{escape(texture)}")
    if report.record and BASIS[report.info.kind] == "self" and not report.record.checked:
        say("It was not compared with your own face, because nobody is enrolled here ('facelive enrol').")
    say(escape(WORDS))


def add_pack_file(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A .facelive file, a zip of personas, or a zip or folder of portraits."),
    ],
    only: Annotated[int | None, typer.Option(min=1, help="Make at most so many personas of its portraits.")] = None,
) -> None:
    """Add the personas of a .facelive file or a pack."""
    from obs_facelive.catalog import ModelError
    from obs_facelive.personas.look import Studio
    from obs_facelive.personas.pack import add_pack

    home = Home.find()
    try:
        with _progress(file.name) as tell:
            report = add_pack(file, home, lambda: Studio(home.models), only, tell)
    except (PersonaError, ModelError, OSError) as error:
        end(str(error))
    _tell_pack(report)


def fetch(
    only: Annotated[int | None, typer.Option(min=1, help="The first so many; the pack has 200.")] = None,
    source: Annotated[str, typer.Option("--from", metavar="URL", help="A mirror with the same files.")] = "",
) -> None:
    """Fetch portraits of people who do not exist, and make personas of them.

    The pack is faker-js/assets-person-portrait (CC0-1.0), 49 MB in all. Broken off, it goes on where it stopped.
    """
    from obs_facelive.catalog import ModelError
    from obs_facelive.personas.fetch import BASE, PACK, fetch_portraits, read_pins
    from obs_facelive.personas.look import Studio
    from obs_facelive.personas.pack import add_portraits

    home = Home.find()
    pins = read_pins()[:only]
    try:
        with _progress("fetching") as tell:
            files = fetch_portraits(home.root / "cache" / "portraits", pins, tell, source.rstrip("/") or BASE)
        with _progress("making") as tell:
            report = add_portraits(PACK, files, home, Studio(home.models), progress=tell)
    except (PersonaError, ModelError, OSError) as error:
        end(str(error))
    _tell_pack(report)


def whose(info: PersonaInfo) -> str:
    """Whose face it is, in two words."""
    if info.kind == "synthetic":
        return "synthetic (declared)" if info.real else f"synthetic ({info.origin})"
    return info.kind


def _tell_report(photo: PhotoReport) -> None:
    if photo.judgement:
        tell_photo(photo.name, photo.judgement)
    if photo.problem:
        say(f"{escape(photo.name)}: [red]left out[/]: {escape(photo.problem)}")


def tell_photo(name: str, judgement: Judgement) -> None:
    """Says how good a photo is, and why."""
    colour = {"good": "green", "fair": "yellow"}.get(judgement.word, "red")
    say(f"{escape(name)}: [{colour}]{judgement.word}[/], {judgement.score} of 100")
    for remark in judgement.remarks:
        say(f"  -{remark.cost} {escape(remark.text)}. {escape(remark.better)}")


def _tell_pack(report: PackReport) -> None:
    for name, why in report.left_out.items():
        say(f"[yellow]left out:[/] {escape(name)}: {escape(why)}")
    new = len(report.added) - report.here
    if new == 1 and not report.here:
        (info,) = report.added
        say(f"[green]{escape(info.id)}[/] is in the library: {escape(whose(info))}")
        if info.real:
            say(f"It is a real person's face: it can be worn after 'facelive persona consent add {escape(info.id)}'.")
        return
    say(f"{new} personas were added" + (f", {report.here} were there already" if report.here else ""))
    if waiting := [info.id for info in report.added if info.real]:
        say(f"Real people's faces, each worn only after 'facelive persona consent add': {escape(', '.join(waiting))}")


@contextmanager
def _progress(title: str) -> Iterator[Tell]:
    columns = (
        TextColumn(escape(title)),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def tell(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description=escape(what))

        yield tell
