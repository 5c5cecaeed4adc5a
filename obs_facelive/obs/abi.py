"""libobs's binary interface: the one struct that we fill in and every function that we call.

Sources: ``libobs/obs-source.h``, ``obs.h``, ``obs-data.h``, ``obs-hotkey.h``, ``graphics/graphics.h``, OBS 26.1 to 32.2.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from typing import Any

# "p" pointer or 64-bit integer, "l" 64-bit integer that may be negative, "i" 32-bit integer or enum, "b" bool, "f" float,
# "v" nothing. A bool argument is passed as "i": every ABI that OBS runs on widens it.
FUNCTIONS: dict[str, str] = {
    "blog": "vip",
    "obs_get_version_string": "p",
    "obs_source_get_weak_source": "pp",
    "obs_weak_source_get_source": "pp",
    "obs_weak_source_release": "vp",
    "obs_register_source_s": "vpp",
    "obs_filter_get_target": "pp",
    "obs_filter_get_parent": "pp",
    "obs_source_get_base_width": "ip",
    "obs_source_get_base_height": "ip",
    "obs_source_video_render": "vp",
    "obs_source_default_render": "vp",
    "obs_source_get_output_flags": "ip",
    "obs_source_skip_video_filter": "vp",
    "obs_source_get_name": "pp",
    "obs_source_get_ref": "pp",
    "obs_source_release": "vp",
    "obs_source_update": "vpp",
    "obs_source_update_properties": "vp",
    "obs_source_get_settings": "pp",
    "obs_source_get_type": "ip",
    "obs_source_removed": "bp",
    "obs_source_enabled": "bp",
    "obs_source_get_sync_offset": "lp",
    "obs_source_set_sync_offset": "vpl",
    "obs_source_get_unversioned_id": "pp",
    "obs_source_get_width": "ip",
    "obs_source_get_height": "ip",
    "obs_source_add_active_child": "bpp",
    "obs_source_remove_active_child": "vpp",
    "obs_source_audio_pending": "bp",
    "obs_source_get_audio_timestamp": "pp",
    "obs_source_get_audio_mix": "vpp",
    "obs_get_source_by_name": "pp",
    "obs_enum_sources": "vPp",
    "obs_enum_scenes": "vPp",
    "obs_enum_all_sources": "vPp",
    "obs_scene_from_source": "pp",
    "obs_group_from_source": "pp",
    "obs_scene_enum_items": "vpPp",
    "obs_sceneitem_addref": "vp",
    "obs_sceneitem_release": "vp",
    "obs_sceneitem_get_source": "pp",
    "obs_sceneitem_visible": "bp",
    "obs_sceneitem_set_visible": "bpi",
    "obs_hotkey_register_source": "ppppPp",
    "obs_hotkey_unregister": "vp",
    "obs_enter_graphics": "v",
    "obs_leave_graphics": "v",
    "obs_get_base_effect": "pi",
    "obs_data_create": "p",
    "obs_data_release": "vp",
    "obs_data_get_json": "pp",
    "obs_data_get_string": "ppp",
    "obs_data_get_int": "ppp",
    "obs_data_get_bool": "bpp",
    "obs_data_set_string": "vppp",
    "obs_data_set_bool": "vppi",
    "obs_data_set_default_string": "vppp",
    "obs_data_set_default_int": "vppp",
    "obs_data_set_default_bool": "vppi",
    "obs_properties_create": "p",
    "obs_properties_set_param": "vppP",
    "obs_properties_add_bool": "pppp",
    "obs_properties_add_int_slider": "ppppiii",
    "obs_properties_add_list": "ppppii",
    "obs_properties_add_text": "ppppi",
    "obs_properties_add_path": "ppppipp",
    "obs_properties_add_button": "ppppP",
    "obs_properties_add_group": "ppppip",
    "obs_property_list_add_string": "pppp",
    "obs_property_int_set_suffix": "vpp",
    "obs_properties_get": "ppp",
    "obs_property_set_visible": "vpi",
    "obs_property_set_modified_callback": "vpP",
    "obs_property_set_long_description": "vpp",
    "gs_texrender_create": "pii",
    "gs_texrender_destroy": "vp",
    "gs_texrender_begin": "bpii",
    "gs_texrender_end": "vp",
    "gs_texrender_reset": "vp",
    "gs_texrender_get_texture": "pp",
    "gs_stagesurface_create": "piii",
    "gs_stagesurface_destroy": "vp",
    "gs_stage_texture": "vpp",
    "gs_stagesurface_map": "bppp",
    "gs_stagesurface_unmap": "vp",
    "gs_texture_create": "piiiipi",
    "gs_texture_create_from_file": "pp",
    "gs_texture_destroy": "vp",
    "gs_texture_map": "bppp",
    "gs_texture_unmap": "vp",
    "gs_texture_get_width": "ip",
    "gs_texture_get_height": "ip",
    "gs_ortho": "vffffff",
    "gs_clear": "vipfi",
    "gs_blend_state_push": "v",
    "gs_blend_state_pop": "v",
    "gs_blend_function": "vii",
    "gs_blend_function_separate": "viiii",
    "gs_enable_blending": "vi",
    "gs_matrix_push": "v",
    "gs_matrix_pop": "v",
    "gs_matrix_translate3f": "vfff",
    "gs_enable_framebuffer_srgb": "vi",
    "gs_framebuffer_srgb_enabled": "b",
    "gs_effect_loop": "bpp",
    "gs_effect_get_param_by_name": "ppp",
    "gs_effect_set_texture": "vpp",
    "gs_effect_set_texture_srgb": "vpp",
    "gs_draw_sprite": "vpiii",
    "gs_draw_sprite_subregion": "vpiiiii",
    "os_gettime_ns": "p",
    "obs_get_total_frames": "i",
    "obs_get_lagged_frames": "i",
}

_C_TYPES: dict[str, Any] = {
    "p": ctypes.c_void_p,
    "P": ctypes.c_void_p,
    "l": ctypes.c_int64,
    "i": ctypes.c_int32,
    "b": ctypes.c_bool,
    "f": ctypes.c_float,
    "v": None,
}


def library() -> ctypes.CDLL:
    """libobs of the process that we run in. `ctypes.CDLL` lets go of the GIL around each call: never `PyDLL`."""
    return ctypes.CDLL("obs.dll" if sys.platform == "win32" else None)


def bind(libobs: ctypes.CDLL, name: str) -> Any:
    """One libobs function with its types, for interpreted code."""
    result, *arguments = list(FUNCTIONS[name])
    function = getattr(libobs, name)
    function.restype = _C_TYPES[result]
    function.argtypes = [_C_TYPES[a] for a in arguments]
    return function


def _frontend(libobs: ctypes.CDLL) -> ctypes.CDLL:
    """The library of OBS's windows. Raises `OSError` where there is none; else its functions may still be missing."""
    return ctypes.CDLL("obs-frontend-api.dll") if sys.platform == "win32" else libobs


def frontend_save(libobs: ctypes.CDLL) -> Callable[[], None]:
    """OBS's own "save the scene collection", from any thread; does nothing where libobs runs without OBS around it."""
    try:
        save = _frontend(libobs).obs_frontend_save
    except (OSError, AttributeError):
        return lambda: None
    save.restype, save.argtypes = None, []
    return lambda: save()


class Frontend:
    """What OBS says of its files, to any thread. Raises `OSError` or `AttributeError` where OBS is too old (before 29)."""

    def __init__(self, libobs: ctypes.CDLL) -> None:
        library = _frontend(libobs)
        self._recording, self._replay_buffer = (
            self._known(library, f"obs_frontend_{name}_active", ctypes.c_bool)
            for name in ("recording", "replay_buffer")
        )
        self._last_recording, self._last_replay = (
            self._known(library, f"obs_frontend_get_last_{name}", ctypes.c_void_p) for name in ("recording", "replay")
        )
        self._free = libobs.bfree
        self._free.restype, self._free.argtypes = None, [ctypes.c_void_p]

    @staticmethod
    def _known(library: ctypes.CDLL, name: str, result: Any) -> Callable[[], Any]:
        function = getattr(library, name)
        function.restype, function.argtypes = result, []
        return lambda: function()

    def recording(self) -> bool:
        """Whether OBS records."""
        return bool(self._recording())

    def replay_buffer(self) -> bool:
        """Whether OBS keeps the last seconds, to be saved."""
        return bool(self._replay_buffer())

    def last_recording(self) -> str:
        """The path of the file that is being recorded, or was last; empty if there is none."""
        return self._path(self._last_recording())

    def last_replay(self) -> str:
        """The path of what was saved last of the replay buffer, once it is whole; empty if there is none."""
        return self._path(self._last_replay())

    def _path(self, text: int | None) -> str:
        if not text:
            return ""
        try:
            return ctypes.string_at(text).decode(errors="surrogateescape")
        finally:
            self._free(text)


def frontend(libobs: ctypes.CDLL) -> Frontend | None:
    """See `Frontend`; None where it cannot be had."""
    try:
        return Frontend(libobs)
    except (OSError, AttributeError):
        return None


LOG_ERROR, LOG_WARNING, LOG_INFO = 100, 200, 300
SOURCE_TYPE_INPUT, SOURCE_TYPE_FILTER, SOURCE_TYPE_TRANSITION, SOURCE_TYPE_SCENE = range(4)
SOURCE_VIDEO, SOURCE_AUDIO, SOURCE_ASYNC, SOURCE_CUSTOM_DRAW, SOURCE_SRGB = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 15
SOURCE_COMPOSITE, SOURCE_DO_NOT_DUPLICATE = 1 << 6, 1 << 7
ICON_CAMERA = 9
AUDIO_MIXES, AUDIO_CHANNELS, AUDIO_FRAMES = 6, 8, 1024
BGRA, DYNAMIC, ZS_NONE = 5, 1 << 1, 0
BLEND_ZERO, BLEND_ONE, BLEND_SRCALPHA, BLEND_INVSRCALPHA = 0, 1, 4, 5
EFFECT_DEFAULT, EFFECT_BILINEAR_LOWRES = 0, 6
CLEAR_COLOUR = 1 << 0
COMBO_LIST, COMBO_STRING = 2, 3
TEXT_DEFAULT, TEXT_INFO, GROUP_NORMAL, PATH_FILE = 0, 3, 1, 0

_CALLBACKS = """get_name create destroy get_width get_height get_defaults get_properties update activate deactivate show hide
video_tick video_render filter_video filter_audio enum_active_sources save load mouse_click mouse_move mouse_wheel focus
key_click filter_remove type_data free_type_data audio_render enum_all_sources transition_start transition_stop get_defaults2
get_properties2 audio_mix""".split()


class SourceInfo(ctypes.Structure):
    """``struct obs_source_info`` as far as ``unversioned_id``: the 384 bytes that OBS 26.1 to 32.2 share.

    Later versions append fields; libobs zeroes what it is not given.
    """

    _fields_ = [  # noqa: RUF012
        ("id", ctypes.c_char_p),
        ("type", ctypes.c_int32),
        ("output_flags", ctypes.c_uint32),
        *[(name, ctypes.c_void_p) for name in _CALLBACKS],
        ("icon_type", ctypes.c_int32),
        *[(f"media_{index}", ctypes.c_void_p) for index in range(9)],
        ("version", ctypes.c_uint32),
        ("unversioned_id", ctypes.c_char_p),
    ]
