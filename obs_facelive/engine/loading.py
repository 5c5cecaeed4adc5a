"""Loading what settings ask for, on a thread that may take its time."""

from __future__ import annotations

import logging

import msgspec

from obs_facelive.engine.enhancers import EnhancerError
from obs_facelive.engine.slow import Slow, SlowSwapper
from obs_facelive.engine.stages import Stages
from obs_facelive.engine.wardrobe import Loaded, to_load
from obs_facelive.engine.worn import Worn
from obs_facelive.personas.library import load_persona
from obs_facelive.settings import Settings

log = logging.getLogger(__name__)


def load(stages: Stages, settings: Settings, before: Settings | None, slow: Slow | None = None) -> Loaded:
    """The pipeline of ``settings``, where those of what is worn now are ``before``. Raises `ModelError` or `PersonaError`.

    An enhancer that cannot be had is no reason to go without the rest: where anything else is new, that is loaded without it.
    """
    worn = Worn(stages.persona_folder(settings.persona))
    persona, problem = load_persona(worn.folder), ""
    try:
        pipeline = stages.pipeline(settings, persona, live=True)
    except EnhancerError as error:
        if before and to_load(msgspec.structs.replace(before, enhancer=settings.enhancer)) == to_load(settings):
            raise
        log.warning("%s", error)
        problem = str(error)
        pipeline = stages.pipeline(msgspec.structs.replace(settings, enhancer=""), persona, live=True)
    if slow:
        pipeline.swapper = SlowSwapper(pipeline.swapper, slow)
    return Loaded(settings, pipeline, worn, problem)
