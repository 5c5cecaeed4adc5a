"""What FaceLive is not for, whoever permitted it: said wherever consent is given. Standard library only."""

from __future__ import annotations

from typing import Final

USES: Final = (
    "to deceive anybody about who is speaking or acting",
    "in intimate or sexual pictures of anybody",
    "at identity checks of banks, authorities, employers or platforms",
)
WORDS: Final = f"Never wear a face, whoever permitted it: {'; '.join(USES)}."
