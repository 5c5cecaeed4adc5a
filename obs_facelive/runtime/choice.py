"""Which device runs a network: the fastest of those that get the same answer as the CPU, by measuring on this machine."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from obs_facelive.catalog import ModelError
from obs_facelive.runtime.bound import DTYPES
from obs_facelive.runtime.providers import DEVICES, Device
from obs_facelive.runtime.session import Session
from obs_facelive.runtime.trouble import NO_ROOM, out_of_memory, short

Arrays: TypeAlias = dict[str, npt.NDArray[Any]]

OFF: Final = 0.05
"""Share of its own spread by which an answer may differ from the CPU's, as a root mean square: half precision keeps to 0.01."""
_RUNS: Final = 3
"""Runs of which the fastest counts, after one that warms up."""
_LONGEST: Final = 1.0
"""Seconds after which no further run is measured."""
_KEPT: Final = 256
"""Numbers of each answer that are kept as the right ones."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trial:
    """How one device did.

    Attributes
    ----------
    ms : of one run; None where it cannot be used
    why : it cannot be used; empty if it can
    """

    device: Device
    ms: float | None
    why: str = ""

    @property
    def words(self) -> str:
        """For people."""
        return f"{DEVICES[self.device]}: {self.why or f'{self.ms:.3g} ms'}"


@dataclass(frozen=True, slots=True)
class Golden:
    """What the CPU makes of the `sample`, in part: by it another session is known to be right.

    Attributes
    ----------
    values : some numbers of each answer, evenly spread over it
    spreads : standard deviation of each answer
    """

    values: tuple[tuple[float, ...], ...]
    spreads: tuple[float, ...]

    @classmethod
    def of(cls, answers: Sequence[npt.NDArray[Any]]) -> Golden:
        """Of the CPU's ``answers``."""
        parts = tuple(tuple(_thinned(answer).tolist()) for answer in answers)
        return cls(parts, tuple(float(answer.std(dtype=np.float64)) for answer in answers))

    def fault(self, answers: Sequence[npt.NDArray[Any]]) -> str:
        """Why ``answers`` to the same sample are not right, for people; empty if they are."""
        if len(answers) != len(self.values) or any(
            _thinned(answer).size != len(value) for answer, value in zip(answers, self.values, strict=True)
        ):
            return "its answer has another size"
        parts = zip(answers, self.values, self.spreads, strict=True)
        return next((why for got, right, spread in parts if (why := _fault(got, np.array(right), spread))), "")


@dataclass(frozen=True, slots=True)
class Choice:
    """The device that was chosen, and how all did.

    Attributes
    ----------
    golden : the CPU's answer
    """

    device: Device
    trials: tuple[Trial, ...]
    golden: Golden

    @property
    def words(self) -> str:
        """For people: the chosen one first."""
        return "; ".join(t.words for t in sorted(self.trials, key=lambda t: (t.device != self.device, bool(t.why))))


def sample(session: Session, size: int) -> Arrays:
    """Something for each input of ``session``, always the same, 0..1; a free size is 1 in front, else ``size``."""
    chance = np.random.default_rng(7)
    given: Arrays = {}
    for entry in session.get_inputs():
        shape = [n if isinstance(n, int) else 1 if i == 0 else size for i, n in enumerate(entry.shape)]
        given[entry.name] = chance.random(shape).astype(DTYPES.get(entry.type, np.float32))
    return given


def choose(
    devices: Sequence[Device],
    open_on: Callable[[Device], Session],
    size: int,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[Session, Choice]:
    """An open session on the fastest of ``devices`` that is right, and what was seen.

    The CPU says what is right, also where it is not among ``devices``. Raises `ModelError` where the CPU cannot run the
    network, or gets no numbers out of it, or no device is right.

    Parameters
    ----------
    open_on : opens the network; raises `ModelError`, or whatever ONNX Runtime raises
    size : see `sample`
    """
    reference = open_on("cpu")
    given = sample(reference, size)
    try:
        wanted, ms = _measured(reference, given, clock)
    except Exception as error:  # ONNX Runtime has an exception class for each of its status codes
        words = NO_ROOM if out_of_memory(error) else f"the network does not run on the CPU: {short(error)}"
        raise ModelError(words) from error
    if not all(np.isfinite(answer).all() for answer in wanted):
        raise ModelError(
            "the network's answer is no numbers (NaN), already on the CPU: the file is damaged, or made wrongly"
        )
    trials = [Trial("cpu", ms)]
    best: tuple[Device, float, Session] | None = ("cpu", ms, reference) if "cpu" in devices else None
    for device in devices:
        if device == "cpu":
            continue
        session, trial = _try(device, open_on, given, wanted, clock)
        trials.append(trial)
        if session is not None and trial.ms is not None and (best is None or trial.ms < best[1]):
            best = device, trial.ms, session
    if best is None:
        raise ModelError(f"no device that may be used is right: {'; '.join(trial.words for trial in trials)}")
    choice = Choice(best[0], tuple(trials), Golden.of(wanted))
    log.info("%s", choice.words)
    return best[2], choice


def _try(
    device: Device,
    open_on: Callable[[Device], Session],
    given: Mapping[str, npt.NDArray[Any]],
    wanted: list[npt.NDArray[Any]],
    clock: Callable[[], float],
) -> tuple[Session | None, Trial]:
    try:
        session = open_on(device)
        answer, ms = _measured(session, given, clock)
    except Exception as error:
        return None, Trial(device, None, short(error))
    for got, right in zip(answer, wanted, strict=True):
        if why := _fault(got, right, float(right.std(dtype=np.float64)), _whole):
            return None, Trial(device, None, why)
    return session, Trial(device, ms)


def _whole(answer: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    return answer.astype(np.float64)


def _thinned(answer: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    return answer.ravel()[:: max(1, answer.size // _KEPT)].astype(np.float64)


def _fault(
    got: npt.NDArray[Any],
    right: npt.NDArray[Any],
    spread: float,
    part: Callable[[npt.NDArray[Any]], npt.NDArray[np.float64]] = _thinned,
) -> str:
    """Why ``got`` is not right, for people; empty if its ``part`` is as near to ``right`` as ``spread`` asks for."""
    if not np.isfinite(got).all():
        return "its answer is no numbers (NaN)"
    off = float(np.sqrt(np.mean((part(got) - right) ** 2)))
    return f"its answer is wrong (off by {off:.2g})" if off > OFF * max(spread, 1e-3) else ""


def _measured(
    session: Session, given: Mapping[str, npt.NDArray[Any]], clock: Callable[[], float]
) -> tuple[list[npt.NDArray[Any]], float]:
    """Its answer, and the milliseconds of a run."""
    answer = [np.asarray(array) for array in session.run(None, dict(given))]
    fastest, began = math.inf, clock()
    for _ in range(_RUNS):
        start = clock()
        session.run(None, dict(given))
        fastest = min(fastest, clock() - start)
        if clock() - began > _LONGEST:
            break
    return answer, fastest * 1000
