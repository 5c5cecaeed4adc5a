"""Whether the persona that a session wears may still be worn: looked up on disk, since consent can be withdrawn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from obs_facelive.link.layout import NO_CONSENT, REMOVED, WITHDRAWN
from obs_facelive.personas.consent import CONSENT_FILE, ConsentError, check_consent
from obs_facelive.personas.errors import PersonaError
from obs_facelive.personas.library import INFO_FILE, load_info

EVERY: Final = 0.2
"""Seconds between two looks: a withdrawn face must be gone within a second."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a face may not be seen any more.

    Attributes
    ----------
    status : of results, `obs_facelive.link.layout.WITHDRAWN` or one after it
    words : for people, what to do
    """

    status: int
    words: str

    @classmethod
    def of(cls, error: Exception) -> Refusal | None:
        """What ``error``, met in loading a persona, says about wearing it; None where it is about something else."""
        if isinstance(error, ConsentError):
            return cls(WITHDRAWN if error.withdrawn else NO_CONSENT, str(error))
        return None


class Worn:
    """The persona in a folder, as long as somebody wears it.

    `load_persona` has checked it; here is found out what changes afterwards. One thread.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._next = 0.0
        self._seen: object = None
        self._doubted = False

    def refusal(self, now: float) -> Refusal | None:
        """Why it may not be worn any more, at `time.monotonic`'s ``now``; None: nothing is known against it.

        What is missing must be so at two looks in a row: a folder that is being replaced is away for a moment.
        """
        if now < self._next:
            return None
        self._next = now + EVERY
        if not self._doubted and self._seen == (seen := self._stamp()):
            return None
        self._seen = self._stamp() if self._doubted else seen
        found = self._look()
        if found and found.status != WITHDRAWN and not self._doubted:
            self._doubted = True
            return None
        self._doubted = False
        return found

    def _stamp(self) -> object:
        stamps: list[object] = []
        for name in (INFO_FILE, CONSENT_FILE):
            try:
                found = (self.folder / name).stat()
                stamps.append((found.st_mtime_ns, found.st_ino, found.st_size))
            except OSError:
                stamps.append(None)
        return stamps

    def _look(self) -> Refusal | None:
        try:
            check_consent(self.folder, load_info(self.folder))
        except ConsentError as error:
            return Refusal.of(error)
        except PersonaError as error:
            return Refusal(REMOVED, f"the persona {self.folder.name!r} was removed, or changed: {error}")
        return None
