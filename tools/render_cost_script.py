"""Runs inside OBS in place of ``facelive.py``, and measures what rendering costs; see `tools.render_cost`.

Compiled code on the graphics thread renders the scenes `KINDS` by turns, each between two drained queues: before the call
nothing is left to be drawn, and how long it takes until everything that the call asked for is drawn is measured too.

The functions that begin or end one of the `SPANS` are replaced, for our callbacks only, by compiled ones that measure: on
every second frame, so that the clocks' own cost stays out of the other frames' sums.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, os.environ["FACELIVE_SCRIPT_FOLDER"])

import facelive  # type: ignore[import-not-found]  # first of all: it makes our packages importable  # isort: split
import llvmlite.binding as llvm
import numpy as np
from numba import cfunc, njit, types

from obs_facelive.link.atomic import load, store
from obs_facelive.obs import abi, native

KINDS = ("plain", "native", "facelive")
SPANS = {
    "target": ("obs_source_video_render", "obs_source_video_render"),
    "read back": ("gs_stage_texture", "gs_stage_texture"),
    "copy out": ("gs_stagesurface_map", "gs_stagesurface_unmap"),
    "wake engine": ("write", "write"),
    "patches in": ("gs_texture_map", "gs_texture_unmap"),
}
"""What our callback spends its time on: from the begin of one function's call to the end of another's."""
SAMPLES = int(os.environ["FACELIVE_RENDER_SAMPLES"])

# The words that compiled code knows; then the sums.
COUNT, SAMPLING, IN_SPANS, DRAIN_TARGET, DRAIN_STAGE, DATA, LINE, SECONDS, NANOSECONDS, WIDTH, HEIGHT = range(11)
ZERO, SOURCE, TARGET, BEGAN, HEADER = 12, 16, 20, 24, 40
LINES = len(KINDS) + len(SPANS)
CPU, WALL, DRAWN, CALLS = 0, 1, 2, 2
_memory = np.zeros(HEADER + SAMPLES * LINES * 3, np.int64)
_sums = _memory[HEADER:].reshape(SAMPLES, LINES, 3)
"""Nanoseconds, by frame: of each kind CPU, WALL, and DRAWN after the call; of each span CPU, WALL, and the number of CALLS."""
_AT = int(_memory.ctypes.data)
_C = ctypes.CDLL(None)


def _real(name: str) -> Any:
    """A function under a name of its own, which nobody replaces."""
    llvm.add_symbol(f"real_{name}", ctypes.cast(getattr(_C, name), ctypes.c_void_p).value)
    signature = _C_LIBRARY.get(name) or native.function(name).sig
    return types.ExternalFunction(f"real_{name}", signature)


_C_LIBRARY = {"clock_gettime": types.int32(types.int32, types.int64), "write": native.ring_bell.sig}
_CLOCK_THREAD_CPUTIME_ID = 16 if sys.platform == "darwin" else 3
_clock_gettime = _real("clock_gettime")
_now = _real("os_gettime_ns")
_render = _real("obs_source_video_render")
_reset = _real("gs_texrender_reset")
_begin = _real("gs_texrender_begin")
_end = _real("gs_texrender_end")
_texture = _real("gs_texrender_get_texture")
_stage = _real("gs_stage_texture")
_map = _real("gs_stagesurface_map")
_unmap = _real("gs_stagesurface_unmap")
_ortho = _real("gs_ortho")
_clear = _real("gs_clear")


@njit
def _get(word: int) -> int:
    return int(load(_AT + 8 * word))


@njit
def _put(word: int, value: int) -> None:
    store(_AT + 8 * word, value)


@njit
def _add(line: int, column: int, value: int) -> None:
    word = HEADER + (_get(COUNT) * LINES + line) * 3 + column
    _put(word, _get(word) + value)


@njit
def _cpu() -> int:
    _clock_gettime(_CLOCK_THREAD_CPUTIME_ID, _AT + 8 * SECONDS)
    return int(_get(SECONDS) * 1_000_000_000 + _get(NANOSECONDS))


@njit
def _open(span: int) -> None:
    if span >= 0 and _get(IN_SPANS):
        _put(BEGAN + 2 * span, _cpu())
        _put(BEGAN + 2 * span + 1, _now())


@njit
def _close(span: int) -> None:
    if span >= 0 and _get(IN_SPANS):
        line = len(KINDS) + span
        _add(line, WALL, _now() - _get(BEGAN + 2 * span + 1))
        _add(line, CPU, _cpu() - _get(BEGAN + 2 * span))
        _add(line, CALLS, 1)


def _measured(name: str) -> Any:
    """A compiled function that does what ``name`` does, and opens and closes its spans."""
    real = _real(name)
    opens, closes = (
        next((index for index, span in enumerate(SPANS.values()) if span[end] == name), -1) for end in (0, 1)
    )

    def call1(a: Any) -> Any:
        _open(opens)
        answer = real(a)
        _close(closes)
        return answer

    def call2(a: Any, b: Any) -> Any:
        _open(opens)
        answer = real(a, b)
        _close(closes)
        return answer

    def call3(a: Any, b: Any, c: Any) -> Any:
        _open(opens)
        answer = real(a, b, c)
        _close(closes)
        return answer

    calls: dict[int, Callable[..., Any]] = {1: call1, 2: call2, 3: call3}
    return cfunc(real.sig)(calls[len(real.sig.args)])


@njit
def _drain() -> None:
    """Waits until all that was asked for is drawn: reads back one pixel that is drawn after it."""
    target = _get(DRAIN_TARGET)
    _reset(target)
    if _begin(target, 1, 1):
        _clear(abi.CLEAR_COLOUR, _AT + 8 * ZERO, 0.0, 0)
        _end(target)
    _stage(_get(DRAIN_STAGE), _texture(target))
    if _map(_get(DRAIN_STAGE), _AT + 8 * DATA, _AT + 8 * LINE):
        _unmap(_get(DRAIN_STAGE))


@njit
def _draw(source: int, target: int) -> tuple[int, int]:
    """Draws a source; (thread CPU, wall) nanoseconds of libobs's call alone."""
    _reset(target)
    if not _begin(target, _get(WIDTH), _get(HEIGHT)):
        return 0, 0
    _ortho(0.0, float(_get(WIDTH)), 0.0, float(_get(HEIGHT)), -100.0, 100.0)
    _clear(abi.CLEAR_COLOUR, _AT + 8 * ZERO, 0.0, 0)
    cpu, wall = _cpu(), _now()
    _render(source)
    wall, cpu = _now() - wall, _cpu() - cpu
    _end(target)
    return cpu, wall


@cfunc(types.void(types.int64, types.uint32, types.uint32))
def _on_draw(param: int, width: int, height: int) -> None:
    """libobs's main render callback: once a frame, before the program is drawn."""
    count, sampling = _get(COUNT), _get(SAMPLING)
    if count >= SAMPLES:
        return
    _draw(_get(SOURCE), _get(TARGET))  # whoever is first in a frame uploads the camera's picture
    _drain()
    for turn in range(len(KINDS)):
        kind = (count + turn) % len(KINDS)
        _put(IN_SPANS, 1 if sampling and count % 2 else 0)
        cpu, wall = _draw(_get(SOURCE + kind), _get(TARGET + kind))
        _put(IN_SPANS, 0)
        began = _now()
        _drain()
        if sampling:
            _add(kind, CPU, cpu)
            _add(kind, WALL, wall)
            _add(kind, DRAWN, _now() - began)
    if sampling:
        _put(COUNT, count + 1)


class Measurement:
    """A thread that waits for the scenes, then for the file ``begin``, then for the samples, and writes their medians."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._libobs = {name: abi.bind(_C, name) for name in abi.FUNCTIONS}
        self._get_source = _C.obs_get_source_by_name
        self._get_source.restype, self._get_source.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
        self._sources: list[int] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="render cost", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Lets go of everything; samples that are missing stay missing."""
        self._stop.set()
        self._thread.join()

    def _wait(self, condition: Callable[[], bool]) -> bool:
        while not condition():
            if self._stop.wait(0.05):
                return False
        return True

    def _find_scenes(self) -> bool:
        for kind in KINDS[len(self._sources) :]:
            source = self._get_source(kind.encode())
            if not source:
                return False
            self._sources.append(source)
        return True

    def _run(self) -> None:
        call = self._libobs
        if self._wait(self._find_scenes):
            call["obs_enter_graphics"]()
            targets = [call["gs_texrender_create"](abi.BGRA, abi.ZS_NONE) for _ in (*KINDS, "drain")]
            surface = call["gs_stagesurface_create"](1, 1, abi.BGRA)
            call["obs_leave_graphics"]()
            _memory[SOURCE : SOURCE + len(KINDS)] = self._sources
            *_memory[TARGET : TARGET + len(KINDS)], _memory[DRAIN_TARGET] = targets
            _memory[DRAIN_STAGE] = surface
            _memory[WIDTH] = call["obs_source_get_base_width"](self._sources[0])
            _memory[HEIGHT] = call["obs_source_get_base_height"](self._sources[0])
            callback = ctypes.c_void_p(_on_draw.address), None
            _C.obs_add_main_render_callback(*callback)
            if self._wait((self._folder / "begin").exists):
                _memory[SAMPLING] = 1
                if self._wait(lambda: bool(_memory[COUNT] >= SAMPLES)):
                    self._write()
            _C.obs_remove_main_render_callback(*callback)
            call["obs_enter_graphics"]()
            for target in targets:
                call["gs_texrender_destroy"](target)
            call["gs_stagesurface_destroy"](surface)
            call["obs_leave_graphics"]()
        for source in self._sources:
            call["obs_source_release"](source)

    def _write(self) -> None:
        even, odd = _sums[0::2], _sums[1::2]

        def medians(samples: Any, third: str) -> dict[str, float]:
            columns = np.median(samples, axis=0)
            return {
                "cpu_us": round(columns[CPU] / 1e3, 1),
                "wall_us": round(columns[WALL] / 1e3, 1),
                third: round(columns[2] / (1 if third == "calls" else 1e3), 1),
            }

        result = {
            "width": int(_memory[WIDTH]),
            "height": int(_memory[HEIGHT]),
            "samples": len(even),
            "kinds": {name: medians(even[:, line], "drawn_us") for line, name in enumerate(KINDS)},
            "spans": {name: medians(odd[:, line], "calls") for line, name in enumerate(SPANS, start=len(KINDS))},
        }
        path = self._folder / "render_cost.json"
        path.with_suffix(".new").write_text(json.dumps(result))
        path.with_suffix(".new").replace(path)


_link = native.link


def _link_measured(libobs: ctypes.CDLL, table_address: int) -> None:
    """Links our callbacks to the measured functions instead of libobs's own."""
    _link(libobs, table_address)
    for name in {name for span in SPANS.values() for name in span}:
        llvm.add_symbol(name, _functions.setdefault(name, _measured(name)).address)


_functions: dict[str, Any] = {}
_measurements: list[Measurement] = []
native.link = _link_measured


def script_load(settings: object) -> None:
    """Loads FaceLive, then begins."""
    facelive.script_load(settings)
    _measurements.append(Measurement(Path(os.environ["FACELIVE_RENDER_COST"])))


def script_unload() -> None:
    """Ends the measurement, then FaceLive."""
    _measurements.pop().end()
    facelive.script_unload()
