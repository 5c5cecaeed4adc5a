"""The swapper that settings ask for: the embedded one, or a network that the person brought."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from obs_facelive.brought import Brought, find_kind, find_model
from obs_facelive.catalog import ModelError
from obs_facelive.contracts import Matched
from obs_facelive.engine.opening import Opening, threads, told
from obs_facelive.files import read_at_most
from obs_facelive.frame import Floats, Pixels
from obs_facelive.home import Home
from obs_facelive.identity.arcface import ArcFace
from obs_facelive.personas.errors import PersonaError
from obs_facelive.personas.library import MAX_BYTES, PHOTOS, THUMBNAIL_FILE, Persona
from obs_facelive.personas.make import Portrait
from obs_facelive.personas.photos import read_photo
from obs_facelive.runtime.graph import last_initializer
from obs_facelive.runtime.providers import Place
from obs_facelive.runtime.session import Session, open_session
from obs_facelive.settings import MESH, Settings
from obs_facelive.swap import Swapper
from obs_facelive.swap.align import five_points
from obs_facelive.swap.aligned import AlignedSwapper
from obs_facelive.swap.dfm import DfmNetwork
from obs_facelive.swap.mesh import MeshSwapper
from obs_facelive.swap.photo import PhotoNetwork, latent
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
        self._home, self._portrait = home, portrait
        self._lock, self._opening = threading.Lock(), Opening(home)
        self._opened: tuple[tuple[str, str, Place], _Opened] | None = None
        self._told: dict[str, str] = {}
        self._people: dict[tuple[str, str], Floats] = {}

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
            person = self._person(persona)
        return AlignedSwapper(
            PhotoNetwork(opened.session, opened.matched, latent(person, opened.matched.contract.identity, opened.emap))
        )

    def told(self, engine: str) -> str:
        """For people: where the network ``engine`` runs, and how the other devices did; empty if it was not opened."""
        return self._told.get(engine, "")

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

    def _person(self, persona: Persona) -> Floats:
        """(512,) float32: what the recogniser that the person brought says of ``persona``: the mean of its photos."""
        model = find_kind(self._home, "recogniser")
        key = model.sha256, persona.info.digest
        if key not in self._people:
            matched = model.matched()
            model.read()
            # Once a persona: exact is better than fast.
            session = open_session(model.path, "cpu", threads(), matched.size)
            face = ArcFace(session, matched.names["picture"], matched.names["embedding"], matched.size)
            found = []
            for photo in self._photos(persona):
                portrait = self._portrait(photo)
                embedding = face.embed(portrait.pixels, five_points(portrait.points))
                found.append(embedding / np.linalg.norm(embedding))
            # Of the length that one photo has: some swappers take the numbers as they are.
            mean = np.mean(found, axis=0)
            self._people[key] = np.asarray(mean / np.linalg.norm(mean) * np.linalg.norm(embedding), np.float32)
        return self._people[key]

    def _photos(self, persona: Persona) -> list[Pixels]:
        info, folder = persona.info, self._home.personas / persona.info.id
        names = sorted(name for name in info.files if name.startswith(f"{PHOTOS}/")) or [THUMBNAIL_FILE]
        found = []
        for name in names:
            try:
                content = read_at_most(folder / name, MAX_BYTES)
            except (OSError, ValueError) as error:
                raise PersonaError(
                    f"networks need {info.name}'s photo, and it cannot be read ({error}). Save the persona first "
                    "(facelive persona add), or choose the engine 'mesh'."
                ) from error
            if hashlib.sha256(content).hexdigest() != info.files.get(name):
                raise PersonaError(f"{folder / name} was changed or damaged after it was made")
            found.append(read_photo(content, name))
        return found


@dataclass(frozen=True, slots=True)
class _Opened:
    """A network, and how it is spoken to."""

    session: Session
    matched: Matched
    emap: Floats | None
