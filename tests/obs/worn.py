"""Our filter or camera in a libobs in this process: its row, read beside libobs, and waiting for what it shows."""

from __future__ import annotations

import ctypes
import json
import os
from pathlib import Path
from typing import Any

from obs_facelive.obs import rows as r
from obs_facelive.obs.filter import CAMERA_ID, ID
from obs_facelive.states import REASONS
from tests.obs.libobs import Libobs
from tools.waiting import wait_for

SECONDS = 60.0
"""How long anything may take."""
_STATES = ("starting", "live", "hold", "cover", "bypass")


class Worn:
    """Our filter on a source.

    Attributes
    ----------
    filter : what libobs calls it
    """

    def __init__(self, obs: Libobs, source: int, name: str, settings: dict[str, Any] | None = None) -> None:
        self._keep(obs, obs.add_filter(source, ID, name, settings), name)

    def _keep(self, obs: Libobs, made: int, name: str) -> None:
        self._obs, self.filter, self._name = obs, made, name
        self.address = obs.call.obs_obj_get_data(made)
        self._row = (ctypes.c_int64 * r.ROW_WORDS).from_address(self.address)

    def __getitem__(self, word: int) -> int:
        return self._row[word]

    @property
    def state(self) -> str:
        """What it shows."""
        return _STATES[self[r.STATE]]

    def wait(self, state: str, reason: str = "") -> None:
        """Wait until it shows that, for that reason."""
        try:
            wait_for(
                f"{self._name}: {state} ({reason})",
                lambda: self.state == state and (not reason or REASONS[self[r.REASON]] == reason),
                SECONDS,
            )
        except TimeoutError as late:
            raise TimeoutError(f"{late}; it is {self.note()}") from late

    def update(self, settings: dict[str, Any]) -> None:
        """Change settings; wait until libobs has told the filter."""
        before = self[r.JSON_SEQ]
        self._obs.update(self.filter, settings)
        wait_for(f"{self._name}: {settings}", lambda: self[r.JSON_SEQ] > before, SECONDS)

    def wait_frames(self, count: int, counter: int) -> None:
        """Wait until a counter of the row (`rows.RENDERS`, `rows.CAPTURES`) has grown by so many."""
        before = self[counter]
        wait_for(f"{self._name}: {count} frames", lambda: self[counter] >= before + count, SECONDS)

    def status(self) -> dict[str, Any]:
        """What the supervisor says about it."""
        return wait_for(f"{self._name}: a status", self._status, SECONDS)

    def _status(self) -> dict[str, Any] | None:
        for file in Path(os.environ["FACELIVE_STATUS_DIR"]).glob("*.json"):
            status: dict[str, Any] = json.loads(file.read_text())
            if status["name"] == self._name:
                return status
        return None

    def wait_applied(self) -> None:
        """Wait until pictures are shown that the engine made with the newest settings."""

        def applied() -> bool:
            status = self.status()
            return bool(status["settings_seq"] > 0 and status["applied_seq"] >= status["settings_seq"])

        wait_for(f"{self._name}: settings in the engine", applied, SECONDS)
        self.wait_frames(4, r.RESULTS)

    def note(self) -> dict[str, Any]:
        """Its row in words."""
        return {
            "state": self.state,
            "reason": REASONS[self[r.REASON]],
            "size": [self[r.WIDTH], self[r.HEIGHT]],
            "raw_shown": self[r.RAW_SHOWN],
            "torn": self[r.TORN],
            "bad_results": self[r.BAD_RESULTS],
        }


class Camera(Worn):
    """A FaceLive camera in the scene on air."""

    def __init__(self, obs: Libobs, name: str, settings: dict[str, Any]) -> None:
        self._keep(obs, obs.source(CAMERA_ID, name, settings), name)

    def wait_note(self, words: str) -> None:
        """Wait until the panel says that of its target."""
        wait_for(f"{self._name}: {words}", lambda: self.status()["note"] == words, SECONDS)
