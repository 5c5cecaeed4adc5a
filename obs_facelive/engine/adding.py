"""Where photos from the panel become personas: in the loader's thread, while the frames go on; says how it goes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeAlias

from obs_facelive.engine.desk import Desk
from obs_facelive.link.order import Order, read_order
from obs_facelive.personas.add import AddReport, Progress

Add: TypeAlias = Callable[[Order, Progress], AddReport]


class AddingDesk(Desk):
    """One filter's.

    Parameters
    ----------
    add : makes the persona; takes seconds. Raises `PersonaError` or `ModelError`

    Attributes
    ----------
    added : id of the persona that was made last; empty before
    """

    def __init__(self, add: Add, worker: Executor) -> None:
        super().__init__("Nothing was added", worker)
        self._add = add
        self.added = ""

    def open(self, settings: bytes) -> None:
        """Begins with the photo that ``settings`` speak of, unless another is in hand."""
        if self.busy:
            return
        try:
            order = read_order(settings)
        except ValueError as error:
            self.refuse(f"{error}.")
            return
        self.added = ""
        self.begin("Adding the photo …", lambda: self._made(order))

    def _made(self, order: Order) -> str:
        report = self._add(order, self._progress)
        self.added = report.info.id
        return told(report)

    def _progress(self, done: int, steps: int, words: str) -> None:
        self.words = f"Adding the photo, step {done + 1} of {steps}: {words} …"


def told(report: AddReport) -> str:
    """What became of a photo, and what would make a better persona, in one line."""
    judgement = report.photos[report.best].judgement
    parts = [f"{report.info.name} was added"]
    if judgement:
        parts[0] += f": the photo is {judgement.word} ({judgement.score} of 100)"
        parts += [f"{remark.text[:1].upper()}{remark.text[1:]}. {remark.better}" for remark in judgement.remarks[:3]]
    return ". ".join(part.rstrip(".") for part in parts) + "."
