"""``facelive obs``: OBS with FaceLive in it, opened for a meeting."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.prompt import Confirm, IntPrompt

from obs_facelive.cli.console import FAILURE, MISUSE, end, say, show_findings
from obs_facelive.home import Home
from obs_facelive.launch import shortcut
from obs_facelive.launch import virtual_camera as vcam
from obs_facelive.launch.cameras import cameras
from obs_facelive.launch.opening import (
    LaunchError,
    Wanted,
    command,
    find_obs,
    missing,
    prepare,
    refuse_running,
    start,
)
from obs_facelive.launch.scene import NAME
from obs_facelive.obs_home import find_configurations
from obs_facelive.obs_program import find_programs

obs_app = typer.Typer(no_args_is_help=True, help="OBS with FaceLive in it: set up, checked, opened for a meeting.")

CHOOSE = f"""In the meeting, choose "{vcam.NAME}" as your camera:
   Zoom      Settings, Video, Camera
   Meet      ⋮, Settings, Video, Camera
   Teams     ⋯ More, Video effects and settings, Camera (before a meeting: Settings, Devices)
   Discord   User Settings, Voice & Video, Camera
Open OBS first: some programs look for cameras only when they start. Your microphone is chosen there as always."""

Where = Annotated[
    Path | None, typer.Option("--obs", metavar="FOLDER", help="An OBS in an unusual place, or a portable one.")
]
Named = Annotated[
    str, typer.Option(metavar="NAME", help="The scene collection; it is built if there is none of that name.")
]
Looks = Annotated[
    str,
    typer.Option(
        metavar="NAME|FILE",
        help="For a new scene: a camera of 'facelive obs cameras' (the first one, unless you say), or a video to try it with.",
    ),
]
Wears = Annotated[str, typer.Option(metavar="NAME", help="For a new scene: a persona of 'facelive persona list'.")]
Small = Annotated[bool, typer.Option("--minimize-to-tray", help="OBS's window stays in the tray.")]


@obs_app.command()
def launch(
    more: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- OBS-OPTION…]", help="Options of OBS's own, as --startstreaming or --studio-mode."),
    ] = None,
    *,
    scene: Annotated[str, typer.Option(metavar="NAME", help="The scene to begin with.")] = "",
    camera: Looks = "",
    persona: Wears = "",
    collection: Named = NAME,
    minimize_to_tray: Small = False,
    virtual_camera: Annotated[bool, typer.Option(help="Start OBS's virtual camera, too.")] = True,
    obs: Where = None,
    notify: Annotated[
        bool, typer.Option("--notify", help="Say what is wrong on the desktop, too: for the menu's entry.", hidden=True)
    ] = False,
) -> None:
    """Open your OBS with FaceLive's scene and the virtual camera started.

    What is missing is made first; scenes and settings that are there are left as they are.
    """
    try:
        found = find_obs(obs)
        facts = vcam.gather(found.program) if virtual_camera else None
        ready, notes = prepare(Home.find(), found, Wanted(collection, scene, camera, persona))
        starts = facts is not None and facts.available
        words = command(found, ready, scene, virtual_camera=starts, minimize=minimize_to_tray)
        for note in notes:
            say(escape(note))
        for finding in facts.findings() if facts else ():
            if finding.remedy:
                _say(f"{finding.name}: {finding.found}. {finding.remedy}", notify)
        number = start(found, [*words, *(more or [])])
    except LaunchError as error:
        _notify(str(error), notify)
        end(str(error))
    say(f"OBS is open (process {number}), with {escape(ready.name)}{' and the virtual camera' if starts else ''}.")
    if starts:
        say(escape(CHOOSE))


@obs_app.command()
def setup(
    camera: Looks = "",
    persona: Wears = "",
    collection: Named = NAME,
    icon: Annotated[
        bool | None, typer.Option("--shortcut/--no-shortcut", help="An icon that opens OBS with FaceLive.")
    ] = None,
    obs: Where = None,
) -> None:
    """Build FaceLive's scene in your OBS: asks which camera and which persona, and says how to use it.

    Without a terminal, nothing is asked: the first camera, FaceLive's choice of persona, no icon.
    """
    home = Home.find()
    try:
        found = find_obs(obs)
        refuse_running(found)
        if missing(found, collection) and _asks():
            version = found.program.version
            plugged = [(one.id, one.name) for one in cameras(version=version)]
            camera = camera or _ask("Which camera?", plugged)
            persona = persona or _ask("Whose face do you wear?", list(home.persona_titles().items()))
            icon = Confirm.ask(f"An icon that opens OBS with {NAME}?", default=True) if icon is None else icon
        ready, notes = prepare(home, found, Wanted(collection, "", camera, persona))
    except LaunchError as error:
        end(str(error))
    for note in notes or [f"The scene collection {ready.name} is there, and is left as it is: {ready.file}"]:
        say(escape(note))
    if icon:
        make_shortcut()
    for finding in vcam.gather(found.program).findings():
        if finding.remedy:
            say(f"[yellow]{finding.name}:[/] {escape(finding.found)}. {escape(finding.remedy)}")
    say(f"[bold]To begin:[/] {'the icon FaceLive, or ' if icon else ''}python3 install.py run obs launch")
    say(escape(CHOOSE))


@obs_app.command("cameras")
def list_cameras() -> None:
    """List the cameras of this computer, as far as it tells of them."""
    program = next(iter(find_programs()), None)
    there = cameras(version=program.version if program else None)
    for number, camera in enumerate(there, 1):
        say(f"{number}  {escape(camera.name)}  [dim]{escape(camera.id)}[/]")
    if not there:
        end("no camera was found. Is it plugged in? A video file does, too: facelive obs launch --camera FILE")


@obs_app.command()
def check(as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False) -> None:
    """See whether OBS's virtual camera works here, and what to do where it does not."""
    from obs_facelive.doctor import obs_findings

    program = next(iter(find_programs()), None)
    configurations = find_configurations([program.folder] if program else [])
    show_findings([*obs_findings(configurations), *vcam.gather(program).findings()], as_json)


@obs_app.command("shortcut")
def make_shortcut(
    minimize_to_tray: Small = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take it away.")] = False,
) -> None:
    """Make an icon that opens OBS with FaceLive, in the menu of applications (macOS: in ~/Applications)."""
    file, program = shortcut.shortcut_file(), Home.find().program
    try:
        if remove:
            say(f"{'Gone' if shortcut.remove_shortcut(file, program) else 'There is none'}: {escape(str(file))}")
            return
        shortcut.add_shortcut(file, shortcut.shortcut_text(program, ["--minimize-to-tray"] * minimize_to_tray))
    except shortcut.ShortcutError as error:
        end(str(error), MISUSE)
    except OSError as error:
        end(f"{error.strerror}: {error.filename}", FAILURE)
    say(f"An icon is there: {escape(str(file))}")


def _asks() -> bool:
    """Whether there is somebody to be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _ask(question: str, choices: list[tuple[str, str]]) -> str:
    """The chosen one's id; empty where there is nothing to be chosen."""
    if not choices:
        return ""
    say(f"[bold]{question}[/]")
    for number, (_, name) in enumerate(choices, 1):
        say(f"  {number:2}  {escape(name)}")
    numbers = [str(number) for number in range(1, len(choices) + 1)]
    return choices[IntPrompt.ask("Number", choices=numbers, default=1, show_choices=False) - 1][0]


def _say(text: str, notify: bool) -> None:
    say(f"[yellow]{escape(text)}[/]")
    _notify(text, notify)


def _notify(text: str, wanted: bool) -> None:
    """On the desktop, where there is a program for it."""
    if wanted and (program := shutil.which("notify-send")):
        subprocess.run([program, "FaceLive", text], check=False)
