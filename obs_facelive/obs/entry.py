"""The one place that keeps the plugin: "Reload scripts" runs the script again, but never this module."""

from __future__ import annotations

import functools

from obs_facelive.home import Home
from obs_facelive.obs import abi
from obs_facelive.obs.plugin import Plugin

DESCRIPTION = (
    "<b>FaceLive</b> swaps your face for a persona.<br>Right-click your camera, choose Filters, press +, and add "
    "<i>FaceLive filter</i>. Keep this script in the list: without it OBS shows your bare camera.<br>"
    "Or add the source <i>FaceLive camera</i> and choose your camera in it: without this script it stays empty."
)


@functools.cache
def _plugin() -> Plugin:
    return Plugin(abi.library(), Home.find())


def load() -> None:
    """See `Plugin.load`."""
    _plugin().load()


def unload() -> None:
    """See `Plugin.unload`."""
    _plugin().unload()
