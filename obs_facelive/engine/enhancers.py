"""The enhancer that settings ask for: a network that the person brought."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

from obs_facelive.brought import find_model
from obs_facelive.catalog import ModelError
from obs_facelive.engine.opening import Opening, told
from obs_facelive.enhance import Enhancer
from obs_facelive.enhance.restorer import Restorer
from obs_facelive.home import Home
from obs_facelive.runtime.choice import Choice
from obs_facelive.runtime.providers import Place
from obs_facelive.settings import Settings

SLOWEST_MS: Final = 2000.0
"""Milliseconds that an enhancer may take for one live picture: beyond, the engine would only stand still for it."""


class EnhancerError(ModelError):
    """The enhancer cannot be had; all else can."""


class Enhancers:
    """Makes enhancers; keeps the network that was opened last. Safe to use from several threads."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lock, self._opening = threading.Lock(), Opening(home)
        self._opened: tuple[tuple[str, str, Place], _Opened] | None = None

    def make(self, settings: Settings, place: Place, live: bool = False) -> Enhancer | None:
        """``settings``' enhancer where ``place`` lets it run, if they name one; ``live``: one that a camera need not wait for.

        Raises `EnhancerError`, in words for people.
        """
        if not settings.enhancer:
            return None
        try:
            model = find_model(self._home, settings.enhancer)
            if model.kind != "enhancer":
                raise ModelError(f"{model.title} is no enhancer: it is a {model.kind}")
            with self._lock:
                key = model.file, model.sha256, place
                if self._opened is None or self._opened[0] != key:
                    self._opened = None  # before, so that two large networks are not in memory because of us
                    matched = model.matched()
                    model.read()  # is it what was added?
                    session, choice = self._opening.open(model, place, matched.size)
                    self._opened = key, _Opened(Restorer(session, matched), choice, told(choice, place.device))
                opened = self._opened[1]
        except ModelError as error:
            raise EnhancerError(str(error)) from error
        ms = next((trial.ms for trial in opened.choice.trials if trial.device == opened.choice.device), None) or 0.0
        if live and ms > SLOWEST_MS:
            raise EnhancerError(
                f"{model.file} takes {ms / 1000:.0f} s for one picture on this computer: too slow for a camera. It wants a "
                "graphics card; files can be made with it (facelive swap)."
            )
        return opened.restorer

    def told(self, file: str) -> str:
        """For people: where the enhancer of that name runs; empty if it was not opened last."""
        opened = self._opened
        return opened[1].words if opened and opened[0][0] == file else ""


@dataclass(frozen=True, slots=True)
class _Opened:
    """An enhancer, how its device was chosen, and that in words."""

    restorer: Restorer
    choice: Choice
    words: str
