"""The swapper that settings ask for: the embedded one, or a network that the person brought."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from obs_facelive.brought import Brought, find_model
from obs_facelive.catalog import ModelError
from obs_facelive.contracts import Matched
from obs_facelive.engine.opening import Opening, told
from obs_facelive.engine.people import People
from obs_facelive.frame import Floats, Pixels
from obs_facelive.home import Home
from obs_facelive.personas.library import Persona
from obs_facelive.personas.make import Portrait
from obs_facelive.runtime.graph import last_initializer
from obs_facelive.runtime.providers import Place
from obs_facelive.runtime.session import Session
from obs_facelive.settings import MESH, Settings
from obs_facelive.swap import Swapper
from obs_facelive.swap.aligned import AlignedSwapper
from obs_facelive.swap.dfm import DfmNetwork
from obs_facelive.swap.mesh import MeshSwapper
from obs_facelive.swap.photo import PhotoNetwork
from obs_facelive.swap.strength import StrengthSwapper
from obs_facelive.topology import CanonicalFace

NETWORKS_SUIT: Final[dict[str, bool | int | str]] = {
    "keep_eyes": False,
    "keep_mouth": False,
    "shape": 0,
    "match_neck": 0,
}
"""What suits the face that a network makes: it has eyes, a mouth and the room's light of its own."""


class Swappers:
    """Makes swappers; keeps the network that was opened last. Safe to use from several threads.

    Parameters
    ----------
    portrait : finds the face in a photo
    """

    def __init__(self, home: Home, portrait: Callable[[Pixels], Portrait]) -> None:
        self._home, self._people = home, People(home, portrait)
        self._lock, self._opening = threading.Lock(), Opening(home)
        self._opened: tuple[tuple[str, str, Place], _Opened] | None = None
        self._told: dict[str, str] = {}

    def make(self, settings: Settings, persona: Persona, canonical: CanonicalFace, place: Place) -> Swapper:
        """The swapper of ``settings``' engine for ``persona``, where ``place`` lets it run.

        Raises `ModelError` or `PersonaError`, in words for people.
        """
        if settings.engine == MESH:
            return MeshSwapper(persona, canonical)
        model = find_model(self._home, settings.engine)
        if model.kind not in ("swapper", "dfm"):
            raise ModelError(f"{model.title} makes no face: it is a {model.kind}")
        if model.kind == "dfm":
            # Worn only with a face that asks for consent, whatever a pack says of itself.
            if persona.info.trained != model.sha256 or not persona.info.real:
                raise ModelError(
                    f"{model.title} has a face of its own, and nobody said whose: it is not {persona.info.name}'s. Choose the "
                    f"persona that it belongs to, or say so: facelive persona trained {persona.info.id} {model.file}"
                )
            with self._lock:
                opened = self._open(model, place)
            return AlignedSwapper(DfmNetwork(opened.session, opened.matched))
        with self._lock:
            opened = self._open(model, place)
            return self._by_photo(model, opened, persona, place)

    def told(self, engine: str) -> str:
        """For people: where the network ``engine`` runs, and how the other devices did; empty if it was not opened."""
        return self._told.get(engine, "")

    def _by_photo(self, model: Brought, opened: _Opened, persona: Persona, place: Place) -> Swapper:
        contract, people = opened.matched.contract, self._people
        if contract.identity == "image":
            return AlignedSwapper(PhotoNetwork(opened.session, opened.matched, people.picture(persona, opened.matched)))
        person = people.embedding(persona, model, contract)
        source = people.source(model, contract, opened.emap)
        network = PhotoNetwork(opened.session, opened.matched, source(person))
        return StrengthSwapper(network, person, source, people.look(model, contract, place))

    def _open(self, model: Brought, place: Place) -> _Opened:
        key = model.file, model.sha256, place
        if self._opened is None or self._opened[0] != key:
            self._opened = None  # before, so that two large networks are not in memory because of us
            matched, content = model.matched(), model.read()
            emap = last_initializer(content) if matched.contract.identity == "emap" else None
            session, choice = self._opening.open(model, place, matched.size)
            self._opened = key, _Opened(session, matched, emap)
            self._told[model.file] = told(choice, place.device)
        return self._opened[1]


@dataclass(frozen=True, slots=True)
class _Opened:
    """A network, and how it is spoken to."""

    session: Session
    matched: Matched
    emap: Floats | None
