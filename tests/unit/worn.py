"""A filter in a `FakeLibobs` with a supervisor and an engine, one step at a time, and the judgement of what viewers see."""

from __future__ import annotations

import ctypes
import functools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec
import numpy as np

from obs_facelive.fields import read
from obs_facelive.frame import Frame, Patch
from obs_facelive.home import Home
from obs_facelive.link.layout import FAILED, LOADING, NO_FACE, SWAPPED, TURNED, WITHDRAWN
from obs_facelive.link.ring import EngineEnd
from obs_facelive.obs import rows as r
from obs_facelive.obs.filter import ID, SourceTypes
from obs_facelive.obs.instances import Instances
from obs_facelive.settings import Settings
from obs_facelive.states import AWAY_NS, COVER_SIDE, ENGINE_ABSENT, ENGINE_RUNNING, FRESH_NS, STATE_NAMES
from tests.unit.fake_libobs import SOURCE, FakeLibobs, Painted

MS = 1_000_000
_SIDE = 1 << 20
"""In the first pixel of a patch, beside the moment's number: the bare face is in it."""

Answer: TypeAlias = Literal[
    "honest", "missed", "failed", "loading", "turned", "withdrawn", "no patch", "face in no face", "unknown"
]


class Moment(NamedTuple):
    """One picture of the camera: its size, when it was, and where the face is (x, y, width, height), if there is one."""

    size: tuple[int, int]
    at: int
    face: tuple[int, int, int, int] | None


@dataclass
class Job:
    """A frame in the engine's hands, and the settings when it was taken."""

    frame: Frame
    moment: int
    settings: Settings
    seq: int


@functools.cache
def libobs() -> tuple[FakeLibobs, SourceTypes]:
    """The one libobs of this process, with our kinds in it: compiled callbacks are linked once."""
    made = FakeLibobs()
    return made, SourceTypes(made, Home.find(), 0, 0)  # type: ignore[arg-type]


class Worn:
    """One life of one filter.

    Attributes
    ----------
    obs : see `FakeLibobs`
    hand : what the engine works on
    """

    def __init__(self) -> None:
        self.obs, self._types = libobs()
        self.obs.begin()
        self.obs.settings = msgspec.structs.asdict(Settings())
        info = self.obs.registered[ID]
        self._update = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)(info.update)
        self._tick = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_float)(info.video_tick)
        self._render = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)(info.video_render)
        self._destroy = ctypes.CFUNCTYPE(None, ctypes.c_int64)(info.destroy)
        self._address = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)(info.create)(1, SOURCE)
        self.row = self._types.rows.words[(self._address - self._types.rows.words.ctypes.data) // (8 * r.ROW_WORDS)]
        self._instances = Instances(self._types.rows)
        self._moments = {1: Moment(self.obs.size, self.obs.clock, None)}
        self._first_allowed = self._last_captured = 0
        self._said: dict[int, int] = {}
        self._heard_at: dict[int, int] = {}
        self._newest = self._heard = 0
        self._opening: dict[str, Any] | None = None
        self._end: EngineEnd | None = None
        self._seq, self._known = 0, Settings()
        self.hand: list[Job] = []
        self.supervise(True)

    def close(self) -> None:
        """The end of the filter."""
        self.engine_dies()
        self._destroy(self._address)
        self._instances.tend(time.monotonic())
        self._instances.close()

    @property
    def state(self) -> str:
        """What the filter says that it shows."""
        return STATE_NAMES[int(self.row[r.STATE])]

    # OBS and the person

    def pass_time(self, milliseconds: int, *, face: bool = True) -> None:
        """Time goes on, and the camera has another picture."""
        self.obs.clock += milliseconds * MS
        self.obs.moment += 1
        width, height = self.obs.size
        where = (width // 4, height // 4, width // 2, height // 2) if face else None
        self._moments[self.obs.moment] = Moment(self.obs.size, self.obs.clock, where)

    def resize(self, width: int, height: int) -> None:
        """The camera has another size from the next picture on; 0 by 0: it is not there."""
        self.obs.size = (width, height)

    def change(self, **settings: Any) -> None:
        """The person changes settings."""
        self.obs.settings |= settings
        self._update(self._address, 1)

    def draw(self, views: int = 1) -> list[Painted]:
        """OBS draws a frame, seen in some places; what was seen, judged."""
        if self.obs.clock - self._last_captured > AWAY_NS:
            self._first_allowed = self.obs.moment
        open_now = not self.obs.settings["swap"] and not self.obs.settings["privacy"]
        if min(self.obs.size) > 0 and not open_now:
            self._last_captured = self.obs.clock
        self._tick(self._address, 1 / 30)
        self._heard = self._newest
        if self._newest:
            self._heard_at.setdefault(self._newest, self.obs.clock)
        seen: list[Painted] = []
        for _ in range(views):
            self.obs.screen = []
            self._render(self._address, 0)
            assert not self.obs.errors, self.obs.errors
            assert len(self.obs.screen) == (min(self.obs.size) > 0) or self.obs.broken
            for painted in self.obs.screen:
                self._judge(painted)
            seen += self.obs.screen
        assert self.row[r.RAW_SHOWN] == 0
        return seen

    def _judge(self, painted: Painted) -> None:
        settings = self.obs.settings
        if painted.moment == 0 or painted.detail <= COVER_SIDE:
            return
        moment = self._moments[painted.moment]
        assert moment.size == self.obs.size, "a picture of another size"
        assert painted.moment >= self._first_allowed, "a picture from before"
        if not settings["swap"] and not settings["privacy"]:
            return
        assert settings["swap"], "neither covered nor swapped"
        patches = [patch for patch in painted.patches if patch[4] & ~_SIDE == painted.moment]
        assert len(patches) == len(painted.patches), "patches of another picture"
        if not patches:
            assert settings["no_face"] == "camera" and self._said.get(painted.moment) == NO_FACE, "bare"
            assert self._said.get(self._heard) == NO_FACE, "bare, and the newest result is another"
            assert self.obs.clock - self._heard_at[painted.moment] < FRESH_NS, "bare, and old"
        elif moment.face:
            assert any(_covers(patch, moment.face) for patch in patches), "bare: the patches are elsewhere"
            assert settings["view"] == "side" or not any(patch[4] & _SIDE for patch in patches), "bare, side by side"

    # The supervisor

    def supervise(self, there: bool) -> None:
        """The script is there, or not."""
        self._types.rows.table[r.T_SUPERVISED] = int(there)

    def look(self) -> None:
        """The supervisor looks after the block, and tells the engine."""
        for command in self._instances.tend(time.monotonic()):
            self._drop_block()
            self._opening = command if "open" in command else None
        if self.row[r.ENGINE] == ENGINE_RUNNING and self._opening and self._end is None:
            about = self._opening
            self._end = EngineEnd(about["open"], about["capacity"], about["patch_capacity"])

    # The engine

    def engine_starts(self) -> None:
        """A new engine opens the block, if there is one."""
        self.row[r.ENGINE] = ENGINE_RUNNING
        self.look()

    def engine_dies(self) -> None:
        """The engine is gone with all that it had in hand."""
        self.row[r.ENGINE] = ENGINE_ABSENT
        self._drop_block()

    def _drop_block(self) -> None:
        self.hand.clear()
        if self._end:
            self._end.close()
        self._end = None

    def take(self) -> bool:
        """The engine takes the newest frame, with the settings of now; False if there is none."""
        if self._end is None:
            return False
        frame = self._end.take()
        if changed := self._end.settings():
            self._seq, (self._known, _) = changed[0], read(changed[1])
        if frame is None:
            return False
        number = int(frame.pixels.view(np.int32)[0, 0, 0])
        self.hand.append(Job(frame, number, self._known, self._seq))
        return True

    def answer(self, how: Answer = "honest", index: int = 0) -> None:
        """The engine finishes something that it has in hand."""
        assert self._end
        job = self.hand.pop(index)
        face = self._moments[job.moment].face
        swapped = face is not None and how == "honest"
        status, faces, patches = NO_FACE, 0, list[Patch]()
        if swapped:
            assert face
            status, faces, patches = SWAPPED, 1, [_patch(job, face)]
        elif how == "no patch":
            status, faces = SWAPPED, 1
        elif how == "face in no face":
            faces = 1
        elif how not in ("honest", "missed"):
            status = {"failed": FAILED, "loading": LOADING, "turned": TURNED, "withdrawn": WITHDRAWN, "unknown": 77}[
                how
            ]
        self._end.put(job.frame, status, patches, faces, job.seq)
        self._end.give_back(job.frame)
        if how not in ("no patch", "face in no face"):
            self._said[job.moment], self._newest = status, job.moment

    def refuse(self, status: int) -> None:
        """The engine says ahead of all results that the face may not be seen; 0: it may."""
        assert self._end
        self._end.refuse(status)

    def work(self, how: Answer = "honest") -> None:
        """The engine takes and answers, if there is a frame."""
        if self.take():
            self.answer(how, len(self.hand) - 1)

    def go_live(self) -> None:
        """Some frames, until the persona is seen."""
        self.draw()
        self.engine_starts()
        for _ in range(5):
            self.pass_time(33)
            self.draw()
            self.work()
        assert self.state == "live"


def _patch(job: Job, face: tuple[int, int, int, int]) -> Patch:
    side = job.settings.view == "side"
    x, y, width, height = (0, 0, job.frame.width, job.frame.height) if side else face
    pixels = np.full((height, width), job.moment | (_SIDE if side else 0), np.int32)
    return Patch(x, y, pixels.view(np.uint8).reshape(height, width, 4))


def _covers(patch: tuple[int, int, int, int, int], face: tuple[int, int, int, int]) -> bool:
    x, y, width, height, _ = patch
    return x <= face[0] and y <= face[1] and x + width >= face[0] + face[2] and y + height >= face[1] + face[3]


@contextmanager
def wearing() -> Iterator[Worn]:
    """A filter, ended afterwards."""
    worn = Worn()
    try:
        yield worn
    finally:
        worn.close()
