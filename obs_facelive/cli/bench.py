"""``facelive bench``: how fast FaceLive is here, alone or against somebody else's code."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from obs_facelive.cli.console import MISUSE, end
from obs_facelive.home import Home

_AGAINST = "With --against"


def bench(
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
    clip: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A video with a face; else the demo's.")
    ] = None,
    against: Annotated[
        Literal["insightface"] | None,
        typer.Option(help="Measure frame by frame against insightface's own code, with the same network."),
    ] = None,
    swapper: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="An inswapper file; else the one that you added.",
            rich_help_panel=_AGAINST,
        ),
    ] = None,
    recogniser: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="An ArcFace file; else the one that you added.", rich_help_panel=_AGAINST
        ),
    ] = None,
    detector: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="An SCRFD file, for insightface.", rich_help_panel=_AGAINST),
    ] = None,
    frames: Annotated[int, typer.Option(min=1, help="How many are measured.", rich_help_panel=_AGAINST)] = 30,
    device: Annotated[
        Literal["auto", "cpu", "cuda", "directml", "coreml"],
        typer.Option(help="Where the swapper and the recogniser run.", rich_help_panel=_AGAINST),
    ] = "cpu",
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="PICTURE",
            help="Writes the camera's face, insightface's and FaceLive's side by side (.png or .jpg).",
            rich_help_panel=_AGAINST,
        ),
    ] = None,
) -> None:
    """Measure how fast FaceLive is here: each stage on one core, the link, and the filter inside OBS."""
    from obs_facelive.bench import BenchError, report, run

    home = Home.find()
    clip = clip or home.root / "demo" / "camera.mp4"
    try:
        if against:
            _against(home, clip, (swapper, recogniser, detector), frames, device, out, as_json)
            return
        result = run(home, clip)
    except BenchError as error:
        end(str(error))
    if as_json:
        print(result.json())
    else:
        Console().print(report(result))


def _against(
    home: Home,
    clip: Path,
    files: tuple[Path | None, Path | None, Path | None],
    frames: int,
    device: Literal["auto", "cpu", "cuda", "directml", "coreml"],
    out: Path | None,
    as_json: bool,
) -> None:
    if importlib.util.find_spec("insightface") is None:
        end(f"insightface is not installed beside FaceLive: '{sys.executable} -m pip install insightface onnx'")
    if out and out.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        end(f"{out} should end in .png or .jpg", MISUSE)
    warnings.filterwarnings("ignore", category=FutureWarning, module="insightface")
    from obs_facelive.against import measure, networks
    from obs_facelive.against_told import compared, side_by_side, table
    from obs_facelive.image import write_image

    result, pictures = measure(home, clip, networks(home, *files), frames, device, os.cpu_count() or 1)
    result["levels_apart"] = compared(pictures)
    if out:
        try:
            write_image(out, side_by_side(pictures))
        except OSError as error:
            end(f"{out} cannot be written: {error.strerror or error}")
    print(json.dumps(result) if as_json else table(result))
