"""The enhancer that settings ask for: a network that the person brought."""

from __future__ import annotations

import threading

from obs_facelive.brought import find_model
from obs_facelive.catalog import ModelError
from obs_facelive.engine.opening import Opening, told
from obs_facelive.enhance import Enhancer
from obs_facelive.enhance.restorer import Restorer
from obs_facelive.home import Home
from obs_facelive.runtime.providers import Place
from obs_facelive.settings import Settings


class EnhancerError(ModelError):
    """The enhancer cannot be had; all else can."""


class Enhancers:
    """Makes enhancers; keeps the network that was opened last. Safe to use from several threads."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lock, self._opening = threading.Lock(), Opening(home)
        self._opened: tuple[tuple[str, str, Place], Restorer, str] | None = None

    def make(self, settings: Settings, place: Place) -> Enhancer | None:
        """``settings``' enhancer where ``place`` lets it run, if they name one. Raises `EnhancerError`, in words for people."""
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
                    self._opened = key, Restorer(session, matched), told(choice, place.device)
                return self._opened[1]
        except ModelError as error:
            raise EnhancerError(str(error)) from error

    def told(self, file: str) -> str:
        """For people: where the enhancer of that name runs; empty if it was not opened last."""
        opened = self._opened
        return opened[2] if opened and opened[0][0] == file else ""
