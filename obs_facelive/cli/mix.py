"""``facelive persona mix``: people who do not exist, without end."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer
from rich.markup import escape

from obs_facelive.cli.console import MISUSE, end, say
from obs_facelive.home import Home

_ANY = 10_000


def mix(
    parents: Annotated[list[str] | None, typer.Argument(metavar="A B …", help="Personas to mix.")] = None,
    ratio: Annotated[
        str, typer.Option(metavar="60:40", help="How much of whom, one whole number each; else all alike.")
    ] = "",
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=999_999_999, help="Which of all their children; else a new one every time."),
    ] = None,
    name: Annotated[
        str, typer.Option(help="What the new person is called; else after the parents. A mix of that name is replaced.")
    ] = "",
    shipped: Annotated[bool, typer.Option("--shipped", help="Make the mixes that FaceLive comes with.")] = False,
) -> None:
    """Make a new person who does not exist out of two to six personas who do not exist either.

    The skin's tone and the face's shape lie between the parents'; brows, eyes, nose, mouth and beard come whole from one of
    them each. The same personas, ratio and seed make the same person again.
    """
    # These are slow to import; the other commands do without them.
    from obs_facelive.catalog import ModelError
    from obs_facelive.mixing import Mixer, make_shipped
    from obs_facelive.personas.library import PersonaError
    from obs_facelive.personas.recipe import MixError, recipe_of

    home = Home.find()
    if shipped and (parents or ratio or name or seed is not None):
        end("--shipped stands alone: it makes what FaceLive comes with", MISUSE)
    if not shipped and not parents:
        end("name two personas or more, as in 'facelive persona mix amina darius', or say --shipped", MISUSE)
    try:
        if shipped:
            make_shipped(home, lambda line: say(escape(line)))
            return
        number = secrets.randbelow(_ANY) if seed is None else seed
        # An id is cut at 48 characters: the number must stay in it.
        called = name or f"{' '.join(parent.capitalize() for parent in parents or [])[:40]} {number}"
        folder = Mixer(home).make(recipe_of(called, parents or [], ratio, number))
    except MixError as error:
        end(str(error), MISUSE)
    except (ModelError, PersonaError, OSError) as error:
        end(str(error))
    say(f"{escape(called)}: made as '{folder.name}', seed {number}")
