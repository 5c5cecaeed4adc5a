"""The mixes that FaceLive ships, made of the shipped people: ``python -m tools.mixed_people``. Those that are there stay."""

from __future__ import annotations

import sys

import cv2

from obs_facelive.catalog import ModelError
from obs_facelive.home import Home
from obs_facelive.mixing import make_shipped
from obs_facelive.personas.library import PersonaError


def main() -> int:
    """Makes them; 0 if all are there."""
    cv2.setNumThreads(1)
    try:
        make_shipped(Home.find(), lambda line: print(line, flush=True))
    except (ModelError, PersonaError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
