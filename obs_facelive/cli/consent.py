"""``facelive persona consent``: the permission to wear a real person's face."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from obs_facelive import refused
from obs_facelive.cli.console import MISUSE, end, say
from obs_facelive.home import Home

if TYPE_CHECKING:
    from obs_facelive.personas.consent import Consent
    from obs_facelive.personas.info import PersonaInfo

consent_app = typer.Typer(no_args_is_help=True, help="The permission to wear a real person's face.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="A persona, see 'facelive persona list'.")]


@consent_app.command("show")
def consent_show(name: Name) -> None:
    """Show who permitted a persona to be worn, when and what for, and whether that holds."""
    from obs_facelive.personas.consent import check_consent, read_consent
    from obs_facelive.personas.errors import PersonaError

    folder, info = _persona(name)
    if not info.real:
        say(f"{escape(info.name)} does not exist: nobody's consent is needed.")
        return
    try:
        if record := read_consent(folder):
            say(_told(record))
        check_consent(folder, info)
    except PersonaError as error:
        end(str(error))
    say("It holds: this persona may be worn.")


@consent_app.command("add")
def consent_add(
    name: Name,
    by: Annotated[
        str, typer.Option(help="Who permits it, or declares that the photo shows nobody. Your own face needs none.")
    ] = "",
    purpose: Annotated[str, typer.Option("--for", help="What the face may be worn for.")] = "",
    when: Annotated[str, typer.Option(help="The day of the permission, as 2026-11-25. Else today.")] = "",
    signed: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A signed paper; a copy is kept with the persona.")
    ] = None,
) -> None:
    """Record that a real person's face may be worn: your own, with permission, or a picture of nobody as you declare."""
    from obs_facelive.catalog import ModelError
    from obs_facelive.engine.stages import Stages
    from obs_facelive.personas.errors import PersonaError
    from obs_facelive.personas.permit import permit

    folder, info = _persona(name)
    if not info.real:
        end(f"{info.name} does not exist: nobody's consent is needed.", MISUSE)
    say(refused.WORDS)
    try:
        is_owner = Stages(Home.find(), "cpu").is_owner
        record = permit(folder, is_owner, by=by, purpose=purpose, when=when, signed=signed)
    except (PersonaError, ModelError) as error:
        end(str(error))
    say(_told(record))
    if record.kind == "self" and not record.checked:
        say(
            "It was not compared with your face: nobody is enrolled here ('facelive enrol'), or the persona knows no face."
        )


@consent_app.command("withdraw")
def consent_withdraw(name: Name) -> None:
    """Take a permission back: the persona can be worn no more, and whoever wears it now is covered within a second."""
    from obs_facelive.personas.consent import withdraw
    from obs_facelive.personas.errors import PersonaError

    folder, info = _persona(name)
    try:
        withdraw(folder)
    except PersonaError as error:
        end(str(error))
    say(
        f"Withdrawn: {escape(info.name)} cannot be worn any more. 'facelive persona remove {info.id}' deletes the face itself."
    )


def _persona(name: str) -> tuple[Path, PersonaInfo]:
    from obs_facelive.personas.errors import PersonaError
    from obs_facelive.personas.info import load_info

    home = Home.find()
    if name not in home.persona_names():
        end(f"there is no persona {name!r}; there are {', '.join(home.persona_names()) or 'none'}", MISUSE)
    try:
        return home.personas / name, load_info(home.personas / name)
    except PersonaError as error:
        end(str(error))


def _told(record: Consent) -> str:
    from obs_facelive.personas.permit import told

    return escape("\n".join(told(record)))
