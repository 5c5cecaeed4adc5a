"""``facelive persona``: the library of faces."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from obs_facelive.cli_mix import mix
from obs_facelive.console import end
from obs_facelive.home import Home

persona_app = typer.Typer(no_args_is_help=True, help="The faces that you can wear.")
persona_app.command("mix")(mix)


@persona_app.command("list")
def persona_list() -> None:
    """List the personas that are here."""
    from obs_facelive.personas.library import PersonaError, load_info

    home = Home.find()
    table = Table("name", "shown as", "whose face", "made", show_edge=False, box=None)
    for name in home.persona_names():
        try:
            info = load_info(home.personas / name)
        except PersonaError as error:
            table.add_row(name, f"[red]{escape(str(error))}[/]", "", "")
        else:
            table.add_row(name, escape(info.name), info.kind, escape(info.source or info.made))
    if not table.row_count:
        end(f"there is no persona in {home.personas}: run 'python3 install.py'")
    Console().print(table)
