from __future__ import annotations

import numpy as np

from obs_facelive.frame import Pixels
from obs_facelive.home import Home
from obs_facelive.personas.library import load_persona
from tools.openpeople import BANK, EXPRESSIONS, PEOPLE, expression_tiles, find_tiles, make_people


def sheet(hidden: bool = False) -> Pixels:
    """Four rows of four grey pictures in white frames on grey; one frame broken if ``hidden``."""
    pixels = np.full((800, 1000, 3), 120, np.uint8)
    for row in range(4):
        for column in range(4):
            x, y = 40 + column * 240, 30 + row * 190
            pixels[y : y + 160, x : x + 200] = 255
            pixels[y + 4 : y + 156, x + 4 : x + 196] = 40 + row * 10 + column
    if hidden:
        pixels[30 + 190 + 100 : 30 + 190 + 160, 40 + 240 - 10 : 40 + 240 + 60] = 90
    return pixels


def test_the_tiles_of_a_sheet_are_found_in_reading_order() -> None:
    tiles = find_tiles(sheet())
    assert len(tiles) == 16
    values = [int(sheet()[y + 50, x + 50, 0]) for x, y, _, _ in tiles]
    assert values == [40 + row * 10 + column for row in range(4) for column in range(4)]


def test_a_tile_with_a_broken_frame_is_found_by_its_neighbours() -> None:
    assert len(find_tiles(sheet(hidden=True))) == 16


def test_labels_go_with_their_tiles() -> None:
    tiles = expression_tiles(sheet())
    assert set(tiles) == {"neutral", *BANK} <= set(EXPRESSIONS)
    assert int(tiles["happy"][50, 50, 0]) == 41 and int(tiles["determined"][50, 50, 0]) == 73
    assert expression_tiles(np.zeros((800, 1000, 3), np.uint8)) == {}


def test_the_shipped_personas_are_made_and_made_once() -> None:
    home = Home.find()
    said: list[str] = []
    make_people(home.personas, home.models, None, said.append)
    assert said == [f"{name}: there already" for name in PEOPLE.values()], (
        "set-up makes them; a second run does nothing"
    )
    for name in PEOPLE.values():
        persona = load_persona(home.personas / name.lower())
        assert persona.info.name == name and persona.info.kind == "synthetic" and persona.info.licence == "MIT"
        assert persona.info.origin == "shipped" and not persona.info.real
        assert len(BANK) - 1 <= len(persona.expressions) <= len(BANK)
        assert persona.texture.shape[0] >= 512
        assert persona.embedding.shape == (128,)
        assert list(persona.info.files) == ["mesh.npz", "thumbnail.jpg", "photos/0.jpg"]
        assert len(persona.gaps) == 2, "a mouth that is a little open and one that is wide open"


def test_a_smile_brings_lines_and_rest_does_not() -> None:
    home = Home.find()
    for name in PEOPLE.values():
        persona = load_persona(home.personas / name.lower())
        energy = np.abs(persona.lines.astype(float)).mean(axis=(1, 2))
        assert energy[0] > 1, f"{name} has no smile lines"
        assert np.abs(persona.lines).max() < 100
