"""Whom a swapper by one photo makes: a persona as the swapper's contract wants it told."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from weakref import WeakValueDictionary

import numpy as np

from obs_facelive.brought import Brought, find_companion, find_kind
from obs_facelive.catalog import ModelError
from obs_facelive.contracts import Contract, Matched
from obs_facelive.engine.opening import threads
from obs_facelive.files import read_at_most
from obs_facelive.frame import Floats, Pixels
from obs_facelive.home import Home
from obs_facelive.identity.arcface import ArcFace
from obs_facelive.personas.errors import PersonaError
from obs_facelive.personas.library import MAX_BYTES, PHOTOS, THUMBNAIL_FILE, Persona
from obs_facelive.personas.make import Portrait
from obs_facelive.personas.photos import read_photo
from obs_facelive.runtime.ends import float32_ends
from obs_facelive.runtime.providers import Place
from obs_facelive.runtime.session import Session, open_session
from obs_facelive.swap.align import five_points
from obs_facelive.swap.photo import EMBEDDING, latent, source_picture


class People:
    """Asks the recognisers and converters that the person brought. One thread at a time.

    Parameters
    ----------
    portrait : finds the face in a photo
    """

    def __init__(self, home: Home, portrait: Callable[[Pixels], Portrait]) -> None:
        self._home, self._portrait = home, portrait
        # As long as a swapper needs them: a recogniser is large, and most personas are looked at once.
        self._opened = WeakValueDictionary[tuple[str, Place], Session]()
        self._embeddings: dict[tuple[str, ...], Floats] = {}

    def picture(self, persona: Persona, matched: Matched) -> Floats:
        """What a swapper that looks at the photo itself takes: the persona's first one. Raises `PersonaError`."""
        portrait = self._portrait(self._photos(persona)[0])
        return source_picture(matched, portrait.pixels, five_points(portrait.points))

    def look(self, swapper: Brought, contract: Contract, place: Place) -> Callable[[Pixels, Floats], Floats]:
        """The recogniser that ``swapper`` listens to, opened when it is first asked: a picture, a face's five points → (512,).

        Raises `ModelError` that says what is missing.
        """
        models = self._recognisers(swapper, contract)

        @cache
        def faces() -> list[ArcFace]:
            return [ArcFace(self._session(model, place), model.matched()) for model in models]

        def look(pixels: Pixels, five: Floats) -> Floats:
            found = [face.embed(pixels, five) for face in faces()]
            return found[0] if len(found) == 1 else np.sum([each / np.linalg.norm(each) for each in found], axis=0)

        return look

    def embedding(self, persona: Persona, swapper: Brought, contract: Contract) -> Floats:
        """(512,) float32: what that recogniser says of ``persona``: the mean of its photos."""
        key = persona.info.digest, *(model.sha256 for model in self._recognisers(swapper, contract))
        if key not in self._embeddings:
            look, found, length = (
                self.look(swapper, contract, Place("cpu")),
                [],
                1.0,
            )  # once a persona: exact is better than fast
            for photo in self._photos(persona):
                portrait = self._portrait(photo)
                embedding = look(portrait.pixels, five_points(portrait.points))
                length = float(np.linalg.norm(embedding))
                found.append(embedding / length)
            # Of the length that one photo has: some swappers take the numbers as they are.
            mean = np.mean(found, axis=0)
            self._embeddings[key] = np.asarray(mean / np.linalg.norm(mean) * length, np.float32)
        return self._embeddings[key]

    def source(self, swapper: Brought, contract: Contract, emap: Floats | None) -> Callable[[Floats], Floats]:
        """Turns a recogniser's (512,) into the swapper's (1, 512), by way of its converter if it has one."""
        if not contract.converter:
            return lambda embedding: latent(embedding, contract.identity, emap)
        model = find_companion(self._home, contract.converter, swapper.file)
        session, names = self._session(model, Place("cpu")), model.matched().names

        def source(embedding: Floats) -> Floats:
            # It takes the numbers as they are (FaceFusion's convert_source_embedding).
            (converted,) = session.run([names["converted"]], {names["embedding"]: latent(embedding, "raw")})
            if converted.size != EMBEDDING or not np.isfinite(converted).all() or not converted.any():
                raise ModelError(f"{model.file} gives no numbers that are a face's; choose another converter")
            return latent(np.asarray(converted, np.float32).reshape(-1), contract.identity, emap)

        return source

    def _recognisers(self, swapper: Brought, contract: Contract) -> list[Brought]:
        if not contract.recognisers:
            return [find_kind(self._home, "recogniser")]
        return [find_companion(self._home, name, swapper.file) for name in contract.recognisers]

    def _session(self, model: Brought, place: Place) -> Session:
        key = model.sha256, place
        session = self._opened.get(key)
        if session is None:
            model.read()  # is it what was added?
            self._opened[key] = session = float32_ends(open_session(model.path, place, threads()))
        return session

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
