"""Networks whose inputs and outputs are float16, spoken to in float32."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from obs_facelive.frame import Floats
from obs_facelive.runtime.session import Session

_HALF: Final = "tensor(float16)"


class Float32Ends:
    """A session that takes and gives float32, whatever its graph has at its ends; everything else is the session's own."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._halves = {entry.name for entry in session.get_inputs() if entry.type == _HALF}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def run(self, outputs: list[str] | None, given: Mapping[str, Floats]) -> list[Floats]:
        """As `onnxruntime.InferenceSession.run`."""
        fed = {name: values.astype(np.float16) if name in self._halves else values for name, values in given.items()}
        answers = self._session.run(outputs, fed)
        return [answer.astype(np.float32) if answer.dtype == np.float16 else answer for answer in answers]


def float32_ends(session: Session) -> Session:
    """``session``, or one around it where any of its ends is float16."""
    ends = (*session.get_inputs(), *session.get_outputs())
    return Float32Ends(session) if any(entry.type == _HALF for entry in ends) else session
