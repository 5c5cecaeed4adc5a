"""OBS's recordings and replays: a sidecar beside each in which FaceLive swapped a face.

Looked at, and never told: OBS's frontend calls its callbacks on the UI thread, and needs the GIL for Python's. Here its own
words for "is recording" and "the last recording" are read, on the supervisor's thread; each file is hashed on its own.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import msgspec

from obs_facelive import fields
from obs_facelive.home import PERSONA_ID, Home
from obs_facelive.obs import abi
from obs_facelive.obs import rows as r
from obs_facelive.obs.instances import Instance
from obs_facelive.obs.status import engine_report
from obs_facelive.provenance import sidecar

PERIOD: Final = 0.25
"""Seconds between two looks."""
_COUNTED: Final = (r.RENDERS, r.WITH_FACE, r.SWAPPED_FRAMES, r.RAW_SHOWN)


@dataclass
class _Used:
    """A filter or camera during one recording.

    Attributes
    ----------
    before, now : the row's counters when the recording began, and lately
    worn : persona's id → pictures with its face
    """

    row: int
    kind: Literal["filter", "camera"]
    before: list[int]
    now: list[int]
    settings: bytes = b""
    worn: dict[str, int] = field(default_factory=dict)

    def look(self, rows: r.Rows, persona: str) -> None:
        """Takes the row's counters, and counts what is new for ``persona``, which the engine wears."""
        counted = [int(rows.words[self.row, word]) for word in _COUNTED]
        if swapped := counted[2] - self.now[2]:
            self.worn[persona] = self.worn.get(persona, 0) + swapped
        self.now, self.settings = counted, rows.json(self.row)

    def told(self, home: Home) -> sidecar.Camera:
        """What the sidecar says of it."""
        shown, with_face, swapped, bare = (now - then for now, then in zip(self.now, self.before, strict=True))
        pictures = sidecar.Pictures(shown=shown, with_face=with_face, swapped=swapped, bare=bare)
        # The name is the engine's word.
        folders = ((home.personas / (name if re.search(PERSONA_ID, name) else "-"), n) for name, n in self.worn.items())
        worn = tuple(sidecar.worn_from(folder, count) for folder, count in folders)
        chosen, _ = fields.read(self.settings or b"{}")
        return sidecar.Camera(kind=self.kind, worn=worn, pictures=pictures, settings=sidecar.told(chosen))


class _Watch:
    """What our filters do since something began to be kept.

    Attributes
    ----------
    path : of the file that it is kept in; None while there is none
    """

    def __init__(self, rows: r.Rows, home: Home) -> None:
        self._rows, self._home = rows, home
        self._used: dict[tuple[int, int], _Used] = {}
        self._began = 0.0
        self.path: Path | None = None

    def begin(self, path: Path | None) -> None:
        """Counts anew."""
        self.path, self._began, self._used = path, time.time(), {}

    def look(self, instances: Iterable[Instance]) -> None:
        """Call some times a second."""
        for instance in instances:
            key = instance.row, instance.serial
            if key not in self._used:
                row = self._rows.words[instance.row]
                counted = [int(row[word]) for word in _COUNTED]
                kind: Literal["filter", "camera"] = "camera" if row[r.KIND] == r.KIND_CAMERA else "filter"
                self._used[key] = _Used(instance.row, kind, counted, counted)
            persona = engine_report(instance.block.memory).persona if instance.block else ""
            self._used[key].look(self._rows, persona)

    def told(self) -> sidecar.Sidecar:
        """What the sidecar says, up to now."""
        cameras = [used.told(self._home) for used in self._used.values() if used.now[0] > used.before[0]]
        return sidecar.describe(self._began, time.time(), cameras)


class Recordings:
    """Watches for recordings and replays, for one supervisor.

    Parameters
    ----------
    log : gets a line for OBS's log
    """

    def __init__(
        self, rows: r.Rows, frontend: abi.Frontend | None, home: Home, log: Callable[[int, str], None]
    ) -> None:
        self._frontend, self._log = frontend, log
        self._recording, self._replay = _Watch(rows, home), _Watch(rows, home)
        self._buffering = False
        self._looked_at = 0.0
        self._threads: list[threading.Thread] = []
        self._stop = threading.Event()

    def tend(self, instances: Iterable[Instance], now: float) -> None:
        """Looks whether OBS records, and what our filters do meanwhile. Call some times a second."""
        if self._frontend is None or now - self._looked_at < PERIOD:
            return
        self._looked_at = now
        instances = list(instances)
        # Its own thread may be writing the name, when OBS splits a recording: so it is read while there is one, and seldom.
        path = Path(self._frontend.last_recording()) if self._frontend.recording() else None
        watch = self._recording
        if watch.path:
            watch.look(instances)
        if path != watch.path:
            self._finish(watch)
            watch.begin(path)
            if path:
                watch.look(instances)
        self._tend_replays(self._frontend, instances)

    def _tend_replays(self, frontend: abi.Frontend, instances: list[Instance]) -> None:
        buffering, watch = frontend.replay_buffer(), self._replay
        if buffering and not self._buffering:
            watch.begin(self._last_replay(frontend))
        self._buffering = buffering
        if not buffering:
            return
        watch.look(instances)
        # What is saved may be of any time since the buffer was switched on, so all of that is told.
        if (path := self._last_replay(frontend)) != watch.path:
            watch.path = path
            self._finish(watch)

    @staticmethod
    def _last_replay(frontend: abi.Frontend) -> Path | None:
        name = frontend.last_replay()
        return Path(name) if name else None

    def close(self) -> None:
        """Ends: what is being recorded gets its sidecar, without a hash; so does what is being hashed."""
        self._stop.set()
        self._finish(self._recording)
        self._recording.begin(None)
        for thread in self._threads:
            thread.join(5)

    def _finish(self, watch: _Watch) -> None:
        if watch.path is None:
            return
        note = watch.told()
        if note.swapped:
            thread = threading.Thread(target=self._write, args=(watch.path, note), name="FaceLive sidecar", daemon=True)
            self._threads = [t for t in self._threads if t.is_alive()] + [thread]
            thread.start()

    def _write(self, path: Path, note: sidecar.Sidecar) -> None:
        try:
            # First without the hash: a long recording takes a while to read, and OBS may end before.
            files = {path.name: sidecar.Content(bytes=path.stat().st_size)}
            sidecar.write(path, msgspec.structs.replace(note, files=files))
            content = sidecar.content(path, self._stop.is_set)
            if content.sha256:
                sidecar.write(path, msgspec.structs.replace(note, files={path.name: content}))
            self._log(abi.LOG_INFO, f"sidecar of {path.name}: {note.swapped} pictures with a swapped face")
        except OSError as error:
            self._log(abi.LOG_WARNING, f"the sidecar of {path} cannot be written: {error.strerror or error}")
