"""Sound in step with the swapped picture: the sync offsets of the sources that people tick follow the delay of the picture.

What a person set themselves counts on top, and is remembered in the offset itself (`obs_facelive.in_step`). So it comes back
wherever an offset of ours is found on a source that nobody ticks: after unticking, when a filter goes, at the next start
after a crash or after OBS's end, which saves the scenes before scripts hear of it.

Several filters may tick one source: the largest delay among those that are drawn at the moment counts. Whoever changes the sync
offset by hand meanwhile takes it over: the tick goes away, and what they set stays.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from obs_facelive.fields import in_step_key, in_step_names
from obs_facelive.in_step import MILLISECOND, OWN, Follower, Offset
from obs_facelive.link.atomic import read_word
from obs_facelive.obs import abi
from obs_facelive.obs import rows as r
from obs_facelive.obs.filter import SourceTypes
from obs_facelive.obs.instances import Instance

PERIOD: Final = 0.1
"""Seconds between two steps."""
IDLE: Final = 1.0
"""Seconds between two looks for offsets to put back while nothing is ticked."""


class Meter:
    """How late the pictures of one filter are, from one look to the next: the delay that it adds, as a recording shows it."""

    def __init__(self) -> None:
        self._age = self._count = -1
        self._lately: deque[float] = deque(maxlen=round(Follower.WINDOW / PERIOD))

    def read(self, row: npt.NDArray[np.int64]) -> float | None:
        """Mean age in ms of the pictures that OBS drew since the last call; None if there was none, or one is being drawn."""
        address = row.ctypes.data
        epoch = read_word(address + 8 * r.EPOCH)
        age, count = (read_word(address + 8 * word) for word in (r.AGE_NS, r.AGED))
        if epoch % 2 or epoch != read_word(address + 8 * r.EPOCH):
            return None
        before, self._age, self._count = (self._age, self._count), age, count
        drawn = count - before[1]
        if before[1] < 0 or drawn <= 0:
            return None
        self._lately.append((age - before[0]) / drawn / 1e6)
        return self._lately[-1]

    @property
    def lately(self) -> float:
        """Its mean over some seconds; 0.0 before the first picture."""
        return sum(self._lately) / len(self._lately) if self._lately else 0.0


@dataclass
class _Wearer:
    """A living filter: what it ticks, and how late it is."""

    serial: int
    meter: Meter
    json_seq: int = -1
    names: frozenset[str] = frozenset()
    late: float | None = None


@dataclass
class _Followed:
    """A source in step: the name under which it was ticked, and what it was last set to, if it was."""

    name: str
    follower: Follower
    last: Offset | None = None


class Sound:
    """Looks after the sync offsets of all sources. On the supervisor's thread."""

    def __init__(self, types: SourceTypes) -> None:
        self._types, self._rows, self._words, self._scenes = types, types.rows, types.rows.words, types.scenes
        self._libobs = {name: abi.bind(types.libobs, name) for name in abi.FUNCTIONS}
        self._wearers: dict[int, _Wearer] = {}
        self._followed: dict[int, _Followed] = {}
        self._measured = self._looked = 0.0

    def tend(self, instances: Iterable[Instance], now: float) -> None:
        """Measures, and brings what is ticked in step; call as often as you like."""
        since = now - self._measured
        if since < PERIOD:
            return
        self._measured = now
        self._wearers = {instance.row: self._wearer(instance) for instance in instances}
        idle = not self._followed and not any(wearer.names for wearer in self._wearers.values())
        if idle and now - self._looked < IDLE:
            return
        self._looked = now
        with self._scenes.sounding() as sources:
            self._followed = {source: known for source, known in self._followed.items() if source in sources}
            for source, name in sources.items():
                self._rename(source, name)
                if any(name in wearer.names for wearer in self._wearers.values()):
                    self._follow(source, name, min(since, IDLE))
                else:
                    self._put_back(source)

    def report(self, row: int) -> dict[str, Any]:
        """How late a filter's pictures are, and by how much the sources are delayed that it ticks: ms."""
        wearer, followed = self._wearers.get(row), list(self._followed.values())
        if wearer is None:
            return {"late_ms": 0.0, "sound": {}}
        sound = {f.name: f.last.extra for f in followed if f.last and f.name in wearer.names}
        return {"late_ms": round(wearer.meter.lately, 1), "sound": sound}

    def restore(self) -> None:
        """Puts every own offset back: the script goes."""
        with self._scenes.sounding() as sources:
            for source in sources:
                self._put_back(source)

    def _wearer(self, instance: Instance) -> _Wearer:
        wearer, row = self._wearers.get(instance.row), self._words[instance.row]
        if wearer is None or wearer.serial != instance.serial:
            wearer = _Wearer(instance.serial, Meter())
        if wearer.json_seq != row[r.JSON_SEQ]:
            seq = int(row[r.JSON_SEQ])
            names = in_step_names(self._rows.json(instance.row))
            if names is not None:  # else it is being written
                wearer.names, wearer.json_seq = names, seq
        wearer.late = wearer.meter.read(row)
        if wearer.names and not self._enabled(instance.row):
            wearer.late = 0.0
        return wearer

    def _enabled(self, row: int) -> bool:
        source = self._types.strong_source(self._words[row].ctypes.data)
        enabled = not source or bool(self._libobs["obs_source_enabled"](source))
        if source:
            self._libobs["obs_source_release"](source)
        return enabled

    def _follow(self, source: int, name: str, seconds: float) -> None:
        ns: int = self._libobs["obs_source_get_sync_offset"](source)
        known = self._followed.setdefault(source, _Followed(name, Follower()))
        offset = Offset.read(ns)
        if known.last and offset is None:
            if abs(ns - known.last.ns) >= MILLISECOND:
                self._tick({name: False})
                del self._followed[source]
                return
            offset = known.last  # only its fraction got lost
        if offset:
            known.last = offset
        late = [w.late for w in self._wearers.values() if w.late is not None and name in w.names]
        own = round(ns / MILLISECOND)
        if not late or (offset is None and own not in OWN):
            return
        if offset:
            known.follower.extra = offset.extra
            known.last = Offset(offset.own, known.follower.follow(max(late), seconds))
        else:
            # Not a step yet: OBS does not move sound that plays at the first change of an offset that was zero.
            known.last = Offset(own, 0)
        if known.last.ns != ns:
            self._libobs["obs_source_set_sync_offset"](source, known.last.ns)

    def _put_back(self, source: int) -> None:
        offset = Offset.read(self._libobs["obs_source_get_sync_offset"](source))
        if offset:
            self._libobs["obs_source_set_sync_offset"](source, offset.own * MILLISECOND)
        self._followed.pop(source, None)

    def _rename(self, source: int, name: str) -> None:
        """A source keeps its tick when it gets another name."""
        known = self._followed.get(source)
        if known and known.name != name:
            self._tick({known.name: False, name: True})
            known.name = name

    def _tick(self, change: Mapping[str, bool]) -> None:
        """Changes ticks in the settings of all filters that tick one of the names."""
        for row, wearer in self._wearers.items():
            source = self._types.strong_source(self._words[row].ctypes.data) if wearer.names & change.keys() else 0
            if source:
                self._scenes.change_settings(source, {in_step_key(name): on for name, on in change.items()})
                # At once: libobs tells a filter of its new settings only with the next frame.
                wearer.names = wearer.names - change.keys() | {name for name, on in change.items() if on}
                self._libobs["obs_source_release"](source)
