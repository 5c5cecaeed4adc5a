"""The enhancer that settings ask for: a network that the person brought."""

from __future__ import annotations

import threading
from typing import Final, TypeAlias
from weakref import WeakValueDictionary

from obs_facelive.brought import Brought, find_model
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


_Key: TypeAlias = tuple[str, str, Place]
"""A network and where it runs: its file, the hash of what was added, the place."""


class EnhancerError(ModelError):
    """The enhancer cannot be had; all else can."""


class Enhancers:
    """Makes enhancers; a network stays open as long as somebody uses it. Safe to use from several threads."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lock, self._opening = threading.Lock(), Opening(home)
        self._used = WeakValueDictionary[_Key, Restorer]()
        self._choices: dict[_Key, Choice] = {}
        self._told: dict[str, str] = {}

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
            key = model.file, model.sha256, place
            with self._lock:
                restorer = self._used.get(key) or self._open(model, key)
                choice = self._choices[key]
        except ModelError as error:
            raise EnhancerError(str(error)) from error
        ms = next((trial.ms for trial in choice.trials if trial.device == choice.device), None) or 0.0
        if live and ms > SLOWEST_MS:
            raise EnhancerError(
                f"{model.file} takes {ms / 1000:.0f} s for one picture on this computer: too slow for a camera. It wants a "
                "graphics card; files can be made with it (facelive swap)."
            )
        return restorer

    def told(self, file: str) -> str:
        """For people: where the enhancer of that name runs; empty if it was not opened."""
        return self._told.get(file, "")

    def _open(self, model: Brought, key: _Key) -> Restorer:
        matched, place = model.matched(), key[2]
        model.read()  # is it what was added?
        session, self._choices[key] = self._opening.open(model, place, matched.size)
        self._told[model.file] = told(self._choices[key], place.device)
        self._used[key] = restorer = Restorer(session, matched)
        return restorer
