"""``facelive persona``: the library of faces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from obs_facelive.cli.add import add_pack_file, add_persona, fetch, tell_photo, whose
from obs_facelive.cli.consent import consent_app
from obs_facelive.cli.console import MISUSE, end, say
from obs_facelive.cli.mix import mix
from obs_facelive.home import Home
from obs_facelive.personas.errors import PersonaError
from obs_facelive.personas.suited import suited_problem

persona_app = typer.Typer(no_args_is_help=True, help="The faces that you can wear.")
persona_app.command("add")(add_persona)
persona_app.command("add-pack")(add_pack_file)
persona_app.command("fetch")(fetch)
persona_app.add_typer(consent_app, name="consent")
persona_app.command("mix")(mix)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Its id, see 'facelive persona list'.")]


@persona_app.command("list")
def persona_list(
    tag: Annotated[str | None, typer.Option(help="Only those with this tag, or of this pack.")] = None,
) -> None:
    """List the personas that are here."""
    from obs_facelive.personas.info import load_info

    home = Home.find()
    table = Table("name", "shown as", "whose face", "rating", "made", show_edge=False, box=None)
    for name in home.persona_names():
        try:
            info = load_info(home.personas / name)
        except PersonaError as error:
            table.add_row(name, f"[red]{escape(str(error))}[/]", "", "", "")
        else:
            if tag is None or tag in (*info.tags, info.pack):
                made = escape(info.source or info.made)
                table.add_row(name, escape(info.name), whose(info), "*" * info.rating, made)
    if not table.row_count:
        end(f"there is no persona in {home.personas}: run 'python3 install.py'")
    Console().print(table)


@persona_app.command("show")
def persona_show(name: Name) -> None:
    """Show what is known of a persona, and judge its photos."""
    from obs_facelive.catalog import ModelError
    from obs_facelive.personas.advice import judge
    from obs_facelive.personas.library import check_persona
    from obs_facelive.personas.look import Studio
    from obs_facelive.personas.photos import open_photo

    home, folder = _folder(name)
    try:
        persona = check_persona(folder)
        info = persona.info
        facts = {
            "name": info.name,
            "whose face": whose(info),
            "made": info.made,
            "source": info.source,
            "licence": info.licence,
            "pack": info.pack,
            "tags": ", ".join(info.tags),
            "rating": "*" * info.rating,
            "settings": ", ".join(f"{key}={_plain(value)}" for key, value in info.settings.items()),
            "recipe": msgspec.json.encode(info.recipe).decode() if info.recipe else "",
            "texture": f"{persona.texture.shape[0]} pixels, {len(persona.expressions)} expressions",
            "trained": info.trained,
            "digest": info.digest,
        }
        table = Table(show_header=False, show_edge=False, box=None)
        for key, value in facts.items():
            if value:
                table.add_row(key, escape(value))
        Console().print(table)
        photos = sorted(file for file in info.files if file.startswith("photos/"))
        studio = Studio(home.models) if photos else None
        for file in photos:
            if studio:
                tell_photo(file, judge(studio.look(studio.portrait(open_photo(folder / file)))))
    except (PersonaError, ModelError) as error:
        end(str(error))


@persona_app.command("remove")
def persona_remove(name: Name, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Delete a persona with its photos and its record of consent."""
    from obs_facelive.personas.library import remove_persona

    _, folder = _folder(name)
    if not yes:
        typer.confirm(f"Delete {name} with its photos and its record of consent?", abort=True)
    try:
        remove_persona(folder)
    except OSError as error:
        end(f"{name} could not be deleted: {error}")
    say(f"{escape(name)} is gone.")


@persona_app.command("export")
def persona_export(
    name: Name,
    target: Annotated[Path | None, typer.Argument(metavar="FILE", help="Default: NAME.facelive, here.")] = None,
) -> None:
    """Write a persona into a .facelive file. Its record of consent stays here."""
    from obs_facelive.personas.archive import SUFFIX, export_persona

    _, folder = _folder(name)
    target = target or Path(f"{name}{SUFFIX}")
    try:
        export_persona(folder, target)
    except (PersonaError, OSError) as error:
        end(str(error))
    say(f"{escape(str(target))}: {target.stat().st_size / 1e6:.1f} MB")


@persona_app.command("rename")
def persona_rename(
    name: Name, title: Annotated[str, typer.Argument(metavar="TITLE", help="What it is called.")]
) -> None:
    """Give a persona another name. Its id stays, so that scenes still find it."""
    title = " ".join(title.split())
    if not title:
        end("a persona needs a name", MISUSE)
    _change(name, name=title)
    say(f"{escape(name)} is called {escape(title)} now.")


@persona_app.command("trained")
def persona_trained(
    name: Name,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A .dfm that was added, see 'facelive model list'; '' for none.")
    ],
) -> None:
    """Say that a trained network has the face of this persona: worn with it, under its record of consent, given anew."""
    from obs_facelive.brought import find_model
    from obs_facelive.catalog import ModelError
    from obs_facelive.personas.info import load_info

    home, folder = _folder(name)
    try:
        model = find_model(home, file) if file else None
        real = load_info(folder).real
    except (ModelError, PersonaError) as error:
        end(str(error))
    if model and model.kind != "dfm":
        end(f"{model.title} is no trained face: it is a {model.kind}", MISUSE)
    if model and not real:
        end("a trained face is somebody's: add a photo of them first, with 'facelive persona add'", MISUSE)
    _change(name, trained=model.sha256 if model else "")
    say(f"{escape(name)} is worn with {escape(file)} now." if model else f"{escape(name)} has no trained face now.")
    say(f"Say that it may be worn: facelive persona consent add {escape(name)}")


@persona_app.command("rate")
def persona_rate(
    name: Name,
    stars: Annotated[int, typer.Argument(min=0, max=5, help="One to five stars; 0: none.")],
    tag: Annotated[
        list[str] | None, typer.Option(help="Tags instead of those it has; more than once for several.")
    ] = None,
) -> None:
    """Give a persona stars, and tags to find it by."""
    _change(name, rating=stars, **({"tags": tuple(tag)} if tag is not None else {}))
    say(f"{escape(name)}: {'*' * stars or 'no stars'}{escape(', ' + ', '.join(tag)) if tag else ''}")


@persona_app.command("settings")
def persona_settings(
    name: Name,
    values: Annotated[
        list[str] | None, typer.Argument(metavar="[SETTING=VALUE…]", help="Instead of those it has; '-' alone: none.")
    ] = None,
) -> None:
    """Show or set what suits a persona. It counts wherever you leave the setting at its default."""
    from obs_facelive.personas.info import load_info

    _, folder = _folder(name)
    if values:
        own: dict[str, bool | int | str] = {}
        for value in [] if values == ["-"] else values:
            key, equals, text = value.partition("=")
            if not equals:
                end(f"{value!r} is not like opacity=80", MISUSE)
            own[key.replace("-", "_")] = {"on": True, "off": False}.get(
                text, int(text) if text.lstrip("-").isdecimal() else text
            )
        if problem := suited_problem(own):
            end(problem, MISUSE)
        _change(name, settings=own)
    try:
        own = load_info(folder).settings
    except PersonaError as error:
        end(str(error))
    say(escape(", ".join(f"{key}={_plain(value)}" for key, value in own.items()) or "none"))


def _plain(value: bool | int | str) -> str:
    return str(value) if not isinstance(value, bool) else "on" if value else "off"


def _folder(name: str) -> tuple[Home, Path]:
    """The home, and the folder of the persona ``name``; ends the command where there is none."""
    home = Home.find()
    names = home.persona_names()
    if name not in names:
        known = f"There are: {', '.join(names)}." if names else "There is none: run 'python3 install.py'."
        end(f"there is no persona {name!r}. {known}", MISUSE)
    return home, home.personas / name


def _change(persona: str, **changes: Any) -> None:
    from obs_facelive.personas.info import load_info, write_info

    _, folder = _folder(persona)
    try:
        write_info(folder, msgspec.structs.replace(load_info(folder), **changes))
    except (PersonaError, OSError) as error:
        end(str(error))
