"""The engine process: its sessions, woken by the bell, told what to do over standard input, gone when OBS is gone."""

from __future__ import annotations

import logging
import os
import queue
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import IO

import cv2

from obs_facelive.catalog import ModelError
from obs_facelive.engine.fetching import publish_known
from obs_facelive.engine.session import Session
from obs_facelive.engine.slow import Slow
from obs_facelive.engine.stages import Stages
from obs_facelive.engine.stamp import Stamp
from obs_facelive.home import Home
from obs_facelive.link.bell import Ear
from obs_facelive.link.commands import Add, Close, Command, Get, Open, Permit, Remember, Withdraw, lines, read
from obs_facelive.link.ring import EngineEnd
from obs_facelive.runtime.providers import Device

log = logging.getLogger(__name__)

_BEAT = 0.1
_LAST_MOMENT = 1.5
"""Seconds that the work in hand may still take after OBS has gone."""
_STUCK = 10.0
"""Seconds after which a piece of work is stuck: the engine stops beating, and the supervisor starts another."""
_NICE = 5
_GIL_PASSED_ON = 0.001
"""Seconds for which a thread that runs Python may keep another waiting that only has to hand on a frame."""

Commands = queue.SimpleQueue[Command]


def _listen(stream: IO[bytes], commands: Commands, gone: threading.Event) -> None:
    """Reads commands until OBS closes the pipe or dies; then this process must end, whatever it is doing."""
    try:
        for line in lines(stream):
            try:
                commands.put(read(line))
            except ValueError as error:
                log.warning("a command was not understood: %s", error)
    finally:
        gone.set()
        time.sleep(_LAST_MOMENT)
        os._exit(0)


class Engine:
    """All sessions of one OBS."""

    def __init__(self, home: Home, device: Device, ear: Ear) -> None:
        self._ear = ear
        self._stages = Stages(home, device)
        try:
            publish_known(home)
        except (ModelError, OSError) as error:
            log.warning("no model can be fetched in the panel: %s", error)
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="loader")
        self._stamp = Stamp.from_environment()
        self._slow = Slow.from_environment()
        self._sessions: dict[str, Session] = {}
        self._closing: list[Session] = []
        self._beats = 0
        self._nice = False

    def run(self, commands: Commands, gone: threading.Event) -> None:
        """Works until ``gone`` is set."""
        beaten = 0.0
        while not gone.is_set():
            self._ear.wait(_BEAT)
            while not commands.empty():
                self._obey(commands.get())
            for session in self._sessions.values():
                session.tend()
            now = time.monotonic()
            if now - beaten > _BEAT:
                beaten = now
                self._beat(now)
                self._closing = [session for session in self._closing if not session.try_unmap()]

    def _beat(self, now: float) -> None:
        if any(session.busy_for(now) > _STUCK for session in self._sessions.values()):
            return
        if not self._nice and any(session.started for session in self._sessions.values()):
            self._nice = True
            _step_back()
        self._beats += 1
        for session in self._sessions.values():
            session.beat(self._beats)

    def _obey(self, command: Command) -> None:
        match command:
            case Open(name, capacity, patch_capacity) if name not in self._sessions:
                try:
                    end = EngineEnd(name, capacity, patch_capacity)
                except (OSError, ValueError) as error:
                    log.error("%s", error)
                    return
                self._sessions[name] = Session(end, self._stages, self._loader, self._stamp, self._slow)
            case Close(name) if name in self._sessions:
                session = self._sessions.pop(name)
                session.close()
                self._closing.append(session)
            case Remember(name) if name in self._sessions:
                self._sessions[name].remember()
            case Add(name) | Get(name) | Permit(name) | Withdraw(name) if name in self._sessions:
                self._sessions[name].order(type(command))


def _step_back() -> None:
    """OBS draws and encodes first. Not before the first result: until then, viewers see a cover."""
    if sys.platform == "linux":  # where a thread has a priority of its own
        for thread in os.listdir("/proc/self/task"):
            with suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, int(thread), _NICE)
    elif sys.platform != "win32":
        os.nice(_NICE)


def run(home: Home, bell: int, device: Device) -> None:
    """Serves OBS until it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in OBS's terminal is for OBS
    cv2.setNumThreads(1)
    sys.setswitchinterval(_GIL_PASSED_ON)
    commands: Commands = queue.SimpleQueue()
    gone = threading.Event()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, commands, gone), name="commands", daemon=True).start()
    log.info("engine starts, device %s", device)
    Engine(home, device, Ear(bell)).run(commands, gone)
    log.info("OBS is gone, the engine ends")
    os._exit(0)
