"""What the tests do to a camera with our filter, and how they judge its picture."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np

from obs_facelive.frame import Pixels
from obs_facelive.obs.filter import ID
from tools.obs_session import ObsSession
from tools.waiting import wait_for

CAMERA, FILTER = "camera", "FaceLive"
HEAD = (slice(80, 640), slice(460, 850))
"""Rows and columns of the demo clip (1280x720) that its person's head stays in."""
ROOM = (slice(0, 720), slice(0, 160))
"""Rows and columns of it that the head never comes to and the badge never lies on."""


def is_live(status: dict[str, Any]) -> bool:
    """Whether the filter shows swapped pictures."""
    return bool(status["state"] == "live")


def add_filter(
    obs: ObsSession, source: str = CAMERA, name: str = FILTER, settings: dict[str, Any] | None = None
) -> None:
    """Put our filter on a source."""
    obs.client.create_source_filter(source, name, ID, settings)


def remove_filter(obs: ObsSession, source: str = CAMERA, name: str = FILTER) -> None:
    """Take our filter off a source, and wait until it says nothing more."""
    obs.client.remove_source_filter(source, name)
    gone(obs, name)


def gone(obs: ObsSession, name: str = FILTER) -> None:
    """Wait until there is no filter of that name."""
    wait_for(f"{name!r} to go", lambda: obs.status(name) is None, 10)


def change(obs: ObsSession, settings: dict[str, Any], source: str = CAMERA, name: str = FILTER) -> dict[str, Any]:
    """Change settings; wait until results made with them are shown. Gives the status then."""
    before = obs.wait_status("the filter", lambda s: s["settings_seq"] > 0, name=name)["settings_seq"]
    obs.client.set_source_filter_settings(source, name, settings, True)
    obs.wait_status(
        f"{settings} to be applied",
        lambda s: s["settings_seq"] > before and s["applied_seq"] >= s["settings_seq"],
        name=name,
    )
    return fresh(obs, name=name)


def fresh(obs: ObsSession, results: int = 4, name: str = FILTER) -> dict[str, Any]:
    """Wait for some more results than there are now, so that what is shown belongs to what is there now."""
    called = time.time()
    now = obs.wait_status("the filter", lambda s: s["written"] > called, name=name)["results"]
    return obs.wait_status("new results", lambda s: s["results"] >= now + results and is_live(s), name=name)


def pause(obs: ObsSession, source: str = CAMERA) -> None:
    """Stop the clip, and wait until its frame (looked at in `ROOM`) stands still: OBS has more in a queue."""
    obs.client.trigger_media_input_action(source, "OBS_WEBSOCKET_MEDIA_INPUT_ACTION_PAUSE")
    shown: list[Pixels] = []

    def still() -> bool:
        fresh(obs, 2)
        shown.append(obs.picture(source, 320)[:, : ROOM[1].stop // 4])
        return len(shown) > 2 and np.array_equal(shown[-1], shown[-2]) and np.array_equal(shown[-2], shown[-3])

    wait_for("the clip to stand still", still, 20)


def play(obs: ObsSession, source: str = CAMERA) -> None:
    """Let the clip go on."""
    obs.client.trigger_media_input_action(source, "OBS_WEBSOCKET_MEDIA_INPUT_ACTION_PLAY")


@contextmanager
def disabled(obs: ObsSession, source: str = CAMERA, name: str = FILTER) -> Iterator[None]:
    """With the filter switched off by OBS's eye button."""
    obs.client.set_source_filter_enabled(source, name, False)
    try:
        yield
    finally:
        obs.client.set_source_filter_enabled(source, name, True)


def bare_picture(obs: ObsSession, source: str = CAMERA, name: str = FILTER) -> Pixels:
    """The source's picture without our filter."""
    with disabled(obs, source, name):
        return obs.picture(source)


def difference(a: Pixels, b: Pixels) -> float:
    """Mean absolute difference over pixels and channels, 0..255."""
    return float(np.abs(a.astype(np.int16) - b.astype(np.int16)).mean())


def detail(picture: Pixels) -> float:
    """How much structure finer than about 20 pixels (an eye, a mouth) a picture has, in mean levels of 0..255."""
    grey = cv2.cvtColor(picture[..., :3], cv2.COLOR_BGR2GRAY).astype(np.float32)
    return float(np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 10)).mean())


def unrecognisable(shown: Pixels, bare: Pixels) -> bool:
    """Whether nothing as fine as an eye or a mouth of the demo's person is left."""
    face = (slice(250, 600), slice(480, 760))
    return detail(shown[face]) < 0.2 * detail(bare[face])
