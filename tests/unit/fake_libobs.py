"""A libobs for one filter, made of Python: compiled callbacks call it as they call the real one.

Its graphics card knows of each texture what was drawn into it, its clock stands still until it is told to go, and it keeps
what a viewer would have seen. Nothing is ever really drawn.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from obs_facelive.obs import abi

_TYPES: dict[str, Any] = {
    **dict.fromkeys("pPl", ctypes.c_int64),
    "i": ctypes.c_int32,
    "b": ctypes.c_bool,
    "f": ctypes.c_float,
    "v": None,
}
SOURCE, CAMERA = 1001, 1002
"""What libobs calls the filter, and the source that it is on."""


@dataclass(frozen=True)
class Painted:
    """A picture of the camera with what was drawn over it.

    Attributes
    ----------
    moment : number of the camera's picture; 0: none, the texture is empty
    detail : its shorter side in pixels, where it was smallest on its way
    patches : x, y, width, height and first pixel (as int32) of each patch, in order
    """

    moment: int = 0
    detail: int = 0
    patches: tuple[tuple[int, int, int, int, int], ...] = ()


class FakeLibobs:
    """Every function of `abi.FUNCTIONS`; those without a method of that name do nothing and return 0.

    Attributes
    ----------
    clock : nanoseconds
    moment, size : number of the camera's picture now, and its width and height; each moment has a number of its own
    settings : the filter's
    screen : what was drawn for viewers
    broken : the graphics card refuses to draw into textures
    errors : what went wrong in a callback, which C cannot be told
    registered : struct by the id of the kind
    """

    def __init__(self) -> None:
        self._functions: dict[str, Any] = {}
        self.registered: dict[str, abi.SourceInfo] = {}
        self.errors: list[BaseException] = []
        self.begin()

    def begin(self) -> None:
        """A new life: another card, another camera, the clock at an hour."""
        self.clock, self.moment, self.size = 3_600_000_000_000, 1, (16, 12)
        self.settings: dict[str, Any] = {}
        self.screen: list[Painted] = []
        self.broken = False
        self._made = 0
        self._painted: dict[int, Painted] = {}
        self._sizes: dict[int, tuple[int, int]] = {}
        self._pixels: dict[int, npt.NDArray[np.int32]] = {}
        self._targets: list[int] = []
        self._bound = self._loops = 0
        self._shifts = [(0.0, 0.0)]
        self._texts: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if name not in abi.FUNCTIONS:
            raise AttributeError(name)
        if name not in self._functions:
            result, *arguments = list(abi.FUNCTIONS[name])
            kind = ctypes.CFUNCTYPE(_TYPES[result], *(_TYPES[a] for a in arguments))
            self._functions[name] = kind(self._guarded(name, result))
        return self._functions[name]

    def _guarded(self, name: str, result: str) -> Callable[..., Any]:
        method = getattr(type(self), f"_{name}", None)

        def call(*values: Any) -> Any:
            try:
                answer = method(self, *values) if method else 0
            except BaseException as error:
                self.errors.append(error)
                answer = 0
            return None if result == "v" else answer or 0

        return call

    def _new(self) -> int:
        self._made += 1
        return 10_000 + self._made

    # The world

    def _os_gettime_ns(self) -> int:
        return self.clock

    def _obs_register_source_s(self, info: int, size: int) -> None:
        kind = abi.SourceInfo.from_buffer_copy(ctypes.string_at(info, size))
        self.registered[kind.id.decode()] = kind

    def _obs_filter_get_target(self, source: int) -> int:
        return CAMERA

    def _obs_filter_get_parent(self, source: int) -> int:
        return CAMERA

    def _obs_source_get_output_flags(self, source: int) -> int:
        return abi.SOURCE_VIDEO | abi.SOURCE_ASYNC

    def _obs_source_get_base_width(self, source: int) -> int:
        return self.size[0]

    def _obs_source_get_base_height(self, source: int) -> int:
        return self.size[1]

    def _obs_source_get_weak_source(self, source: int) -> int:
        return source

    def _obs_data_get_bool(self, data: int, key: int) -> bool:
        return bool(self._setting(key))

    def _obs_data_get_int(self, data: int, key: int) -> int:
        return int(self._setting(key))

    def _obs_data_get_string(self, data: int, key: int) -> int:
        return self._text(str(self._setting(key)))

    def _obs_data_get_json(self, data: int) -> int:
        return self._text(json.dumps(self.settings))

    def _setting(self, key: int) -> Any:
        return self.settings[ctypes.string_at(key).decode()]

    def _text(self, text: str) -> int:
        return ctypes.addressof(self._texts.setdefault(text, ctypes.create_string_buffer(text.encode())))

    # Drawing

    def _obs_source_video_render(self, source: int) -> None:
        self._paint(Painted(self.moment, min(self.size)))

    def _obs_source_skip_video_filter(self, source: int) -> None:
        self._paint(Painted(self.moment, min(self.size)))

    def _paint(self, painted: Painted) -> None:
        if self._targets:
            width, height = self._sizes[self._targets[-1]]
            self._painted[self._targets[-1]] = replace(painted, detail=min(painted.detail, width, height))
        else:
            self.screen.append(painted)

    def _gs_texrender_create(self, form: int, depth: int) -> int:
        return self._new()

    def _gs_texrender_begin(self, target: int, width: int, height: int) -> bool:
        if self.broken:
            return False
        if self._sizes.get(target) != (width, height):
            self._sizes[target], self._painted[target] = (width, height), Painted()
        self._targets.append(target)
        return True

    def _gs_texrender_end(self, target: int) -> None:
        assert self._targets.pop() == target

    def _gs_texrender_get_texture(self, target: int) -> int:
        return target if target in self._sizes else 0

    def _gs_clear(self, *_: Any) -> None:
        self._painted[self._targets[-1]] = Painted()

    def _gs_matrix_push(self) -> None:
        self._shifts.append(self._shifts[-1])

    def _gs_matrix_pop(self) -> None:
        self._shifts.pop()

    def _gs_matrix_translate3f(self, x: float, y: float, z: float) -> None:
        self._shifts[-1] = (self._shifts[-1][0] + x, self._shifts[-1][1] + y)

    def _gs_effect_loop(self, effect: int, name: int) -> bool:
        self._loops ^= 1
        return bool(self._loops)

    def _gs_effect_set_texture(self, parameter: int, texture: int) -> None:
        self._bound = texture

    _gs_effect_set_texture_srgb = _gs_effect_set_texture

    def _gs_draw_sprite(self, texture: int, flip: int, width: int, height: int) -> None:
        assert texture == self._bound
        self._paint(self._painted[texture])

    def _gs_draw_sprite_subregion(self, texture: int, flip: int, x: int, y: int, width: int, height: int) -> None:
        assert texture == self._bound and (x, y) == (0, 0)
        left, top = (int(v) for v in self._shifts[-1])
        below = self._painted[self._targets[-1]]
        patch = (left, top, width, height, int(self._pixels[texture][0, 0]))
        self._painted[self._targets[-1]] = replace(below, patches=(*below.patches, patch))

    # Pixels

    def _gs_texture_create(self, width: int, height: int, *_: Any) -> int:
        texture = self._new()
        self._pixels[texture] = np.zeros((height, width), np.int32)
        return texture

    def _gs_stagesurface_create(self, width: int, height: int, form: int) -> int:
        return self._gs_texture_create(width, height)

    def _gs_stage_texture(self, surface: int, texture: int) -> None:
        self._pixels[surface][:] = self._painted[texture].moment

    def _gs_texture_map(self, texture: int, data: int, line: int) -> bool:
        pixels = self._pixels[texture]
        ctypes.c_int64.from_address(data).value = pixels.ctypes.data
        ctypes.c_uint32.from_address(line).value = pixels.strides[0]
        return True

    _gs_stagesurface_map = _gs_texture_map
