"""The filter's panel in OBS's own filter dialog, as a person sees it; its picture is the README's."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np

from obs_facelive.frame import Pixels
from tests.obs.conftest import one_camera
from tests.obs.driving import CAMERA, is_live
from tools.obs_config import Filter
from tools.obs_session import ObsSession
from tools.virtual_display import Desktop, virtual_display
from tools.waiting import wait_for

SCREEN = (1200, 1400)
SIZE = (1000, 1340)
"""The dialog's, in pixels."""
PANEL = (slice(700, 1250), slice(280, 980))
"""Rows and columns of the dialog that the panel is in, below the preview."""
PICTURES = "FACELIVE_WRITE_IMAGES"
"""An environment variable: the folder that gets ``panel.png``, for the README."""


CALM = 15
"""So many pictures in a row that say the same: Qt draws a new size in several steps."""


def test_the_panel_is_shown(tmp_path: Path, camera_clip: Path, obs_env: dict[str, str]) -> None:
    collection = one_camera(camera_clip, Filter())
    with (
        virtual_display(*SCREEN) as display,
        ObsSession(tmp_path / "obs", [collection], env=obs_env, display=display) as obs,
    ):
        obs.wait_status("the swapped face", is_live, seconds=60)
        obs.client.open_input_filters_dialog(CAMERA)
        with Desktop(obs.display) as desktop:
            dialog = wait_for("the dialog", lambda: desktop.windows("Filters for"), 20)[0]
            # Without the keyboard's focus: it goes to the empty upper list, for which OBS hides the panel.
            desktop.place(dialog, 0, 0, *SIZE)
            pictures: list[Pixels] = []

            def drawn() -> bool:
                pictures.append(desktop.picture(dialog))
                last = pictures[-CALM:]
                whole = last[-1].shape[1::-1] == SIZE and bool(last[-1][-1].all())
                return whole and len(last) == CALM and all(np.array_equal(p[PANEL], last[-1][PANEL]) for p in last)

            wait_for("the dialog to be drawn", drawn, 20)
            picture = pictures[-1]
            assert picture[PANEL].std() > 5
        cv2.imwrite(str(tmp_path / "panel.png"), picture)
        obs.quit()
        assert obs.leaks() == 0

    if folder := os.environ.get(PICTURES):
        Path(folder).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(Path(folder) / "panel.png"), picture)
