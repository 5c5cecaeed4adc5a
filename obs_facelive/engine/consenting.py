"""Where consent is recorded and taken back that the panel speaks of: beside the frames; says what came of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

from obs_facelive.engine.desk import Desk
from obs_facelive.frame import Floats
from obs_facelive.link.permission import Permission, read_permission
from obs_facelive.personas.consent import withdraw
from obs_facelive.personas.permit import permit, told


class ConsentDesk(Desk):
    """One filter's.

    Parameters
    ----------
    folder : of the persona with that id, the first one's where it is empty. Raises `PersonaError` where there is none
    is_owner : see `obs_facelive.engine.stages.Stages.is_owner`
    """

    def __init__(
        self, folder: Callable[[str], Path], is_owner: Callable[[Floats], bool | None], worker: Executor
    ) -> None:
        super().__init__("Nothing was recorded", worker)
        self._folder, self._is_owner = folder, is_owner

    def permit(self, settings: bytes) -> None:
        """Records the consent that ``settings`` speak of, unless something is in hand."""
        self._do(settings, self._permitted)

    def withdraw(self, settings: bytes) -> None:
        """Takes the consent to wear the persona of ``settings`` back, unless something is in hand."""
        self._do(settings, self._withdrawn)

    def _do(self, settings: bytes, work: Callable[[Permission], str]) -> None:
        if self.busy:
            return
        try:
            permission = read_permission(settings)
        except ValueError as error:
            self.refuse(f"{error}.")
            return
        self.begin("Looking at the consent …", lambda: work(permission))

    def _permitted(self, given: Permission) -> str:
        folder = self._folder(given.persona)
        record = permit(folder, self._is_owner, by=given.consent_by, purpose=given.consent_for)
        unchecked = record.kind == "self" and not record.checked
        lines = [f"Consent for {folder.name} is recorded", *told(record)]
        return ". ".join([*lines, *["It was not compared with your face: nobody is remembered here"] * unchecked]) + "."

    def _withdrawn(self, given: Permission) -> str:
        folder = self._folder(given.persona)
        withdraw(folder)
        return f"Withdrawn: {folder.name} cannot be worn any more."
