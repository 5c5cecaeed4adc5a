"""A walk through the panel in a running OBS that records: a photo without consent, a bad one, a good one, another persona."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from obs_facelive.frame import Pixels
from obs_facelive.home import Home
from obs_facelive.obs.panel_persona import BUTTON
from obs_facelive.personas.consent import read_consent
from obs_facelive.personas.info import load_info
from tests.obs.conftest import SCRIPT
from tests.obs.driving import is_live, pause
from tests.obs.recording import distance_to_nearest, heads
from tests.obs.test_panel import CALM, PICTURES
from tests.real_person import home_with
from tools.obs_config import Collection, Item, Scene, Video, camera, media
from tools.obs_session import ObsSession
from tools.virtual_display import Desktop, virtual_display
from tools.waiting import wait_for

WEBCAM, OURS = "webcam", "FaceLive"
FILTER = OURS  # what the camera calls itself in its status
SIZE = (900, 1560)
"""The dialog's, in pixels."""
PANEL = (slice(700, 1490), slice(0, 860))
"""Rows and columns of the dialog that the panel is in, below the preview."""
FADE_MS = 2000


class Walk:
    """A person before the properties of a FaceLive camera; keeps a picture of every step."""

    def __init__(self, obs: ObsSession, desktop: Desktop, folder: Path) -> None:
        self.obs, self.desktop, self.folder = obs, desktop, folder
        self.steps = 0
        obs.client.open_input_properties_dialog(OURS)
        self.dialog = wait_for("the dialog", lambda: desktop.windows("Properties for"), 20)[0]
        desktop.place(self.dialog, 0, 0, *SIZE)

    def close(self) -> None:
        """OK: what was changed stays."""
        self.desktop.focus(self.dialog)
        self.desktop.click(SIZE[0] - 150, SIZE[1] - 30)
        wait_for("the dialog to close", lambda: not self.desktop.windows("Properties for"), 20)

    def set(self, **settings: str | int) -> None:
        """Changes settings, which the open panel shows."""
        self.obs.client.set_input_settings(OURS, settings, True)

    def press(self) -> None:
        """The panel's button."""
        self.obs.client.press_input_properties_button(OURS, BUTTON)

    def told(self, *words: str, persona: str = "") -> dict[str, Any]:
        """Waits until the panel says all of that."""
        return self.obs.wait_status(
            f"{words}",
            lambda s: all(w in s["adding"] for w in words) and (not persona or s["persona"] == persona),
            name=FILTER,
            seconds=90,
        )

    def look(self, name: str) -> None:
        """Keeps a picture of the dialog once it stands still: the panel is refreshed within some seconds."""
        pictures: list[Pixels] = []

        def still() -> bool:
            pictures.append(self.desktop.picture(self.dialog))
            last = pictures[-CALM:]
            return len(last) == CALM and all(np.array_equal(p[PANEL], last[-1][PANEL]) for p in last)

        wait_for(f"the panel to stand still: {name}", still, 60)
        self.steps += 1
        assert pictures[-1][PANEL].std() > 5
        cv2.imwrite(str(self.folder / f"walk-{self.steps}-{name}.png"), pictures[-1])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_photo_becomes_a_persona_in_the_panel(
    tmp_path: Path, home: Home, camera_clip: Path, obs_env: dict[str, str], portraits: dict[str, Pixels]
) -> None:
    own = home_with(home, tmp_path / "home")
    good, bad = tmp_path / "anna.jpg", tmp_path / "two people.jpg"
    cv2.imwrite(str(good), portraits["female_47"])
    cv2.imwrite(str(bad), np.hstack([portraits["female_47"], portraits["male_4"]]))
    pictures = Path(os.environ.get(PICTURES) or tmp_path / "pictures")
    pictures.mkdir(parents=True, exist_ok=True)
    first, other = own.persona_names()
    collection = Collection(
        "Walk",
        [media(WEBCAM, camera_clip), camera(WEBCAM, OURS, {"persona": first, "crossfade_ms": FADE_MS})],
        [Scene("Scene", [Item(WEBCAM), Item(OURS)])],
        [SCRIPT],
    )
    env = {**obs_env, "FACELIVE_HOME": str(own.root)}
    with (
        virtual_display(1000, 1600) as display,
        ObsSession(tmp_path / "obs", [collection], video=Video(fps=10), env=env, display=display) as obs,
    ):
        obs.wait_status("the swapped face", is_live, name=FILTER, seconds=60)
        with Desktop(obs.display) as desktop:
            walk = Walk(obs, desktop, pictures)
            walk.look("empty")
            obs.start_recording()

            walk.set(add_photo=str(bad), add_name="Anna", add_whose="granted")
            walk.press()
            walk.told("Nothing was added", "who gave permission")
            walk.look("no-consent")

            walk.set(add_by="Anna herself", add_for="my talks")
            walk.press()
            walk.told("Nothing was added", "another face")
            walk.look("bad-photo")
            assert own.persona_names() == sorted([first, other])

            walk.set(add_photo=str(good))
            walk.press()
            walk.told("Anna was added", persona="anna")
            walk.look("added")
            record = read_consent(own.personas / "anna")
            assert record and (record.kind, record.by, record.purpose) == ("granted", "Anna herself", "my talks")
            assert load_info(own.personas / "anna").real
            settings = obs.client.get_input_settings(OURS).input_settings
            assert (settings["persona"], settings["add_photo"], settings["add_by"]) == ("anna", "", "")
            moving = obs.stop_recording()

            # On a frame that stands still, all that changes is the persona.
            pause(obs, WEBCAM)
            obs.start_recording()
            walk.set(persona=other)
            wait_for("the other persona", lambda: (obs.status(FILTER) or {}).get("persona") == other, 60)
            obs.wait_status("the new one alone", is_live, name=FILTER)
            done = obs.client.get_record_status().output_duration + 2 * FADE_MS
            wait_for("the end of the fade", lambda: obs.client.get_record_status().output_duration > done, 60)
            fading = obs.stop_recording()
            walk.look("another-persona")
            walk.close()
            status = obs.status(FILTER)
        assert status is not None and status["raw_frames_shown"] == 0
        obs.quit()
        assert obs.leaks() == 0

    bare = heads(camera_clip)
    for clip in (moving, fading):
        assert distance_to_nearest(heads(clip), bare).min() > 2, "a bare frame was recorded"
    frames = heads(fading)
    way = frames[-1] - frames[0]
    assert np.abs(way).mean() > 1, "the persona did not change"
    # How far each frame is on the way from the one persona to the other.
    share = (frames - frames[0]) @ way / (way @ way)
    between = ((share > 0.05) & (share < 0.95)).sum()
    print(f"\n{between} frames between the two personas, largest step {np.abs(np.diff(share)).max():.2f} of the way")
    assert between >= 2 and np.abs(np.diff(share)).max() < 0.8
