"""``facelive enrol``: who the owner of the camera is."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from obs_facelive.cli.console import MISUSE, end, say
from obs_facelive.home import Home


def enrol(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE…", help="Pictures, or a video, with you alone in them.")
    ] = None,
    camera: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Look into the computer's camera number N for two seconds.")
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Say whether somebody is remembered, and how it is kept.")
    ] = False,
    delete: Annotated[bool, typer.Option("--delete", help="Forget the face and its key.")] = False,
) -> None:
    """Remember your face, for the setting 'Only me'. It never leaves this computer, and it is kept encrypted."""
    # These are slow to import; the other commands do without them.
    from obs_facelive.catalog import ModelError
    from obs_facelive.identity.enrolment import EnrolmentError, save
    from obs_facelive.identity.enrolment import delete as forget
    from obs_facelive.identity.gather import Gatherer

    if sum([bool(files), camera is not None, show, delete]) != 1:
        end("name pictures or a video of yourself, or one of --camera N, --show and --delete", MISUSE)
    home = Home.find()
    try:
        if show:
            _show(home)
        elif delete:
            say("forgotten" if forget(home) else "nobody was remembered")
        else:
            gatherer = Gatherer(home.models)
            enrolment = gatherer.files(files or []) if camera is None else gatherer.camera(camera)
            save(home, enrolment)
            say(
                f"your face is remembered ({len(enrolment.poses)} pictures); switch 'Only me' on to be the only one swapped"
            )
            _show(home)
    except (EnrolmentError, ModelError) as error:
        end(str(error))


def _show(home: Home) -> None:
    from obs_facelive.identity.enrolment import SAME, enrolment_file, load

    enrolment = load(home)
    if enrolment is None:
        say("nobody is remembered")
        return
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(enrolment.made))
    key = (
        "the operating system's key store" if enrolment.place == "store" else "a file beside it that only you can read"
    )
    say(
        f"remembered since {made}: {len(enrolment.poses)} pictures, the least alike {enrolment.spread:.2f} (of {SAME} at least)"
    )
    say(f"kept encrypted in {escape(str(enrolment_file(home)))}, its key in {key}")
