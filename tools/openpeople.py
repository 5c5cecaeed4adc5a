"""The shipped personas: eight people who do not exist, out of the pinned wheel ``openpeople==0.1.2``.

    python -m tools.openpeople --out <personas folder> --models <models folder>

The wheel (MIT) carries ten people drawn by an image model, each with a studio portrait and a sheet of sixteen labelled
expressions. P003 is left out (it resembles an actress) and so is P010 (a near twin of P004; the demo's camera clip uses it).
A second run makes only what is missing or was made by another recipe.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from obs_facelive.catalog import ModelError
from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.frame import Pixels
from obs_facelive.identity.recogniser import Recogniser, mean_embedding
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.personas.library import PersonaError, PersonaInfo, load_persona, save_persona
from obs_facelive.personas.make import find_portrait, make_persona, thumbnail
from obs_facelive.topology import load_canonical_face
from tools.wheels import FetchError, fetch_wheel

VERSION = "0.1.2"
WHEEL_SHA256 = "6faee04493aa7e3e913ba7bc720db90bb9e5f4b7e65eaaf74cd77f74c74e609f"
RECIPE = "openpeople recipe 20"
"""Counts up whenever the same pictures would give another persona."""
PEOPLE = {
    "P001": "Amina",
    "P002": "Clara",
    "P004": "Leila",
    "P005": "Darius",
    "P006": "Priya",
    "P007": "Malik",
    "P008": "Rafael",
    "P009": "Zola",
}
EXPRESSIONS = (
    *("neutral", "happy", "sad", "angry", "surprised", "disgusted", "scared", "confused"),
    *("smug", "flirty", "thoughtful", "pensive", "exhausted", "shocked", "playful", "determined"),
)
"""The labels under the sheet's tiles, row by row."""
BANK = ("happy", "sad", "angry", "surprised", "disgusted", "scared", "smug", "flirty", "determined")
"""Those that show a whole face from the front, without hands or tongue."""


def main() -> int:
    """Makes the personas; 0 if all are there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the personas")
    parser.add_argument("--models", type=Path, required=True, help="folder of the embedded models")
    parser.add_argument("--wheels", type=Path, help="folder that keeps downloaded wheels (default: a temporary one)")
    arguments = parser.parse_args()
    try:
        make_people(arguments.out, arguments.models, arguments.wheels, lambda line: print(line, flush=True))
    except (FetchError, ModelError, PersonaError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def make_people(out: Path, models: Path, wheels: Path | None, say: Callable[[str], None]) -> None:
    """Makes each of `PEOPLE` in ``out`` unless it is there. Raises `FetchError`, `ModelError` or `PersonaError`."""
    missing = [(person, name) for person, name in PEOPLE.items() if not _is_made(out / name.lower())]
    for name in (n for p, n in PEOPLE.items() if (p, n) not in missing):
        say(f"{name}: there already")
    if not missing:
        return
    detector, landmarker, canonical = BlazeFace(models), FaceMesh(models), load_canonical_face(models)
    recogniser = Recogniser(models)
    with tempfile.TemporaryDirectory() as scratch:
        say(f"openpeople {VERSION}: fetching (34 MB)")
        wheel = fetch_wheel("openpeople", VERSION, WHEEL_SHA256, wheels or Path(scratch))
        for count, (person, name) in enumerate(missing, 1):
            assets = f"openpeople/data/curated/{person}/assets"
            studio = find_portrait(read_picture(wheel, f"{assets}/studio_portrait.jpg"), detector, landmarker)
            sheet = read_picture(wheel, f"{assets}/emotions_sheet.jpg")
            faces = {
                label: find_portrait(tile, detector, landmarker) for label, tile in expression_tiles(sheet).items()
            }
            info = PersonaInfo(
                id=name.lower(),
                name=name,
                kind="synthetic",
                origin="shipped",
                made=RECIPE,
                source=f"openpeople {VERSION} on PyPI, {person}: drawn by an image model, this person does not exist",
                licence="MIT",
            )
            bank = [faces[label] for label in BANK if label in faces]
            embedding = mean_embedding([recogniser.embed(p.pixels, p.points) for p in (studio, *faces.values())])
            persona = make_persona(info, studio, canonical, faces.get("neutral"), bank, embedding)
            save_persona(out, persona, thumbnail(studio), [studio.pixels])
            say(f"{name}: made ({count} of {len(missing)}), {len(persona.expressions)} expressions")


def expression_tiles(sheet: Pixels) -> dict[str, Pixels]:
    """The tiles of a sheet of expressions that are of use, by their labels; none if the sheet has not its sixteen tiles."""
    tiles = find_tiles(sheet)
    if len(tiles) != len(EXPRESSIONS):
        return {}
    labelled = zip(EXPRESSIONS, tiles, strict=True)
    return {
        label: sheet[y + 3 : y + h - 3, x + 3 : x + w - 3]
        for label, (x, y, w, h) in labelled
        if label in ("neutral", *BANK)
    }


def find_tiles(sheet: Pixels) -> list[tuple[int, int, int, int]]:
    """x, y, width, height of the pictures with white frames on ``sheet``, row by row."""
    white = cv2.dilate((sheet.min(axis=2) > 235).astype(np.uint8), np.ones((5, 5), np.uint8))
    contours, tree = cv2.findContours(white, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    found: list[tuple[int, int, int, int]] = []
    if tree is None:
        return found
    for contour, links in zip(contours, tree[0], strict=True):
        x, y, width, height = cv2.boundingRect(contour)
        large = width > sheet.shape[1] * 0.12 and height > sheet.shape[0] * 0.12
        # A contour with a parent is a hole in the white: the inside of a frame.
        if links[3] >= 0 and large and cv2.contourArea(contour) > 0.9 * width * height:
            found.append((x, y, width, height))
    rows: list[list[tuple[int, int, int, int]]] = []
    for tile in sorted(found, key=lambda t: t[1]):
        if rows and abs(rows[-1][0][1] - tile[1]) < tile[3] * 0.4:
            rows[-1].append(tile)
        else:
            rows.append([tile])
    full = max(rows, key=len, default=[])
    for row in rows:
        # Something that reaches over its frame hides a tile: its place is known from a row where all are seen.
        for x, _, width, _ in full:
            if not any(abs(x - tile[0]) < width * 0.3 for tile in row):
                row.append((x, row[0][1], width, row[0][3]))
    return [tile for row in rows for tile in sorted(row)]


def _is_made(folder: Path) -> bool:
    try:
        return load_persona(folder).info.made == RECIPE
    except PersonaError:
        return False


def read_picture(wheel: Path, member: str) -> Pixels:
    """A picture in the wheel, (h, w, 3) BGR. Raises `PersonaError` where it is none."""
    with zipfile.ZipFile(wheel) as archive:
        pixels = cv2.imdecode(np.frombuffer(archive.read(member), np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise PersonaError(f"{member} in {wheel.name} is not a picture")
    return np.asarray(pixels, np.uint8)


if __name__ == "__main__":
    sys.exit(main())
