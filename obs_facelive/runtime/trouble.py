"""What went wrong with a network, in few words."""

from __future__ import annotations

import re
from typing import Final

NO_ROOM: Final = (
    "there is not enough memory for it. It is too large for this computer, or other programs take too much: close some, or "
    "choose another engine."
)
"""For people, of a network."""
_LONGEST: Final = 160
_NO_MEMORY: Final = re.compile(
    r"bad_?alloc|bad allocation|out of memory|failed to allocate|not enough memory|unable to allocate|cannot allocate"
    r"|ALLOC_FAILED|E_OUTOFMEMORY|8007000E",
    re.IGNORECASE,
)
"""As the C++ library, ONNX Runtime, CUDA, cuBLAS, cuDNN and Direct3D put it."""


def out_of_memory(error: Exception) -> bool:
    """Whether ``error`` says that there was not enough memory, of the computer's or of a graphics card's."""
    return isinstance(error, MemoryError) or bool(_NO_MEMORY.search(str(error)))


def short(error: Exception) -> str:
    """``error`` for people, in one line that fits a panel."""
    words = " ".join(str(error).split()) or type(error).__name__
    words = words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
    return f"out of memory ({words})" if out_of_memory(error) and "out of memory" not in words.lower() else words
