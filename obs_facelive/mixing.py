"""Mixed people on disk: made of the personas that are there, kept apart from every real face, with a picture of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.engine.stages import Stages
from obs_facelive.frame import Floats, Frame, Pixels
from obs_facelive.home import Home
from obs_facelive.identity.enrolment import EnrolmentError
from obs_facelive.identity.enrolment import load as load_enrolment
from obs_facelive.image import ImageError, read_image
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.personas.collage import REGIONS
from obs_facelive.personas.library import (
    THUMBNAIL_FILE,
    Persona,
    PersonaError,
    PersonaInfo,
    load_info,
    load_persona,
    save_persona,
    stored_persona,
)
from obs_facelive.personas.likeness import likeness
from obs_facelive.personas.make import find_portrait
from obs_facelive.personas.mix import mix
from obs_facelive.personas.recipe import METHOD, Recipe, shipped_recipes
from obs_facelive.personas.variation import bearded, vary
from obs_facelive.settings import Settings
from obs_facelive.topology import load_canonical_face
from obs_facelive.view import compose

SHIPPED = "FaceLive"
"""The pack of the mixes that come with FaceLive."""
TOO_NEAR = 0.45
"""Cosine from which a mix is taken for a real person. Drawings of 20 people (the shipped, and twelve portraits) have .50 to
.76 with their own photo; of 380 pairs of different people the median is .10, 99 % are below .37, and one is above: .51, a pair
that the eye takes for sisters, too."""
_FULL = 0.7
"""How much of a beard must be left to go with the one around it."""
_SIDE = 512
_LOOKS = 4
"""Pictures, half a second apart, after which the head has the mix's proportions."""


class Mixer:
    """Makes mixes into a library; loads what it needs once.

    Raises `obs_facelive.catalog.ModelError`.
    """

    def __init__(self, home: Home) -> None:
        self._home, self._stages = home, Stages(home, "cpu")
        self._canonical = load_canonical_face(home.models)
        self._recogniser = self._stages.recogniser()

    def is_made(self, recipe: Recipe) -> bool:
        """Whether the persona of ``recipe`` is there, of parents as they are now."""
        try:
            made = load_persona(self._home.personas / recipe.id).info
            return made.origin == "mix" and made.recipe == recipe.record(
                [self._parent(name) for name in recipe.parents]
            )
        except PersonaError:
            return False

    def make(self, recipe: Recipe, pack: str = "") -> Path:
        """The folder of the persona of ``recipe``; one that was made by the same name before is replaced.

        Raises `PersonaError`: a parent is missing or real, the name is another persona's, the face is too near to a real one.
        """
        parents = [self._parent(name) for name in recipe.parents]
        self._refuse_taken(recipe, pack)
        names = " and ".join(parent.info.name for parent in parents)
        info = PersonaInfo(
            id=recipe.id,
            name=recipe.name,
            kind="synthetic",
            origin="mix",
            made=f"mixed, method {METHOD}",
            source=f"a mix of {names}, who do not exist: neither does this person",
            licence=", ".join(dict.fromkeys(parent.info.licence for parent in parents)),
            pack=pack,
            tags=recipe.tags,
            recipe=recipe.record(parents),
        )
        persona = mix(info, parents, recipe.weights, recipe.seed, self._canonical)
        embedding = self._recogniser.embed(*likeness(persona, self._canonical))
        for whose, vector in self._real_faces():
            if embedding @ vector >= TOO_NEAR:
                raise PersonaError(f"this mix looks too much like {whose}. Take another seed, or other parents.")
        persona = replace(persona, embedding=embedding)
        return save_persona(self._home.personas, persona, self._portrait(persona, _head(parents, recipe)))

    def _parent(self, name: str) -> Persona:
        if name not in self._home.persona_names():
            known = ", ".join(self._home.persona_names()) or "none: run 'python3 install.py'"
            raise PersonaError(f"there is no persona {name!r} to be mixed. There are: {known}.")
        return load_persona(self._home.personas / name)

    def _refuse_taken(self, recipe: Recipe, pack: str) -> None:
        """A mix never takes the place of somebody else; one that FaceLive ships and one's own are none of each other's."""
        folder = self._home.personas / recipe.id
        if not folder.exists():
            return
        try:
            old = load_info(folder)
        except PersonaError:
            return  # nothing that could be worn
        if old.origin != "mix" or old.pack != pack:
            raise PersonaError(f"there is another persona {recipe.id!r} already: choose another name.")
        if old.id in recipe.parents:
            raise PersonaError(f"{recipe.id!r} is one of the parents: choose another name.")

    def _real_faces(self) -> Iterator[tuple[str, Floats]]:
        """Whose, and (128,) what the recogniser says of it: the enrolled face, and every real person's in the library."""
        try:
            enrolment = load_enrolment(self._home)
        except EnrolmentError as error:
            raise PersonaError(f"a mix must not look like you, and that cannot be seen now: {error}") from error
        if enrolment:
            yield "the enrolled owner of this camera", enrolment.template
        for name in self._home.persona_names():
            try:
                info = load_info(self._home.personas / name)
                if info.real and (vector := self._photo(stored_persona(self._home.personas / name))) is not None:
                    yield f"{info.name!r}, a real person", vector
            except PersonaError:
                continue  # damaged: it cannot be worn either

    def _photo(self, persona: Persona) -> Floats | None:
        """(128,) of a real ``persona``'s photo: kept with it, or read from its thumbnail, if a face is found there."""
        if persona.embedding.size:
            return persona.embedding
        try:
            picture = read_image(self._home.personas / persona.info.id / THUMBNAIL_FILE)
        except ImageError:
            return None
        found = find_portrait(picture, BlazeFace(self._home.models), FaceMesh(self._home.models), smallest=48)
        return self._recogniser.embed(found.pixels, found.points)

    def _portrait(self, persona: Persona, head: Persona) -> Pixels:
        """``persona`` with the hair of the parent ``head``; by itself where that has no picture to wear it on."""
        with suppress(ImageError):
            picture = read_image(self._home.personas / head.info.id / THUMBNAIL_FILE)
            pixels = np.asarray(cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC), np.uint8)
            settings = Settings(badge="off")
            pipeline = self._stages.pipeline(settings, persona)
            frames = [Frame(pixels, number, number * 0.5) for number in range(_LOOKS)]
            patches = [pipeline.process(frame, settings).patches for frame in frames][-1]
            if patches:
                return compose(frames[-1], patches)[..., :3]
        return likeness(persona, self._canonical)[0]


def make_shipped(home: Home, say: Callable[[str], None]) -> None:
    """Makes the mixes that FaceLive ships, but for those that are there; ``say`` is told of those that cannot be made.

    Raises `PersonaError` where the recipes cannot be read, and as `Mixer` does.
    """
    mixer, recipes = Mixer(home), shipped_recipes()
    for count, recipe in enumerate(recipes, 1):
        if mixer.is_made(recipe):
            say(f"{recipe.name}: there already")
        else:
            try:
                mixer.make(recipe, SHIPPED)
            except PersonaError as error:
                # Somebody has another persona by that name, or looks like this one: the others are made all the same.
                say(f"{recipe.name}: left out, since {error}")
            else:
                say(f"{recipe.name}: mixed ({count} of {len(recipes)})")


def _head(parents: Sequence[Persona], recipe: Recipe) -> Persona:
    """On whose head a mix is shown: that of the mouth's owner, unless a full beard would grow around a short one."""
    variation = vary(recipe.weights, recipe.seed)
    owner = parents[variation.owners[REGIONS.index("mouth")]]
    bare = [parent for parent in parents if not bearded(parent.texture)]
    return bare[0] if bare and bearded(owner.texture) and variation.beard < _FULL else owner
