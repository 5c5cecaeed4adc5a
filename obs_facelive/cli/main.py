"""``facelive``: swapping faces in files, and looking after FaceLive."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from obs_facelive import __version__, fields
from obs_facelive.cli.bench import bench
from obs_facelive.cli.console import MISUSE, end, say, show_findings
from obs_facelive.cli.enrol import enrol
from obs_facelive.cli.model import model_app
from obs_facelive.cli.obs import obs_app
from obs_facelive.cli.persona import persona_app
from obs_facelive.cli.sign import note_and_sign, sign_file, signer_of
from obs_facelive.cli.verify import verify
from obs_facelive.home import Home
from obs_facelive.settings import Settings

if TYPE_CHECKING:
    from obs_facelive.engine.stages import Stages
    from obs_facelive.personas.library import Persona

app = typer.Typer(no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})
app.add_typer(persona_app, name="persona")
app.add_typer(model_app, name="model")
app.add_typer(obs_app, name="obs")
app.command()(enrol)
app.command()(bench)
app.command("sign")(sign_file)
app.command()(verify)

Consent = Literal["self", "granted", "synthetic"]


def _option(field: fields.Field) -> inspect.Parameter:
    """One setting as an option of a command."""
    unit = f" ({field.unit})" if field.unit else ""
    flag = f"--{field.name.replace('_', '-')}"
    help = f"{field.title}{unit}. {field.help}"
    kind: Any = Literal[tuple(field.choices)] if field.kind == "choice" else type(field.default)
    if field.kind == "bool":
        flag = f"{flag}/--no-{flag[2:]}"
    ends: dict[str, Any] = {"min": field.low, "max": field.high} if field.kind == "int" else {}
    option = typer.Option(flag, help=help, rich_help_panel=field.group, **ends)
    return inspect.Parameter(
        field.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=field.default,
        annotation=Annotated[kind, option],
    )


def _with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """``command`` with an option for every setting but the persona; it gets them as ``chosen``, a dict."""
    signature = inspect.signature(command, eval_str=True)
    own = [p for p in signature.parameters.values() if p.name != "chosen"]
    options = [_option(f) for f in fields.fields() if f.name != "persona"]

    @functools.wraps(command)
    def call(**values: Any) -> None:
        chosen = {option.name: values.pop(option.name) for option in options}
        command(**values, chosen=chosen)

    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + options
    call.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {p.name: p.annotation for p in parameters}
    return call


@app.callback(invoke_without_command=True)
def _main(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """FaceLive swaps your face for a persona: live as a filter in OBS, and here in files."""
    if version:
        say(f"facelive {__version__}")
        raise typer.Exit


@app.command()
@_with_settings
def swap(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="An image, a folder of images, or a video.")],
    target: Annotated[Path, typer.Argument(metavar="OUTPUT", help="The same kind; it is replaced if it exists.")],
    persona: Annotated[
        str, typer.Option(metavar="NAME|IMAGE", help="A persona (see 'facelive persona list'), or a picture of a face.")
    ],
    consent: Annotated[
        Consent | None,
        typer.Option(
            help="Whose face a picture shows: your own (self), of somebody who gave you permission (granted), "
            "of nobody, as you declare (synthetic)."
        ),
    ] = None,
    sign: Annotated[
        Path | None,
        typer.Option(
            metavar="CERT.pem", help="Sign what is made with your own certificate (C2PA, Content Credentials)."
        ),
    ] = None,
    key: Annotated[Path | None, typer.Option(metavar="KEY.pem", help="The certificate's private key.")] = None,
    by: Annotated[str, typer.Option(help="Who gave the permission, or declares that a picture shows nobody.")] = "",
    purpose: Annotated[str, typer.Option("--for", help="What the picture may be worn for.")] = "",
    *,
    chosen: dict[str, Any],
) -> None:
    """Swap the face in an image, in every image of a folder, or in a video.

    Works like the filter in OBS: where no face is found, the picture is covered unless you say otherwise.
    """
    # These are slow to import; the other commands do without them.
    from obs_facelive import offline
    from obs_facelive.catalog import ModelError
    from obs_facelive.engine.stages import Stages
    from obs_facelive.image import ImageError
    from obs_facelive.personas.library import PersonaError
    from obs_facelive.provenance import sidecar

    home, began, signer = Home.find(), time.time(), signer_of(sign, key, target)
    try:
        offline.check(source, target)
        wanted = Settings(persona=persona, **chosen)
        stages = Stages(home, wanted.device)
        worn = _persona(stages, home, persona, consent, by, purpose)
        if worn.info.real and wanted.badge == "off":
            end("the badge stays on while you wear a real person's face: leave '--badge off' out", MISUSE)
        pipeline = stages.pipeline(wanted, worn)
        with _progress(source.name) as progress:
            counts = offline.swap_file(source, target, pipeline, wanted, progress)
    except offline.MisuseError as error:
        end(str(error), MISUSE)
    except (offline.OfflineError, ImageError, ModelError, PersonaError) as error:
        end(str(error))
    pictures = sidecar.Pictures(
        shown=counts.frames, with_face=counts.with_face, swapped=counts.swapped, covered=counts.covered
    )
    faces = (sidecar.worn(worn.info, counts.swapped),)
    camera = sidecar.Camera(kind="file", worn=faces, pictures=pictures, settings=sidecar.told(wanted))
    note_and_sign(target, counts.written, sidecar.describe(began, time.time(), [camera]), signer)
    for problem in counts.problems:
        say(f"[yellow]left out:[/] {escape(problem)}")
    if pipeline.enhancing and pipeline.enhancing.problem:
        say(f"[yellow]without the enhancer's detail:[/] {escape(pipeline.enhancing.problem)}")
    say(
        f"{escape(str(target))}: {counts.frames} pictures, {counts.with_face} with a face, {counts.swapped} swapped, "
        f"{counts.covered} covered, {counts.fps:.1f} a second"
    )


def _persona(stages: Stages, home: Home, persona: str, consent: Consent | None, by: str, purpose: str) -> Persona:
    """The persona of that name, or one made of the picture of that name."""
    from obs_facelive.image import IMAGES, read_image
    from obs_facelive.personas.consent import stated
    from obs_facelive.personas.library import PersonaInfo, load_persona, persona_id

    names = home.persona_names()
    if persona in names:
        return load_persona(home.personas / persona)
    picture = Path(persona)
    if picture.suffix.lower() not in IMAGES:
        known = f"There are: {', '.join(names)}." if names else "There is none: run 'python3 install.py'."
        end(f"there is no persona {persona!r}. {known} Or name a picture.", MISUSE)
    if not picture.is_file():
        end(f"the picture {persona} does not exist", MISUSE)
    if consent is None:
        end(
            f"{picture.name} shows somebody's face, so say whose: --consent self (your own), --consent granted (this person "
            "gave you permission), or --consent synthetic (a person who does not exist, as "
            "you declare); the last two with --by NAME and --for PURPOSE",
            MISUSE,
        )
    info = PersonaInfo(id=persona_id(picture.stem), name=picture.stem, kind=consent, made="from one picture")
    record = stated(info, by=by, purpose=purpose)
    return replace(stages.persona_of(read_image(picture), info), consent=record)


@contextmanager
def _progress(name: str) -> Iterator[Callable[[int, int], None]]:
    columns = (
        TextColumn(escape(name)),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[fps]:.1f} fps"),
        TimeRemainingColumn(),
    )
    began = time.monotonic()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None, fps=0.0)

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total or None, fps=done / max(time.monotonic() - began, 1e-3))

        yield tell


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False) -> None:
    """See what of FaceLive works here, what does not, and what to do about it."""
    from obs_facelive.doctor import examine

    show_findings(examine(Home.find()), as_json)
