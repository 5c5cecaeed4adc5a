"""The installation and the clip are those of the tests in OBS."""

from __future__ import annotations

from tests.obs.conftest import camera_clip, home

__all__ = ["camera_clip", "home"]
