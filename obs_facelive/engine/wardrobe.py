"""Which persona a session wears, which one is still fading, and whether both may be seen."""

from __future__ import annotations

from dataclasses import dataclass

from obs_facelive.engine.worn import Refusal, Worn
from obs_facelive.pipeline import Pipeline
from obs_facelive.settings import Settings

_FRAMES = 1.0
"""Seconds after a fade's end in which no frame is still to come that shows it."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a loader's work came to, and the settings that it was for.

    Attributes
    ----------
    problem : what could not be had of it, for people; the rest was loaded without
    """

    settings: Settings
    pipeline: Pipeline
    worn: Worn
    problem: str = ""


class Wardrobe:
    """One session's; one thread."""

    def __init__(self) -> None:
        self._on: Loaded | None = None
        self._fading: tuple[Worn, float] | None = None

    @property
    def fading(self) -> bool:
        """Whether two personas may be seen at once."""
        return self._fading is not None

    @property
    def settings(self) -> Settings | None:
        """Those that what is worn was loaded for."""
        return self._on.settings if self._on else None

    def change(self, loaded: Loaded, now: float) -> None:
        """Puts on what was ``loaded``: faded to where the faces are followed on the same device, else at once."""
        before, self._on, self._fading = self._on, loaded, None
        if before and stages(before.settings) == stages(loaded.settings):
            changed = loaded.settings.persona != before.settings.persona
            seconds = loaded.settings.crossfade_ms / 1e3 if changed else 0.0
            loaded.pipeline.follow(before.pipeline, seconds)
            self._fading = before.worn, now + seconds + _FRAMES

    def refusal(self, now: float) -> Refusal | None:
        """Why what is worn must be taken off, which it then is; None: it may be worn. What only fades is gone at once."""
        if self._on is None:
            return None
        if self._fading and (now > self._fading[1] or self._fading[0].refusal(now)):
            self._on.pipeline.end_fade()
            self._fading = None
        if refusal := self._on.worn.refusal(now):
            self._on = self._fading = None
        return refusal


def stages(settings: Settings) -> tuple[str | int, ...]:
    """What decides about everything but the persona and its enhancer."""
    where = settings.device, settings.gpu, settings.gpu_memory_limit, settings.small_networks
    return settings.engine, *where


def to_load(settings: Settings) -> tuple[str | int, ...]:
    """What needs loading when it changes; everything else takes effect with the next frame."""
    return settings.persona, settings.enhancer, *stages(settings)
