"""``facelive model``: the swapping models that you bring."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from obs_facelive.catalog import ModelError
from obs_facelive.cli.console import FAILURE, end, say
from obs_facelive.home import Home

if TYPE_CHECKING:
    from obs_facelive.brought import Brought
    from obs_facelive.download import Tell

model_app = typer.Typer(no_args_is_help=True, help="Models of your own: swappers by one photo, and .dfm faces.")

File = Annotated[str, typer.Argument(metavar="FILE", help="Its name, see 'facelive model list'.")]


@model_app.command("list")
def model_list(
    known: Annotated[
        bool, typer.Option("--known", help="Those that FaceLive knows of, instead of those here.")
    ] = False,
) -> None:
    """List the models that you added."""
    from obs_facelive.brought import contracts_of, list_models

    home = Home.find()
    try:
        contracts = contracts_of(home)
        brought = list_models(home)
    except ModelError as error:
        end(str(error))
    if known:
        table = Table("file", "contract", "size", "licence", "how to get it", show_edge=False, box=None)
        for contract in contracts:
            for file in contract.files:
                how = "facelive model get" if file.url else "bring it: facelive model add"
                size = f"{file.bytes / 1e6:.0f} MB" if file.bytes else ""
                table.add_row(file.file, contract.name, size, escape(file.licence), how)
    else:
        if not brought:
            end("no model was added yet: 'facelive model add FILE', or see 'facelive model list --known'")
        what = {contract.name: contract.what for contract in contracts}
        table = Table("file", "kind", "contract", "picture", "what", show_edge=False, box=None)
        for model in brought:
            here = "" if model.path.is_file() else "[red]the file is gone[/] "
            told = escape(what.get(model.contract, "its contract is not known any more"))
            table.add_row(model.file, model.kind, model.contract, f"{model.size} px" if model.size else "", here + told)
    Console().print(table)


@model_app.command("add")
def model_add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An .onnx or .dfm file.")],
    contract: Annotated[str, typer.Option(metavar="NAME", help="What it is, where several kinds fit.")] = "",
) -> None:
    """Copy a model file into the library. What it is, is seen from what it takes and gives, not from its name."""
    from obs_facelive.brought import add_model

    try:
        _tell_added(add_model(Home.find(), file, contract))
    except ModelError as error:
        end(str(error))


@model_app.command("get")
def model_get(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Its name, see 'facelive model list --known'.")],
    accept: Annotated[
        bool, typer.Option("--accept-licence", help="You accept a licence that does not allow everything.")
    ] = False,
) -> None:
    """Fetch a known model from its public address, and check it. Broken off, it goes on where it stopped."""
    from obs_facelive.brought import get_model

    try:
        with _progress(file) as tell:
            brought = get_model(Home.find(), file, accept, tell)
    except ModelError as error:
        end(str(error))
    _tell_added(brought)


@model_app.command("verify")
def model_verify(
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="Only this one; else all.")] = "",
    measure: Annotated[
        bool, typer.Option("--measure", help="Also measure anew on which device each runs, and forget what was known.")
    ] = False,
) -> None:
    """See whether the models are what was added, still fit, and can be opened."""
    from obs_facelive.brought import list_models, verify_model
    from obs_facelive.engine.opening import Opening

    home, bad = Home.find(), 0
    try:
        files = [file] if file else [model.file for model in list_models(home)]
    except ModelError as error:
        end(str(error))
    for name in files:
        try:
            model = verify_model(home, name)
            words = f": {Opening(home).measure(model)}" if measure else ""
        except (ModelError, OSError) as error:
            bad += 1
            say(f"[red]bad[/] {escape(name)}: {escape(str(error))}")
        else:
            say(f"[green]ok[/] {escape(name + words)}")
    if bad:
        raise typer.Exit(FAILURE)


@model_app.command("remove")
def model_remove(file: File, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Delete a model."""
    from obs_facelive.brought import find_model, remove_model

    home = Home.find()
    try:
        find_model(home, file)
        if not yes:
            typer.confirm(f"Delete {file}?", abort=True)
        remove_model(home, file)
    except ModelError as error:
        end(str(error))
    say(f"{escape(file)} is gone.")


def _tell_added(model: Brought) -> None:
    size = f", {model.size} pixels" if model.size else ""
    say(f"[green]{escape(model.file)}[/] is in the library: {model.kind} ({model.contract}){size}")


@contextmanager
def _progress(title: str) -> Iterator[Tell]:
    columns = (TextColumn(escape(title)), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)
