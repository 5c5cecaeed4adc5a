"""libobs in this process, used as OBS's own program uses it: started, given sources and filters, asked for pictures, ended."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from obs_facelive.frame import Pixels
from tools.libobs32 import MODULES, LibobsFiles

# "p" pointer, "s" C string, "u" uint32_t, "i" int or enum, "l" size_t or long, "b" bool, "f" float, "v" nothing; result first.
# Written down apart from what `obs_facelive.obs.abi` says, out of the headers of OBS 29.0.2 and 32.2.2.
_SIGNATURES = """
bnum_allocs:l obs_startup:bssp obs_shutdown:v obs_set_nix_platform_display:vp obs_add_data_path:vs
obs_reset_video:ip obs_reset_audio:bp obs_open_module:ipss obs_init_module:bp obs_wait_for_destroy_queue:b
obs_get_version_string:s obs_register_source_s:vpl obs_enum_filter_types:blp obs_source_get_display_name:ss
obs_enum_input_types:blp obs_source_active:bp obs_source_showing:bp obs_scene_find_source:pps obs_sceneitem_visible:bp
obs_get_source_output_flags:us obs_get_source_defaults:ps obs_get_source_properties:ps obs_source_create:psspp
obs_source_release:vp obs_source_remove:vp obs_source_update:vpp obs_source_get_settings:pp
obs_source_properties:pp obs_source_set_name:vps obs_source_get_output_flags:up obs_source_get_type:ip obs_source_get_width:up
obs_source_get_height:up obs_source_set_enabled:vpb obs_source_video_render:vp obs_source_filter_add:vpp
obs_source_filter_remove:vpp obs_source_filter_count:lp obs_source_get_filter_by_name:pps
obs_source_copy_filters:vpp obs_save_source:pp obs_load_source:pp obs_obj_get_data:pp obs_set_output_source:vup
obs_scene_create:ps obs_scene_get_source:pp obs_scene_add:ppp obs_scene_release:vp obs_data_create_from_json:ps
obs_data_get_json:sp obs_data_get_defaults:pp obs_data_release:vp obs_properties_first:pp obs_properties_get:pps
obs_properties_destroy:vp obs_property_next:bp obs_property_name:sp obs_property_description:sp
obs_property_long_description:sp obs_property_get_type:ip obs_property_int_min:ip obs_property_int_max:ip
obs_property_int_step:ip obs_property_int_suffix:sp obs_property_list_item_count:lp obs_property_list_item_name:spl
obs_property_list_item_string:spl obs_property_group_content:pp obs_property_button_clicked:bpp
obs_enum_hotkeys:vpp obs_hotkey_get_name:sp obs_hotkey_enable_callback_rerouting:vb
obs_hotkey_trigger_routed_callback:vlb obs_enter_graphics:v obs_leave_graphics:v gs_texrender_create:pii
gs_texrender_destroy:vp gs_texrender_begin:bpuu gs_texrender_end:vp gs_texrender_get_texture:pp
gs_stagesurface_create:puui gs_stagesurface_destroy:vp gs_stagesurface_map:bppp gs_stagesurface_unmap:vp
gs_stage_texture:vpp gs_clear:vupfu gs_ortho:vffffff gs_blend_state_push:v gs_blend_state_pop:v
gs_blend_function:vii
"""
_FUNCTIONS = {name: types for name, types in (function.split(":") for function in _SIGNATURES.split())}
_TYPES: dict[str, Any] = {
    "p": ctypes.c_void_p,
    "s": ctypes.c_char_p,
    "u": ctypes.c_uint32,
    "i": ctypes.c_int,
    "l": ctypes.c_size_t,
    "b": ctypes.c_bool,
    "f": ctypes.c_float,
    "v": None,
}
PROPERTY_TYPES = (
    "invalid bool int float text path list colour button font editable frame_rate group colour_alpha"
).split()
"""``enum obs_property_type`` in ``obs-properties.h``."""
_BGRA, _CLEAR_COLOUR, _BLEND_ZERO, _BLEND_ONE, _NV12, _BICUBIC, _CS_709, _PARTIAL, _STEREO = 5, 1, 0, 1, 2, 2, 2, 1, 2
_HotkeySeen = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)


class _VideoInfo(ctypes.Structure):
    """``struct obs_video_info`` (``obs.h``)."""

    _fields_ = [  # noqa: RUF012
        ("graphics_module", ctypes.c_char_p),
        *[(name, ctypes.c_uint32) for name in "fps_num fps_den base_w base_h output_w output_h".split()],
        ("output_format", ctypes.c_int),
        ("adapter", ctypes.c_uint32),
        ("gpu_conversion", ctypes.c_bool),
        *[(name, ctypes.c_int) for name in "colorspace range scale_type".split()],
    ]


class Libobs:
    """libobs, started. Sources, filters, scenes and data are the numbers that C calls pointers.

    ``obs.call.NAME(...)`` calls any function of `_FUNCTIONS`: text goes in and comes out as `str`, a null pointer is None.
    Raises `RuntimeError` where libobs refuses to start.
    """

    def __init__(self, files: LibobsFiles, width: int, height: int) -> None:
        self._files = files
        # Global, as libobs is in OBS's own process: FaceLive looks for it there (`obs_facelive.obs.abi.library`).
        self._library = ctypes.CDLL(files.library, ctypes.RTLD_GLOBAL)
        self.call = _Calls(self._library)
        xlib = ctypes.CDLL("libX11.so.6")
        xlib.XOpenDisplay.restype = ctypes.c_void_p
        # libobs keeps the list of these folders for ever.
        self.call.obs_add_data_path(f"{files.effects}/")
        self._allocations = self.call.bnum_allocs()
        self.call.obs_set_nix_platform_display(xlib.XOpenDisplay(None))
        if not self.call.obs_startup("en-US", None, None):
            raise RuntimeError("libobs does not start")
        self.reset_video(width, height)
        if not self.call.obs_reset_audio((ctypes.c_uint32 * 2)(48000, _STEREO)):
            raise RuntimeError("libobs has no audio")
        for name in MODULES:
            self._load_module(name)
        self._scene = self.call.obs_scene_create("Scene")
        self.scene = self.call.obs_scene_get_source(self._scene)
        """The scene that is on air, as a source."""
        self.call.obs_set_output_source(0, self.scene)

    def reset_video(self, width: int, height: int) -> None:
        """Give the canvas a size, in pixels. 30 frames a second."""
        size = (width, height)
        rest = (_NV12, 0, True, _CS_709, _PARTIAL, _BICUBIC)
        video = _VideoInfo(self._files.graphics.encode(), 30, 1, *size, *size, *rest)
        if code := self.call.obs_reset_video(ctypes.byref(video)):
            raise RuntimeError(f"libobs has no video: obs_reset_video gives {code}")

    def _load_module(self, name: str) -> None:
        module = ctypes.c_void_p()
        file, data = f"{self._files.modules}/{name}.so", f"{self._files.module_data}/{name}"
        code = self.call.obs_open_module(ctypes.byref(module), file, data)
        if code or not self.call.obs_init_module(module):
            raise RuntimeError(f"{file} cannot be loaded: {code}")

    def shut_down(self) -> int:
        """End libobs, whose sources must have been released; gives the number of allocations that are left."""
        self.call.obs_set_output_source(0, None)
        self.call.obs_source_remove(self.scene)
        self.call.obs_scene_release(self._scene)
        self.drain()
        self.call.obs_shutdown()
        return int(self.call.bnum_allocs()) - int(self._allocations)

    def drain(self) -> None:
        """Wait until everything that was released is destroyed."""
        while self.call.obs_wait_for_destroy_queue():
            pass

    @contextmanager
    def data(self, values: dict[str, Any]) -> Iterator[int]:
        """Values as libobs's data, while the context lasts."""
        made = self.call.obs_data_create_from_json(json.dumps(values))
        try:
            yield made
        finally:
            self.call.obs_data_release(made)

    def read(self, data: int) -> dict[str, Any]:
        """The values of libobs's data, whose reference is taken."""
        values: dict[str, Any] = json.loads(self.call.obs_data_get_json(data))
        self.call.obs_data_release(data)
        return values

    def defaults(self, data: int) -> dict[str, Any]:
        """The default values of libobs's data, whose reference is taken."""
        values = self.read(self.call.obs_data_get_defaults(data))
        self.call.obs_data_release(data)
        return values

    def source(self, kind: str, name: str, settings: dict[str, Any]) -> int:
        """Make a source, and put it into the scene on air."""
        with self.data(settings) as data:
            source: int = self.call.obs_source_create(kind, name, data, None)
        self.call.obs_scene_add(self._scene, source)
        return source

    def add_filter(self, source: int, kind: str, name: str, settings: dict[str, Any] | None = None) -> int:
        """Make a filter and put it on a source."""
        with self.data(settings or {}) as data:
            made: int = self.call.obs_source_create(kind, name, data, None)
        self.call.obs_source_filter_add(source, made)
        return made

    def remove_filter(self, source: int, made: int) -> None:
        """Take a filter off its source, and wait until it is destroyed."""
        self.call.obs_source_filter_remove(source, made)
        self.call.obs_source_release(made)
        self.drain()

    def remove_source(self, source: int) -> None:
        """Take a source out of everything, as a person who deletes it."""
        self.call.obs_source_remove(source)
        self.call.obs_source_release(source)

    def update(self, source: int, settings: dict[str, Any]) -> None:
        """Change settings of a source or filter."""
        with self.data(settings) as data:
            self.call.obs_source_update(source, data)

    def settings(self, source: int) -> dict[str, Any]:
        """The settings of a source or filter that were ever set."""
        return self.read(self.call.obs_source_get_settings(source))

    def picture(self, source: int) -> Pixels:
        """What a source shows, with its filters, (h, w, 4) uint8 BGRA: drawn as obs-websocket draws its screenshots."""
        call = self.call
        width, height = call.obs_source_get_width(source), call.obs_source_get_height(source)
        if width == 0 or height == 0:
            return np.zeros((height, width, 4), np.uint8)
        call.obs_enter_graphics()
        target = call.gs_texrender_create(_BGRA, 0)
        surface = call.gs_stagesurface_create(width, height, _BGRA)
        if not call.gs_texrender_begin(target, width, height):
            raise RuntimeError("libobs cannot draw into a texture")
        call.gs_clear(_CLEAR_COLOUR, (ctypes.c_float * 4)(), 0.0, 0)
        call.gs_ortho(0.0, width, 0.0, height, -100.0, 100.0)
        call.gs_blend_state_push()
        call.gs_blend_function(_BLEND_ONE, _BLEND_ZERO)
        call.obs_source_video_render(source)
        call.gs_blend_state_pop()
        call.gs_texrender_end(target)
        call.gs_stage_texture(surface, call.gs_texrender_get_texture(target))
        address, line = ctypes.c_void_p(), ctypes.c_uint32()
        if not call.gs_stagesurface_map(surface, ctypes.byref(address), ctypes.byref(line)):
            raise RuntimeError("libobs cannot read a texture back")
        rows = np.frombuffer(ctypes.string_at(address.value or 0, line.value * height), np.uint8)
        call.gs_stagesurface_unmap(surface)
        call.gs_stagesurface_destroy(surface)
        call.gs_texrender_destroy(target)
        call.obs_leave_graphics()
        return rows.reshape(height, line.value // 4, 4)[:, :width].copy()

    def types(self) -> list[str]:
        """The ids of all kinds of filters, then of inputs."""
        every = []
        for enumerate_types in (self.call.obs_enum_filter_types, self.call.obs_enum_input_types):
            ids, found = ctypes.c_char_p(), list[str]()
            while enumerate_types(len(found), ctypes.byref(ids)):
                found.append((ids.value or b"").decode())
            every += found
        return every

    def visible(self, name: str) -> bool:
        """Whether a source's place in the scene on air is switched on."""
        return bool(self.call.obs_sceneitem_visible(self.call.obs_scene_find_source(self._scene, name)))

    def properties(self, panel: int) -> list[dict[str, Any]]:
        """Every property of a panel, groups opened, in order."""
        found = []
        item = ctypes.c_void_p(self.call.obs_properties_first(panel))
        while item.value:
            found.append(self._property(item.value))
            if found[-1]["type"] == "group":
                found += self.properties(self.call.obs_property_group_content(item.value))
            if not self.call.obs_property_next(ctypes.byref(item)):
                break
        return found

    def _property(self, item: int) -> dict[str, Any]:
        call, kind = self.call, PROPERTY_TYPES[self.call.obs_property_get_type(item)]
        known = {
            "name": call.obs_property_name(item),
            "type": kind,
            "title": call.obs_property_description(item),
            "help": call.obs_property_long_description(item) or "",
        }
        if kind == "int":
            known["range"] = [call.obs_property_int_min(item), call.obs_property_int_max(item)]
            known["step"] = call.obs_property_int_step(item)
            known["unit"] = call.obs_property_int_suffix(item)
        elif kind == "list":
            known["choices"] = {
                call.obs_property_list_item_string(item, index): call.obs_property_list_item_name(item, index)
                for index in range(call.obs_property_list_item_count(item))
            }
        return known

    def hotkeys(self, prefix: str) -> list[tuple[str, int]]:
        """(name, id) of every hotkey whose name begins with ``prefix``."""
        found = []

        def seen(data: int, number: int, hotkey: int) -> bool:
            found.append((self.call.obs_hotkey_get_name(hotkey), number))
            return True

        callback = _HotkeySeen(seen)
        self.call.obs_enum_hotkeys(callback, None)
        return [(name, number) for name, number in found if name.startswith(prefix)]

    def press(self, hotkey: int) -> None:
        """Press and release a hotkey, as OBS's own program passes them on."""
        self.call.obs_hotkey_enable_callback_rerouting(True)
        for pressed in (True, False):
            self.call.obs_hotkey_trigger_routed_callback(hotkey, pressed)


class _Calls:
    """The functions of a libobs, with their types."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library

    def __getattr__(self, name: str) -> Callable[..., Any]:
        result, *arguments = list(_FUNCTIONS[name])
        function = getattr(self._library, name)
        function.restype, function.argtypes = _TYPES[result], [_TYPES[a] for a in arguments]

        def call(*values: Any) -> Any:
            answer = function(*[v.encode() if isinstance(v, str) else v for v in values])
            return answer.decode() if isinstance(answer, bytes) else answer

        setattr(self, name, call)
        return call
