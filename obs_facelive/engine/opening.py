"""Opening the networks that a person brought: each on the device that suits it, as far as there is memory for it."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import replace
from typing import Final

from obs_facelive.brought import Brought
from obs_facelive.catalog import ModelError
from obs_facelive.home import Home
from obs_facelive.runtime.attempts import Attempts
from obs_facelive.runtime.background import Background
from obs_facelive.runtime.bound import Bound
from obs_facelive.runtime.choice import Choice
from obs_facelive.runtime.ends import float32_ends
from obs_facelive.runtime.providers import DEVICES, Device, Place, candidates, missing_devices
from obs_facelive.runtime.remembered import Remembered
from obs_facelive.runtime.session import Session, open_session

THREADS: Final = 4
"""Of one network on the CPU, at the most: beyond, they wait for each other."""


class Opening:
    """Opens networks; what was measured stays in ``home``. Safe to use from several threads."""

    def __init__(self, home: Home) -> None:
        self._folder = home.devices
        self._remembered = Remembered(home.devices)
        self._attempts = Attempts(home.devices)

    def open(self, model: Brought, place: Place, size: int) -> tuple[Session, Choice]:
        """A session for ``model``, and how its device was chosen: see `Remembered.choose`.

        Raises `ModelError`, in words for people, where no device that ``place`` allows runs it, or it ended the engine before.

        Parameters
        ----------
        place : where it may run; "auto": wherever it is fastest
        size : side of the picture that it takes, in pixels
        """
        own = replace(place, cache=self._folder / model.sha256)

        def open_on(device: Device) -> Session:
            if device == "cpu":
                return Background(lambda: float32_ends(open_session(model.path, device, threads(), size)))
            session = open_session(model.path, own.on(device), side=size)
            return float32_ends(Bound(session, gpu=own.gpu) if device == "cuda_graph" else session)

        with self._attempts.trying(model.sha256, model.file):
            try:
                return self._remembered.choose(model.sha256, candidates(place.device), place, open_on, size)
            except ModelError as error:
                raise ModelError(f"{model.file} cannot be used: {error}") from error

    def measure(self, model: Brought) -> str:
        """Measures ``model`` on all devices, whatever is known of it, and says how they did.

        Raises `ModelError`, or `OSError` where what is known cannot be deleted.
        """
        self._forget(model)
        place = Place("auto")
        return told(self.open(model, place, model.size)[1], place.device)

    def _forget(self, model: Brought) -> None:
        """What was measured and compiled, and that it ended the engine."""
        self._remembered.forget(model.sha256)
        self._attempts.forget(model.sha256)
        with suppress(FileNotFoundError):
            shutil.rmtree(self._folder / model.sha256)

    def told(self, model: Brought) -> str:
        """What is remembered of ``model``, for people; empty if nothing is."""
        return self._remembered.told(model.sha256)


def told(choice: Choice, device: Device) -> str:
    """For people: where a network runs, how the others did, and, where ``device`` was "auto", which are not there."""
    missing = ", ".join(DEVICES[name] for name in missing_devices()) if device == "auto" else ""
    return f"{choice.words}; not installed: {missing}" if missing else choice.words


def threads() -> int:
    """Of a network on the CPU."""
    return min(os.cpu_count() or 1, THREADS)
