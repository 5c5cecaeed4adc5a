"""What a person, a script or a remote control may do to OBS; none of it asks for the bare camera."""

from __future__ import annotations

import time
from random import Random
from typing import Any

from tools.chaos.fault import Fault
from tools.chaos.studio import (
    BREAK,
    CAMERA,
    FILTER,
    FIRST,
    ON_CAMERA,
    ON_FILTER,
    SECOND,
    SIZES,
    TINT,
    Studio,
)
from tools.obs_config import FILTER_KIND
from tools.scripts_dialog import reload_first_script


class Resized(Fault):
    """The camera has another size."""

    def strike(self, studio: Studio, rng: Random) -> None:
        studio.resize(rng.choice(SIZES[1:]))

    def heal(self, studio: Studio) -> None:
        studio.resize(SIZES[0])


class Scaled(Fault):
    """Somebody puts a scaling filter before FaceLive's."""

    _NAME = "Scale"

    def strike(self, studio: Studio, rng: Random) -> None:
        width, height = rng.choice(SIZES[1:])
        self._source = studio.shown
        client = studio.obs.client
        client.create_source_filter(self._source, self._NAME, "scale_filter", {"resolution": f"{width}x{height}"})
        client.set_source_filter_index(self._source, self._NAME, 0)

    def heal(self, studio: Studio) -> None:
        studio.obs.client.remove_source_filter(self._source, self._NAME)


class Shuffled(Fault):
    """The filters of the camera change places, and the one beside FaceLive's goes on and off."""

    def last(self, studio: Studio, rng: Random, seconds: float) -> None:
        client, end = studio.obs.client, time.monotonic() + seconds
        while time.monotonic() < end:
            client.set_source_filter_index(CAMERA, rng.choice([FILTER, TINT]), rng.randint(0, 1))
            client.set_source_filter_enabled(CAMERA, TINT, rng.random() < 0.5)
            studio.rest(rng.uniform(0.0, 0.1))

    def heal(self, studio: Studio) -> None:
        studio.obs.client.set_source_filter_enabled(CAMERA, TINT, True)
        studio.obs.client.set_source_filter_index(CAMERA, FILTER, 0)


class _OffAir(Fault):
    """Something that shows the bare camera, which is OBS's doing: it happens while another scene is on air."""

    def strike(self, studio: Studio, rng: Random) -> None:
        studio.on_air(BREAK)
        studio.rest(0.2)  # recorded pictures are up to some frames late
        self.change(studio)

    def change(self, studio: Studio) -> None:
        """What happens there."""
        raise NotImplementedError

    def back(self, studio: Studio) -> None:
        """How it is undone."""
        raise NotImplementedError

    def heal(self, studio: Studio) -> None:
        self.back(studio)
        studio.on_air(ON_FILTER)


class Eye(_OffAir):
    """FaceLive's filter is switched off by its eye and on again."""

    def change(self, studio: Studio) -> None:
        studio.obs.client.set_source_filter_enabled(CAMERA, FILTER, False)

    def back(self, studio: Studio) -> None:
        studio.obs.client.set_source_filter_enabled(CAMERA, FILTER, True)


class Removed(_OffAir):
    """FaceLive's filter is removed and added again."""

    def change(self, studio: Studio) -> None:
        studio.obs.client.remove_source_filter(CAMERA, FILTER)

    def back(self, studio: Studio) -> None:
        client = studio.obs.client
        client.create_source_filter(CAMERA, FILTER, FILTER_KIND, {"persona": studio.persona})
        client.set_source_filter_index(CAMERA, FILTER, 0)


class Scenes(Fault):
    """Scenes come and go, several a second; the last one is another than before."""

    def last(self, studio: Studio, rng: Random, seconds: float) -> None:
        scenes = [ON_FILTER, ON_CAMERA] if studio.collection == FIRST else [ON_FILTER]
        after = scenes[-1] if studio.scene == ON_FILTER else ON_FILTER
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            studio.on_air(rng.choice([*scenes, BREAK]))
            studio.rest(rng.uniform(0.05, 0.4))
        studio.on_air(after)


class Collections(Fault):
    """The scene collection is switched: every source, filter and the script itself end and begin anew."""

    def strike(self, studio: Studio, rng: Random) -> None:
        studio.switch_collection(SECOND if studio.collection == FIRST else FIRST)

    def last(self, studio: Studio, rng: Random, seconds: float) -> None:
        """It is over when OBS takes orders again."""


class Spam(Fault):
    """Settings change a hundred times a second."""

    _PERIOD = 0.01

    def last(self, studio: Studio, rng: Random, seconds: float) -> None:
        began, count = time.monotonic(), 0
        while time.monotonic() < began + seconds:
            studio.wear(self._any(studio, rng))
            count += 1
            time.sleep(max(0.0, began + count * self._PERIOD - time.monotonic()))

    @staticmethod
    def _any(studio: Studio, rng: Random) -> dict[str, Any]:
        """Good and bad values. What bares the face because the person says so is not among them: opacity, a small mask."""
        values: dict[str, list[Any]] = {
            "opacity": [100, 101, 1e300, "x"],
            "mask_size": [0, 20, 50, 1e9, []],
            "steadiness": [0, 50, 100, -1e9, {}],
            "colour_match": [0, 50, 100, -1],
            "swap": [True, False],
            "persona": [*studio.home.persona_names(), "nobody", "../..", 3],
            "badge": ["top-left", "top-right", None, "nowhere"],
            "hold_ms": [0, 5000, -(2**63), 1000],
        }
        key = rng.choice(sorted(values))
        return {key: rng.choice(values[key])}

    def heal(self, studio: Studio) -> None:
        good = {"opacity": 100, "mask_size": 0, "steadiness": 50, "colour_match": 70, "badge": "top-right"}
        studio.wear({**good, "swap": True, "persona": studio.persona, "hold_ms": 1000})


class Reloaded(Fault):
    """The script is reloaded in OBS's dialog."""

    def strike(self, studio: Studio, rng: Random) -> None:
        reload_first_script(studio.obs)

    def last(self, studio: Studio, rng: Random, seconds: float) -> None:
        """It is over when the dialog is closed."""
