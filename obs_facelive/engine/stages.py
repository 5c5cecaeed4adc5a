"""The loaded stages that all sessions share, and pipelines made of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from obs_facelive.brought import Brought
from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.download import Tell
from obs_facelive.engine.enhancers import Enhancers
from obs_facelive.engine.fetching import fetch
from obs_facelive.engine.swappers import NETWORKS_SUIT, Swappers
from obs_facelive.frame import Floats, Pixels
from obs_facelive.home import Home
from obs_facelive.identity.enrolment import SAME, Enrolled, Enrolment, EnrolmentError, load, save
from obs_facelive.identity.owner import Owner
from obs_facelive.identity.recogniser import Recogniser
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.link.order import Order
from obs_facelive.link.wanted import Wanted
from obs_facelive.mask.occlusion import Occlusion
from obs_facelive.merge.blend import Blend
from obs_facelive.personas.add import AddReport, Statement, add_photos
from obs_facelive.personas.consent import check_record
from obs_facelive.personas.library import Persona, PersonaError, PersonaInfo, load_persona
from obs_facelive.personas.look import Studio
from obs_facelive.personas.make import Portrait, find_portrait, make_persona
from obs_facelive.pipeline import Pipeline
from obs_facelive.runtime.providers import DEVICES, Device, Place
from obs_facelive.settings import MESH, Settings
from obs_facelive.shape.reshape import Reshape
from obs_facelive.topology import load_canonical_face


class Stages:
    """Opens each model once a device, whoever needs it. Safe to use from several threads.

    Parameters
    ----------
    device : "cpu" allows nothing else, whatever the settings say: the supervisor's answer to an engine that keeps crashing

    Attributes
    ----------
    fetcher : does what waits for the network
    """

    def __init__(self, home: Home, device: Device = "auto") -> None:
        self._home, self._device = home, device
        self._lock = threading.Lock()
        self._networks: dict[Place, tuple[BlazeFace, FaceMesh]] = {}
        self._recogniser: Recogniser | None = None
        self._photos: Studio | None = None
        self._swappers = Swappers(home, self._portrait)
        self._enhancers = Enhancers(home)
        self.fetcher = ThreadPoolExecutor(1, thread_name_prefix="fetcher")

    def place(self, settings: Settings) -> Place:
        """Where a network may run that the person brought."""
        device: Device = "cpu" if self._device == "cpu" else settings.device
        return Place(device, settings.gpu, settings.gpu_memory_limit)

    def small_place(self, settings: Settings) -> Place:
        """Where the embedded networks run: small as they are, a graphics card only waits for them."""
        place = self.place(settings)
        if settings.small_networks == "cpu" or place.device in ("auto", "cpu"):
            return Place("cpu")
        return replace(place, cache=self._home.devices / "embedded")

    def provider(self, settings: Settings) -> str:
        """For people: where the networks of ``settings``' engine and enhancer run."""
        words = settings.engine != MESH and self._swappers.told(settings.engine)
        enhancer = self._enhancers.told(settings.enhancer)
        words = words or DEVICES[self.small_place(settings).device]
        return f"{words}; enhancer: {enhancer}" if enhancer else words

    def pipeline(self, settings: Settings, persona: Persona | None = None, live: bool = False) -> Pipeline:
        """A pipeline for ``settings``' engine and device, and ``persona``: else the one that ``settings`` name.

        ``live``: for a camera, which need not wait for an enhancer that takes seconds.

        Raises `obs_facelive.catalog.ModelError` or `PersonaError`, in words for people; a `ConsentError`, one of them, where
        the persona is a real person and carries no valid record; an `EnhancerError`, another, where only the enhancer is not
        to be had.
        """
        persona = persona or load_persona(self.persona_folder(settings.persona))
        check_record(persona.consent, persona.info)
        place, small = self.place(settings), self.small_place(settings)
        enhancer = self._enhancers.make(settings, place, live)
        detector, landmarker = self._opened(small)
        canonical = load_canonical_face(self._home.models)
        network = settings.engine != MESH
        swapper = self._swappers.make(settings, persona, canonical, place)
        merger = Blend(canonical, persona.iris)
        occlusion, reshape = Occlusion(self._home.models, canonical, small), Reshape(persona.shape, canonical)
        owner = Owner(self.recogniser, Enrolled(self._home), canonical)
        return Pipeline(
            detector,
            landmarker,
            swapper,
            merger,
            canonical,
            occlusion,
            reshape,
            owner,
            real=persona.info.real,
            suits=NETWORKS_SUIT | persona.info.settings if network else persona.info.settings,
            enhancer=enhancer,
        )

    def _portrait(self, picture: Pixels) -> Portrait:
        return find_portrait(picture, *self._opened(Place("cpu")))

    def persona_of(self, picture: Pixels, info: PersonaInfo) -> Persona:
        """A persona of the largest face in ``picture``, not saved. Raises `ModelError` or `PersonaError`."""
        return make_persona(info, self._portrait(picture), load_canonical_face(self._home.models))

    def recogniser(self) -> Recogniser:
        """The network that says whose face it is: half a second, once, for whoever needs it. Raises `ModelError`."""
        with self._lock:
            if self._recogniser is None:
                self._recogniser = Recogniser(self._home.models)
            return self._recogniser

    def remember(self, enrolment: Enrolment) -> Enrolment:
        """See `obs_facelive.identity.enrolment.save`."""
        return save(self._home, enrolment)

    def add(self, order: Order, progress: Callable[[int, int, str], None]) -> AddReport:
        """Makes a persona of the photo that is ordered; see `obs_facelive.personas.add.add_photos`.

        Raises `ModelError` or `PersonaError`, in words for people.
        """
        statement = Statement(by=order.by, purpose=order.purpose, is_owner=self.is_owner)
        return add_photos(self._studio(), self._home, [Path(order.photo)], order.name, order.whose, statement, progress)

    def fetch(self, wanted: Wanted, tell: Tell) -> Brought:
        """See `obs_facelive.engine.fetching.fetch`."""
        return fetch(self._home, wanted, tell)

    def _studio(self) -> Studio:
        with self._lock:
            if self._photos is None:
                self._photos = Studio(self._home.models)
            return self._photos

    def is_owner(self, embedding: Floats) -> bool | None:
        """Whether that is the enrolled owner's face; None where nobody is enrolled, or that cannot be known."""
        try:
            enrolment = load(self._home)
        except EnrolmentError:
            return None
        return None if enrolment is None else enrolment.likeness(embedding) >= SAME

    def _opened(self, place: Place) -> tuple[BlazeFace, FaceMesh]:
        with self._lock:
            if place not in self._networks:
                self._networks[place] = BlazeFace(self._home.models, place), FaceMesh(self._home.models, place)
            return self._networks[place]

    def persona_folder(self, persona: str) -> Path:
        """The folder of the persona with that id, the first one's if it is empty. Raises `PersonaError` if there is none."""
        names = self._home.persona_names()
        if not names:
            raise PersonaError(f"there is no persona in {self._home.personas}: run 'python3 install.py' again")
        if persona and persona not in names:
            raise PersonaError(f"there is no persona '{persona}'; there are {', '.join(names)}")
        return self._home.personas / (persona or names[0])
