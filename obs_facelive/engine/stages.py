"""The loaded stages that all sessions share, and pipelines made of them."""

from __future__ import annotations

import functools
import threading
from pathlib import Path

from obs_facelive.catalog import ModelError
from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.home import Home
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.merge.blend import Blend
from obs_facelive.personas.library import load_persona
from obs_facelive.pipeline import Pipeline
from obs_facelive.runtime.session import Device
from obs_facelive.settings import Settings
from obs_facelive.swap.mesh import MeshSwapper
from obs_facelive.topology import load_canonical_face


class Stages:
    """Opens models once, whoever needs them. Safe to use from several threads.

    The embedded networks run on the CPU whatever ``device`` says: they are launch-bound on a GPU.
    """

    def __init__(self, home: Home, device: Device) -> None:
        self._home, self._device = home, device
        self._lock = threading.Lock()

    @functools.cached_property
    def _detector(self) -> BlazeFace:
        return BlazeFace(self._home.models)

    @functools.cached_property
    def _landmarker(self) -> FaceMesh:
        return FaceMesh(self._home.models)

    def provider(self, settings: Settings) -> str:
        """Where the networks run, in words."""
        return "CPU"

    def pipeline(self, settings: Settings) -> Pipeline:
        """A pipeline for ``settings``' persona and engine.

        Raises `ModelError` or `obs_facelive.personas.library.PersonaError`, in words for people.
        """
        with self._lock:
            detector, landmarker = self._detector, self._landmarker
            canonical = load_canonical_face(self._home.models)
        persona = load_persona(self.persona_folder(settings))
        return Pipeline(detector, landmarker, MeshSwapper(persona, canonical), Blend(canonical))

    def persona_folder(self, settings: Settings) -> Path:
        """The folder of the persona that is meant: the first one if none is named."""
        names = self._home.persona_names()
        if not names:
            raise ModelError(f"there is no persona in {self._home.personas}: run 'python3 install.py' again")
        return self._home.personas / (settings.persona or names[0])
