"""An OBS script that makes lock-order trouble: on the graphics thread, holding the GIL, it takes the source list's lock.

OBS calls a script's timers on its graphics thread, and obspython keeps the GIL while it is in libobs. A filter whose
callbacks need the GIL while OBS holds that lock (as it does while it loads a scene collection) then hangs OBS for good.
"""

import obspython as obs


def _tick() -> None:
    source = obs.obs_source_create_private("color_source", "hostile", None)
    obs.obs_source_release(source)


def script_load(settings: object) -> None:
    obs.timer_add(_tick, 1)
