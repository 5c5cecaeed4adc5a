"""One thing that was looked at, and what to do about it."""

from __future__ import annotations

from typing import Literal

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at.

    Attributes
    ----------
    name : what was looked at
    status : ``bad``: FaceLive cannot work; ``warn``: something of it cannot
    found : what is there
    remedy : what to do; empty where all is well
    """

    name: str
    status: Literal["ok", "warn", "bad"]
    found: str
    remedy: str = ""
