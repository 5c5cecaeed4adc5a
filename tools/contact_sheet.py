"""Contact sheets for looking at the swap: moments of clips (rows) by personas (columns), the camera's picture first.

    python -m tools.contact_sheet --out sheets --clips ../shared/data/clips/*.mp4
    python -m tools.contact_sheet --out sheets --clips clip.mp4 --personas amina --moments 8 --settings '{"opacity": 70}'
    python -m tools.contact_sheet --out sheets --clips photo.jpg --pictures ../shared/data/portraits/male_21.jpg

Writes one ``<clip>.jpg`` a clip. ``--pictures`` adds personas made from one photo each. Personas and models come from the data
folder (``FACELIVE_HOME``).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from obs_facelive.engine.stages import Stages
from obs_facelive.fields import read
from obs_facelive.frame import Frame, Pixels
from obs_facelive.home import Home
from obs_facelive.personas.library import Persona, PersonaInfo, load_persona, persona_id
from obs_facelive.settings import Settings
from obs_facelive.view import compose

LEAD = 5
"""Frames that run before each moment, so that smoothing has settled."""


def main() -> int:
    """Writes the sheets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, nargs="+", required=True, help="videos or pictures")
    parser.add_argument("--out", type=Path, required=True, help="folder for the sheets")
    parser.add_argument("--personas", nargs="*", help="ids (default: all)")
    parser.add_argument("--pictures", type=Path, nargs="*", default=[], help="photos to make personas from")
    parser.add_argument("--moments", type=int, default=6, help="rows")
    parser.add_argument("--cell", type=int, default=256, help="pixels of a cell's side")
    parser.add_argument("--settings", default="{}", help="JSON, as the filter's settings")
    arguments = parser.parse_args()
    home = Home.find()
    stages = Stages(home, "cpu")
    ids = home.persona_names() if arguments.personas is None else arguments.personas
    personas = [load_persona(home.personas / name) for name in ids]
    for path in arguments.pictures:
        picture = cv2.imread(str(path))
        if picture is None:
            parser.error(f"{path} is not a picture")
        info = PersonaInfo(id=persona_id(path.stem), name=path.stem, kind="synthetic", origin="pack")
        personas.append(stages.persona_of(np.asarray(picture, np.uint8), info))
    settings, problems = read(arguments.settings)
    if problems:
        print("\n".join(problems), file=sys.stderr)
        return 1
    arguments.out.mkdir(parents=True, exist_ok=True)
    for clip in arguments.clips:
        picture = sheet(clip, personas, settings, stages, arguments.moments, arguments.cell)
        target = arguments.out / f"{clip.stem}.jpg"
        cv2.imwrite(str(target), picture, [cv2.IMWRITE_JPEG_QUALITY, 92])
        print(target)
    return 0


def sheet(
    clip: Path,
    personas: list[Persona],
    settings: Settings,
    stages: Stages,
    rows: int,
    cell: int,
) -> Pixels:
    """The sheet of one clip, (rows * cell, (1 + personas) * cell, 3) uint8 BGR."""
    out = []
    for run in moments(clip, rows):
        pipelines = [stages.pipeline(settings, persona) for persona in personas]
        cells: list[Pixels] = []
        for frame in run:
            outcomes = [pipeline.process(frame, settings) for pipeline in pipelines]
        box = (0, 0, frame.width, frame.height)
        if outcomes and outcomes[0].faces:
            points = outcomes[0].faces[0].points[:, :2]
            low, high = points.min(0), points.max(0)
            centre, side = (low + high) / 2, float((high - low).max()) * 0.75
            box = tuple(int(v) for v in (*(centre - side), *(centre + side)))  # type: ignore[assignment]
        cells = [_cut(p, box, cell) for p in (frame.pixels, *(compose(frame, o.patches) for o in outcomes))]
        out.append(np.hstack(cells))
    return np.vstack(out)


def moments(clip: Path, count: int) -> Iterator[list[Frame]]:
    """``count`` runs of frames, evenly over the clip; for a picture the picture itself."""
    still = cv2.imread(str(clip)) if clip.suffix.lower() in (".jpg", ".jpeg", ".png") else None
    if still is not None:
        yield [_frame(still, 0, 0.0)]
        return
    video = cv2.VideoCapture(str(clip))
    pictures = []
    while (answer := video.read())[0]:
        pictures.append(answer[1])
    if not pictures:
        raise SystemExit(f"{clip} is neither a picture nor a video that OpenCV can read")
    rate = video.get(cv2.CAP_PROP_FPS) or 30.0
    for k in range(count):
        at = int(len(pictures) * (k + 0.5) / count)
        first = max(0, at - LEAD)
        yield [_frame(pictures[i], i, i / rate) for i in range(first, at + 1)]


def _frame(picture: npt.NDArray[Any], number: int, time: float) -> Frame:
    return Frame(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2BGRA), np.uint8), number, time)


def _cut(pixels: Pixels, box: tuple[int, int, int, int], side: int) -> Pixels:
    """``box`` (x0 y0 x1 y1) of ``pixels``, which it may leave, as a square of ``side``."""
    x0, y0, x1, y1 = box
    height, width = pixels.shape[:2]
    part = pixels[max(y0, 0) : max(y1, 1), max(x0, 0) : max(x1, 1), :3]
    around = (max(-y0, 0), max(y1 - height, 0), max(-x0, 0), max(x1 - width, 0))
    framed = cv2.copyMakeBorder(part, *around, cv2.BORDER_CONSTANT)
    return np.asarray(cv2.resize(framed, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


if __name__ == "__main__":
    sys.exit(main())
