"""OBS's side of the link, its compiled sources run by the interpreter: another hand may stop it at every word it touches.

The graphics card is a model that knows what was drawn into each texture.
"""

from __future__ import annotations

import ctypes
import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np

from obs_facelive.link import layout as at
from obs_facelive.obs import rows as r
from tests.link.fuzz.guarded import Guarded

_MODULES = ("obs_facelive.link.obs_end", "obs_facelive.obs.capture", "obs_facelive.obs.present")
GAP = 12
"""Bytes between the rows of what the card maps."""


class OutOfRange(AssertionError):
    """A word or a byte was touched that is none of ours."""


class Space:
    """All the memory that OBS's side may touch. ``point`` is called before each touch of the shared block, with the offset."""

    def __init__(self, block: int, size: int) -> None:
        self._block = range(block, block + size)
        self._readable: dict[str, tuple[int, int]] = {}
        self._writable: dict[str, list[tuple[int, int]]] = {}
        self.point: Callable[[int], None] = lambda offset: None

    def allow(self, name: str, address: int, size: int, *writable: tuple[int, int]) -> None:
        """``writable``: ranges (first byte's offset, size)."""
        self._readable[name] = (address, address + size)
        self._writable[name] = [(address + offset, address + offset + length) for offset, length in writable]

    def forget(self, name: str) -> None:
        """Nobody may touch it any more."""
        del self._readable[name], self._writable[name]

    def load(self, address: int) -> int:
        self._point(address)
        self._check(address, 8, False)
        return ctypes.c_int64.from_address(address).value

    def store(self, address: int, value: int) -> None:
        self._point(address)
        self._check(address, 8, True)
        ctypes.c_int64.from_address(address).value = value  # wraps, as compiled code does

    def copy(self, to: int, source: int, size: int) -> None:
        self._check(source, size, False)
        self._check(to, size, True)
        half = size // 2
        for first, length in ((0, half), (half, size - half)):
            self._point(to if to in self._block else source)
            ctypes.memmove(to + first, source + first, length)

    def claim(self, address: int, expected: int, value: int) -> int:
        found = self.load(address) == expected
        if found:
            self.store(address, value)
        return int(found)

    def _point(self, address: int) -> None:
        if address in self._block:
            self.point(address - self._block.start)

    def _check(self, address: int, size: int, write: bool) -> None:
        ranges = [w for all in self._writable.values() for w in all] if write else self._readable.values()
        if not any(start <= address and address + size <= end for start, end in ranges):
            raise OutOfRange(f"{'write to' if write else 'read of'} {size} bytes at {address:#x}")


@dataclass
class Drawing:
    """What a texture shows: the camera's picture of that number, and the patches (x, y, width, height, pixels) on it."""

    picture: int = -1
    patches: list[tuple[int, int, int, int, bytes]] = field(default_factory=list)


class Card:
    """The functions of libobs that draw."""

    def __init__(self, space: Space, pixels: Callable[[int, int, int], bytes]) -> None:
        self._space, self._pixels = space, pixels
        self.reset()

    def reset(self) -> None:
        """An empty card."""
        self.camera = 0
        self.drawings: dict[int, Drawing] = {}
        self._sizes: dict[int, tuple[int, int]] = {}
        self._maps: dict[int, Guarded] = {}
        self._handles = 0
        self._target = self._bound = 0
        self._place = (0, 0)
        self._looped = False
        self._now = 0

    def __getitem__(self, name: str) -> Callable[..., Any]:
        return getattr(self, name, lambda *arguments: 1)

    def _new(self) -> int:
        self._handles += 1
        self.drawings[self._handles] = Drawing()
        return self._handles

    def os_gettime_ns(self) -> int:
        self._now += 1
        return self._now

    def gs_texrender_create(self, *_: int) -> int:
        return self._new()

    def gs_texrender_begin(self, target: int, *_: int) -> int:
        self._target = target
        return 1

    def gs_texrender_get_texture(self, target: int) -> int:
        return target

    def obs_filter_get_parent(self, source: int) -> int:
        return 0

    def obs_source_video_render(self, target: int) -> None:
        self.drawings[self._target] = Drawing(self.camera)

    def gs_stagesurface_create(self, width: int, height: int, _: int) -> int:
        surface = self._new()
        self._sizes[surface] = width, height
        return surface

    def gs_stage_texture(self, surface: int, texture: int) -> None:
        self.drawings[surface] = Drawing(self.drawings[texture].picture)

    def _map(self, handle: int, data: int, line: int) -> Guarded:
        width, height = self._sizes[handle]
        stride = width * 4 + GAP
        memory = self._maps[handle] = Guarded(stride * height)
        self._space.allow(f"map {handle}", memory.address, memory.size, (0, memory.size))
        self._space.store(data, memory.address)
        self._space.store(line, stride)
        return memory

    def gs_stagesurface_map(self, surface: int, data: int, line: int) -> int:
        width, height = self._sizes[surface]
        rows = np.frombuffer(self._pixels(self.drawings[surface].picture, width, height), np.uint8).reshape(height, -1)
        memory = self._map(surface, data, line)
        memory.write(0, np.pad(rows, ((0, 0), (0, GAP))).tobytes())
        return 1

    def gs_stagesurface_unmap(self, surface: int) -> None:
        self._space.forget(f"map {surface}")
        self._maps.pop(surface).free()

    def gs_texture_create(self, width: int, height: int, *_: int) -> int:
        texture = self._new()
        self._sizes[texture] = width, height
        return texture

    def gs_texture_destroy(self, texture: int) -> None:
        del self._sizes[texture]

    def gs_texture_map(self, texture: int, data: int, line: int) -> int:
        self._map(texture, data, line)
        return 1

    def gs_texture_unmap(self, texture: int) -> None:
        width, height = self._sizes[texture]
        memory = self._maps.pop(texture)
        self._space.forget(f"map {texture}")
        self.drawings[texture] = Drawing(patches=[(0, 0, width, height, memory.read(0, memory.size))])
        memory.free()

    def gs_effect_loop(self, *_: int) -> int:
        self._looped = not self._looped
        return int(self._looped)

    def gs_effect_set_texture(self, _: int, texture: int) -> None:
        self._bound = texture

    def gs_matrix_translate3f(self, x: float, y: float, _: float) -> None:
        self._place = int(x), int(y)

    def gs_draw_sprite_subregion(self, texture: int, _: int, x: int, y: int, width: int, height: int) -> None:
        assert texture == self._bound and (x, y) == (0, 0)
        ((_, _, wide, high, content),) = self.drawings[texture].patches
        assert width <= wide and height <= high
        stride = wide * 4 + GAP
        rows = b"".join(content[row * stride : row * stride + width * 4] for row in range(height))
        self.drawings[self._target].patches.append((*self._place, width, height, rows))


class ObsSide:
    """One filter in OBS: `tick` is what a frame of OBS does with it.

    Parameters
    ----------
    block : address of the shared block
    pixels : the camera's picture of a number, width and height, as bytes without gaps
    """

    def __init__(
        self, block: int, capacity: int, patch_capacity: int, pixels: Callable[[int, int, int], bytes]
    ) -> None:
        self.space = Space(block, at.block_bytes(capacity, patch_capacity))
        self.card = Card(self.space, pixels)
        self._table = np.zeros(r.TABLE_WORDS, np.int64)
        self._zeros = np.zeros(4, np.float32)
        self._table[r.T_ZERO] = self._zeros.ctypes.data
        self.row = np.zeros(r.ROW_WORDS, np.int64)
        self._new_link = np.array([block, capacity, patch_capacity, -1], np.int64)
        self._link = self._new_link.copy()
        self._json = ctypes.create_string_buffer(b"{}")
        self.address = self.row.ctypes.data
        output = at.output_offset(0, capacity, patch_capacity)
        inputs = at.input_offset(0, capacity)
        size = at.block_bytes(capacity, patch_capacity)
        obs_words = ((at.MAGIC * 8, 4 * 8), (at.INPUT_NEWEST * 8, 5 * 8))
        self.space.allow("block", block, size, *obs_words, (at.SETTINGS_TEXT, at.TEXT_BYTES), (inputs, output - inputs))
        for name, words in (("row", self.row), ("table", self._table), ("link", self._link)):
            self.space.allow(name, words.ctypes.data, words.nbytes, (0, words.nbytes if name != "table" else 0))
        self.picture = Guarded(capacity)
        self.space.allow("picture", self.picture.address, capacity, (0, capacity))
        self.space.allow("json", ctypes.addressof(self._json), len(self._json))
        with _interpreting(self.space, self.card, self._table.ctypes.data) as (obs_end, capture, present):
            self.obs_end, self.capture, self.present = obs_end, capture, present

    def begin(self, width: int, height: int) -> None:
        """A new filter, on a source of that size."""
        self.space.point = lambda offset: None
        self.card.reset()
        self.row[:] = 0
        self.row[r.JSON] = ctypes.addressof(self._json)
        self.row[r.LAST_RESULT] = at.NONE
        self._link[:] = self._new_link
        self.resize(width, height)

    def resize(self, width: int, height: int) -> None:
        self.capture.resize(self.address, width, height)

    def tick(self, link: bool = True) -> None:
        """The camera has its next picture, whose number is its frame's."""
        self.card.camera = int(self.row[r.NEXT_FRAME])
        if link:
            self.present.take_result(self.address, self._link.ctypes.data)
        self.capture.capture(self.address, 1, self._link.ctypes.data if link else 0)

    def shown(self) -> Drawing | None:
        """What a viewer sees of the ring; None where that is the cover."""
        if not self.present.draw_finished(self.address):
            return None
        return self.card.drawings[int(self.row[r.TEXTURE + self.row[r.SHOWN]])]


@contextmanager
def _interpreting(space: Space, card: Card, table: int) -> Iterator[list[ModuleType]]:
    """The modules of OBS's side, imported anew with everything that is compiled or libobs's replaced."""

    def njit(*arguments: Any, **options: Any) -> Any:
        return arguments[0] if arguments else lambda function: function

    fakes: dict[str, Any] = {
        "numba": SimpleNamespace(njit=njit),
        "obs_facelive.link.atomic": SimpleNamespace(
            load=space.load, store=space.store, copy=space.copy, claim=space.claim, fence=lambda: None
        ),
        "obs_facelive.obs.native": SimpleNamespace(
            function=card.__getitem__,
            ring_bell=lambda *_: 0,
            strlen=lambda a: len(ctypes.string_at(a)),
            table=lambda: table,
        ),
    }
    real = {name: importlib.import_module(name) for name in _MODULES}
    with patch.dict(sys.modules, fakes):
        for name in _MODULES:
            del sys.modules[name]
        yield [importlib.import_module(name) for name in _MODULES]
    for name, module in real.items():
        package, _, own = name.rpartition(".")
        setattr(sys.modules[package], own, module)
        sys.modules[name] = module
