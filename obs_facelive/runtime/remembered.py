"""Which device runs which network here, remembered on disk, so that a network is measured once and not at each start."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import onnxruntime as ort

from obs_facelive.catalog import ModelError
from obs_facelive.files import read_at_most, replace_file
from obs_facelive.runtime.choice import Choice, choose, sample
from obs_facelive.runtime.hardware import hardware
from obs_facelive.runtime.providers import Device, Place
from obs_facelive.runtime.session import Session
from obs_facelive.runtime.trouble import short

_MOST: Final = 1 << 18
"""Bytes; a longer note is not one of ours."""

log = logging.getLogger(__name__)


class _Note(msgspec.Struct, frozen=True):
    """What is remembered of one network, and of what it holds: where any of that changes, it is measured anew."""

    holds_for: str
    choice: Choice


class Remembered:
    """One note a network, in ``folder``, by its hash. A note that is damaged, or that nobody could write, is no note.

    Parameters
    ----------
    about : see `obs_facelive.runtime.hardware.hardware`
    """

    def __init__(self, folder: Path, about: Callable[[], str] = hardware) -> None:
        self._folder, self._about = folder, about

    def choose(
        self,
        network: str,
        devices: Sequence[Device],
        place: Place,
        open_on: Callable[[Device], Session],
        size: int,
        clock: Callable[[], float] = time.perf_counter,
    ) -> tuple[Session, Choice]:
        """As `obs_facelive.runtime.choice.choose`, measured only where nothing is remembered, or it holds no more.

        What is remembered is opened and run once; where it then fails, or is wrong, all are measured.

        Parameters
        ----------
        network : SHA-256 of its file, in hex
        place : which card, and how much of it
        """
        holds_for = "\n".join(
            [
                f"ONNX Runtime {ort.__version__}: {', '.join(ort.get_available_providers())}",
                f"{', '.join(devices)}; card {place.gpu}, {place.memory_mb} MB; {size} px",
                self._about(),
            ]
        )
        note = self._note(network)
        if note and note.holds_for == holds_for and note.choice.device in devices:
            try:
                return _confirmed(note.choice, open_on, size), note.choice
            except Exception as error:  # ONNX Runtime has an exception class for each of its status codes
                log.warning("%s is measured anew: %s", network[:8], short(error))
        session, choice = choose(devices, open_on, size, clock)
        try:
            replace_file(self._path(network), msgspec.json.encode(_Note(holds_for, choice)))
        except OSError as error:
            log.warning("%s: %s", self._folder, error)
        return session, choice

    def told(self, network: str) -> str:
        """What is remembered of it, for people; empty if nothing is."""
        note = self._note(network)
        return note.choice.words if note else ""

    def forget(self, network: str) -> None:
        """It will be measured anew. Raises `OSError`."""
        self._path(network).unlink(missing_ok=True)

    def _note(self, network: str) -> _Note | None:
        try:
            return msgspec.json.decode(read_at_most(self._path(network), _MOST), type=_Note)
        except (OSError, ValueError, RecursionError):
            return None

    def _path(self, network: str) -> Path:
        return self._folder / f"{network}.json"


def _confirmed(choice: Choice, open_on: Callable[[Device], Session], size: int) -> Session:
    """A session on the device that was chosen. Raises `ModelError`, or what ONNX Runtime raises, where it is not right."""
    session = open_on(choice.device)
    answers = [np.asarray(answer) for answer in session.run(None, sample(session, size))]
    if why := choice.golden.fault(answers):
        raise ModelError(f"on {choice.device} {why}")
    return session
