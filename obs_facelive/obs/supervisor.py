"""The thread beside the callbacks: gives every filter its block, keeps the engine running, turns hotkeys into settings.

It runs inside OBS's interpreter, sleeps nearly always, and never holds a libobs lock while it wants the GIL.
"""

from __future__ import annotations

import ctypes
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

from obs_facelive import states
from obs_facelive.home import Home
from obs_facelive.link import layout as at
from obs_facelive.link.atomic import read_word
from obs_facelive.link.memory import sweep
from obs_facelive.obs import abi
from obs_facelive.obs import rows as r
from obs_facelive.obs.adding import Adding
from obs_facelive.obs.audio import Sound
from obs_facelive.obs.consenting import Consenting
from obs_facelive.obs.engine_process import EngineProcess, describe_exit
from obs_facelive.obs.feedback import Feedback
from obs_facelive.obs.filter import SourceTypes
from obs_facelive.obs.getting import Getting
from obs_facelive.obs.hotkeys import Hotkeys
from obs_facelive.obs.instances import Instance, Instances
from obs_facelive.obs.lately import Lately
from obs_facelive.obs.ordering import Orders
from obs_facelive.obs.recordings import Recordings
from obs_facelive.obs.restarts import Restarts
from obs_facelive.obs.status import engine_report, in_words, status
from obs_facelive.obs.targets import Targets

_PERIOD = 0.05
_HANG = 2.0
_START = 60.0


class Supervisor:
    """Watches the rows of the registered filter and camera.

    Attributes
    ----------
    adding : photos that become personas
    getting : known models that are fetched
    consenting : consent that is recorded and taken back
    trouble : the last thing that went wrong with the engine, for the panel; empty if nothing did
    """

    def __init__(self, registered: SourceTypes, home: Home) -> None:
        self._filter, self._home = registered, home
        self._rows, self._words = registered.rows, registered.rows.words
        self._libobs = {name: abi.bind(registered.libobs, name) for name in abi.FUNCTIONS}
        self._instances = Instances(registered.rows)
        self._targets = Targets(registered)
        self._hotkeys = Hotkeys(registered, home)
        self._sound = Sound(registered)
        self.adding = Adding(registered)
        self.getting = Getting(registered, home)
        self.consenting = Consenting(registered, home)
        self._all_orders: tuple[Orders, ...] = (self.adding, self.getting, self.consenting)
        self._feedback = Feedback(registered.libobs, self._words)
        self._recordings = Recordings(registered.rows, abi.frontend(registered.libobs), home, self.log)
        self._engine: EngineProcess | None = None
        self._last_beat = self._next_start = 0.0
        self._beating_since: float | None = None
        self._restarts = Restarts()
        self._starts = 0
        self._restart = threading.Event()
        self._remember: set[int] = set()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._panels: dict[int, int] = {}
        self._panel_text: dict[int, str] = {}
        self._panel_at = 0.0
        self._status_dir = os.environ.get("FACELIVE_STATUS_DIR")
        self._status_at = 0.0
        self.trouble = ""

    def start(self) -> None:
        """Begins to watch."""
        self._stop.clear()
        sweep()
        self._rows.table[r.T_SUPERVISED] = 1
        self._thread = threading.Thread(target=self._run, name="FaceLive supervisor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the engine and the thread; filters show their cover from now on."""
        self._rows.table[r.T_SUPERVISED] = 0
        self._stop.set()
        if self._thread:
            self._thread.join(5)
            self._thread = None

    def restart_engine(self) -> None:
        """Asks for a new engine process (the panel's button)."""
        self._restart.set()

    def remember(self, row: int) -> None:
        """Asks the engine to enrol whom the row's camera sees (the panel's button)."""
        self._remember.add(row)

    def panel_opened(self, row: int) -> None:
        """A panel of the row is on the screen: its status line is kept fresh."""
        self._panels[row] = self._panels.get(row, 0) + 1

    def panel_closed(self, row: int) -> None:
        """One panel less."""
        self._panels[row] = self._panels.get(row, 0) - 1

    def status_line(self, row: int) -> str:
        """One line about a filter, in words."""
        now = self._status(row, self._instances.get(row), ("", ""))
        return in_words(now, self.trouble)

    def line(self, orders: Orders, row: int) -> str:
        """What there is to say about one kind of orders from the panel, in words."""
        return orders.line(self._instances.get(row), row)

    def _status(self, row: int, instance: Instance | None, names: tuple[str, str]) -> dict[str, Any]:
        words, block = self._words[row], instance.block if instance else None
        current = block is not None and block.link[r.L_SENT_SEQ] == words[r.JSON_SEQ]
        lately = instance.lately if instance else Lately()
        note = (instance.lack or instance.note) if instance else ""
        known = status(words, block.memory if block else None, current, lately, names, note)
        return known | self._sound.report(row)

    def log(self, level: int, text: str) -> None:
        """Writes a line into OBS's log."""
        self._libobs["blog"](level, b"[FaceLive] " + text.encode(errors="replace").replace(b"%", b"%%"))

    def _run(self) -> None:
        now = time.monotonic()
        while not self._stop.wait(_PERIOD):
            before, now = now, time.monotonic()
            if now - before > 1.0:  # the whole process slept: nobody's heartbeat is to blame
                self._last_beat += now - before
            try:
                self._look(now)
            except Exception as error:  # the thread must outlive whatever happens in it
                words = f"{type(error).__name__}: {error}"
                if words != self.trouble:
                    self.log(abi.LOG_ERROR, f"error: {words}")
                self.trouble = words
        self._recordings.close()
        self._sound.restore()
        self._end_engine(gently=True)
        for instance in self._instances:
            self._forget(instance)
        self._instances.close()

    def _look(self, now: float) -> None:
        for command in self._instances.tend(now):
            if self._engine:
                self._engine.tell(**command)
        while self._instances.gone:
            self._forget(self._instances.gone.pop())
        for instance in self._instances:
            self._hotkeys.tend(instance)
        while self._remember:
            asked = self._instances.get(self._remember.pop())
            if self._engine and asked and asked.block:
                self._engine.tell(remember=asked.block.memory.name)
        for orders in self._all_orders:
            orders.tend(self._instances, self._engine.tell if self._engine else None, now)
        self._targets.tend(self._instances)
        self._sound.tend(self._instances, now)
        self._watch_engine(now)
        self._feedback.give(self._instances, now)
        self._recordings.tend(self._instances, now)
        self._publish(now)

    def _address(self, row: int) -> int:
        return self._words[row].ctypes.data

    def _forget(self, instance: Instance) -> None:
        self._hotkeys.forget(instance)
        if self._status_dir:
            (Path(self._status_dir) / f"{instance.row}.json").unlink(missing_ok=True)

    def _watch_engine(self, now: float) -> None:
        if self._restart.is_set():
            self._restart.clear()
            self._restarts.forget()
            self._end_engine(gently=False)
            self._next_start = now
        if self._engine is None:
            if self._instances.blocks and now >= self._next_start:
                self._start_engine(now)
            return
        if self._restarts.forgive(now):
            self.trouble = ""
        code = self._engine.exit_code()
        if code is None:
            if not self._instances.blocks:  # nowhere to beat
                self._last_beat = now
            for block in self._instances.blocks:
                beat = read_word(block.memory.address + 8 * at.HEARTBEAT)
                if beat != block.beat:
                    block.beat, self._last_beat = beat, now
                    self._beating_since = self._beating_since or now
            limit = _HANG if self._beating_since else _START
            if now - self._last_beat < limit:
                self._set_engine(states.ENGINE_RUNNING if self._beating_since else states.ENGINE_STARTING)
                return
            why = f"no sign of life for {limit:.0f} s"
        else:
            why = describe_exit(code)
        self._next_start = now + self._restarts.died(now, self._last_beat - (self._beating_since or self._last_beat))
        self.trouble = f"the engine {why}; restarted {len(self._restarts)} times within a minute"
        self.log(abi.LOG_WARNING, self.trouble)
        self._end_engine(gently=False)

    def _start_engine(self, now: float) -> None:
        device = self._restarts.device
        try:
            self._engine = EngineProcess(self._home, device, self._filter.bell)
        except OSError as error:
            if self.trouble != str(error):
                self.log(abi.LOG_ERROR, f"error: {error}")
            self.trouble, self._next_start = str(error), now + 5
            return
        self._starts += 1
        self._last_beat, self._beating_since = now, None
        for block in self._instances.blocks:
            block.beat = read_word(block.memory.address + 8 * at.HEARTBEAT)
            self._engine.tell(**block.opening)
        self._set_engine(states.ENGINE_STARTING)
        self.log(abi.LOG_INFO, f"engine started (pid {self._engine.pid}, device {device})")

    def _end_engine(self, *, gently: bool) -> None:
        self._set_engine(states.ENGINE_ABSENT)
        if self._engine:
            if gently:
                self._engine.close()
            else:
                self._engine.kill()
            self._engine = None

    def _set_engine(self, state: int) -> None:
        self._words[:, r.ENGINE] = state

    def _names(self, row: int) -> tuple[str, str]:
        found = []
        camera = self._words[row, r.KIND] == r.KIND_CAMERA
        shown = self._filter.strong_target if camera else self._filter.strong_parent
        for reference in (self._filter.strong_source, shown):
            source = reference(self._address(row))
            text = self._libobs["obs_source_get_name"](source) if source else None
            found.append(ctypes.string_at(text).decode(errors="replace") if text else "")
            if source:
                self._libobs["obs_source_release"](source)
        return found[0], found[1]

    def _publish(self, now: float) -> None:
        if now - self._panel_at > 2:
            self._panel_at = now
            for row, count in list(self._panels.items()):
                if count > 0 and self._words[row, r.USED] == r.ALIVE:
                    self._refresh_panel(row)
        if now - self._status_at < 0.1:
            return
        self._status_at = now
        for instance in self._instances:
            row = instance.row
            error = engine_report(instance.block.memory).error if instance.block else ""
            if error and error != instance.error:
                self.log(abi.LOG_WARNING, f"engine: {error}")
            instance.error = error
            if self._status_dir:
                known = self._status(row, instance, self._names(row))
                known["engine_pid"] = self._engine.pid if self._engine else 0
                known["engine_starts"] = self._starts
                known["last_error"] = known["last_error"] or self.trouble
                path = Path(self._status_dir) / f"{row}.json"
                path.with_suffix(".new").write_text(json.dumps(known))
                path.with_suffix(".new").replace(path)

    def _refresh_panel(self, row: int) -> None:
        text = "\n".join([self.status_line(row), *(self.line(orders, row) for orders in self._all_orders)])
        if text == self._panel_text.get(row):
            return
        self._panel_text[row] = text
        source = self._filter.strong_source(self._address(row))
        if source:
            self._libobs["obs_source_update_properties"](source)
            self._libobs["obs_source_release"](source)
